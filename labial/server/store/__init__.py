"""The store of the server: uploads, jobs, tokens and what is to be told, in one database."""

from labial.server.store.counts import PACES, SECONDS, Figures
from labial.server.store.database import AWAY
from labial.server.store.records import (
    Claim,
    Conflict,
    Delivery,
    Expired,
    Full,
    JobRecord,
    NotFound,
    Said,
    StoreError,
    TokenRecord,
    UploadRecord,
)
from labial.server.store.store import Store

__all__ = [
    "AWAY",
    "PACES",
    "SECONDS",
    "Claim",
    "Conflict",
    "Delivery",
    "Expired",
    "Figures",
    "Full",
    "JobRecord",
    "NotFound",
    "Said",
    "Store",
    "StoreError",
    "TokenRecord",
    "UploadRecord",
]
