"""The store of the server: uploads, jobs, tokens and what is to be told, in one database."""

from labial.server.store.records import (
    Claim,
    Conflict,
    Delivery,
    Expired,
    JobRecord,
    NotFound,
    StoreError,
    TokenRecord,
    UploadRecord,
)
from labial.server.store.store import Store

__all__ = [
    "Claim",
    "Conflict",
    "Delivery",
    "Expired",
    "JobRecord",
    "NotFound",
    "Store",
    "StoreError",
    "TokenRecord",
    "UploadRecord",
]
