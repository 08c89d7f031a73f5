"""Room: client. Jobs of a server from Python: the same options, done elsewhere."""

from labial.client.client import Client
from labial.client.remote import RemoteJob, RemoteUpload

__all__ = ["Client", "RemoteJob", "RemoteUpload"]
