"""Room: client. Jobs of a server from Python: the same options, done elsewhere."""

try:
    import httpx as _httpx  # noqa: F401
except ImportError:
    raise ImportError("labial.client needs httpx: pip install 'labial[client]'") from None

from labial.client.client import Client
from labial.client.remote import RemoteJob, RemoteUpload
from labial.client.signing import sign_delivery, verify_delivery

__all__ = ["Client", "RemoteJob", "RemoteUpload", "sign_delivery", "verify_delivery"]
