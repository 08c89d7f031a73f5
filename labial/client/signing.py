"""Signatures of what a server tells about its jobs, for both ends."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Mapping

TOLERANCE_SECONDS = 300.0
"""By which a signature may be old."""


def sign_delivery(secret: str, delivery: str, body: bytes, seconds: int) -> str:
    """Return the value of ``Labial-Signature``.

    Parameters
    ----------
    secret
        Of the webhook.
    delivery
        ``Labial-Delivery``.
    body
        As it is sent.
    seconds
        Since 1970, when it is sent.
    """
    text = f"{seconds}.{delivery}.".encode() + body
    return f"t={seconds},v1={hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()}"


def verify_delivery(
    secret: str,
    headers: Mapping[str, str],
    body: bytes,
    now: float | None = None,
    tolerance: float = TOLERANCE_SECONDS,
) -> bool:
    """Tell whether a delivery comes from who knows the secret, and is not an old one sent again.

    Parameters
    ----------
    secret
        Of the webhook.
    headers
        Of the request; case does not matter.
    body
        Its bytes, not what was read out of them.
    now
        Seconds since 1970; default: this moment.
    tolerance
        Seconds by which clocks may differ, and a delivery may be late.
    """
    told = {name.lower(): value for name, value in headers.items()}
    signature = told.get("labial-signature", "")
    seconds = signature.partition(",")[0].removeprefix("t=")
    if not (seconds.isdecimal() and seconds.isascii() and len(seconds) < 13):
        return False
    if abs((time.time() if now is None else now) - int(seconds)) > tolerance:
        return False
    wanted = sign_delivery(secret, told.get("labial-delivery", ""), body, int(seconds))
    return hmac.compare_digest(wanted.encode(), signature.encode("utf-8", "replace"))
