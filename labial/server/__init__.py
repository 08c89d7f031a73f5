"""Room: server. Jobs for many users: a page and REST in front, a store of jobs, workers behind.

Public names are loaded when they are first used: a worker needs nothing of what answers requests.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from labial.server.access import add_token, revoke_token, tokens_of
    from labial.server.app import create_app
    from labial.server.serving import serve
    from labial.server.tokens import TokenLimits

__all__ = ["TokenLimits", "add_token", "create_app", "revoke_token", "serve", "tokens_of"]

_HOMES = {
    "TokenLimits": "tokens",
    "add_token": "access",
    "create_app": "app",
    "revoke_token": "access",
    "serve": "serving",
    "tokens_of": "access",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
