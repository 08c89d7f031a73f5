"""Room: client. Jobs of a server from Python: the same options, done elsewhere."""

from labial.client.client import Client
from labial.client.remote import RemoteJob, RemoteUpload
from labial.client.signing import sign_delivery, verify_delivery

__all__ = ["Client", "RemoteJob", "RemoteUpload", "sign_delivery", "verify_delivery"]
