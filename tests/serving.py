"""A server of this process, at a port of its own, whose files are what their first bytes say."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import uvicorn

from labial.errors import LabialError
from labial.options import ServeOptions
from labial.server.app import create_app
from labial.server.connections import careful
from labial.server.intake import Found
from labial.server.services import Services, open_services
from labial.server.serving import QuickServer


def examined(path: Path, name: str) -> Found:
    """``video 12`` is a video of 12 seconds; ``bad`` is nothing."""
    with path.open("rb") as file:
        kind, _, seconds = file.read(40).split(b"\n")[0].decode("ascii", "replace").partition(" ")
    tails = {"video": ".mp4", "photo": ".png", "speech": ".wav", "script": ".srt"}
    tails |= {"segments": ".json", "boxes": ".json"}
    if kind not in tails:
        raise LabialError(f"{name}: it is no video, photo, speech or script")
    return Found(kind, tails[kind], {"seconds": float(seconds)} if seconds else {})


def fetched(url: str, path: Path, most: int) -> None:
    """``https://example.org/video`` holds that."""
    if "private" in url:
        raise LabialError("this address is not for everybody")
    path.write_bytes(url.rpartition("/")[2].encode())


class Studio:
    """The server, and a client of it."""

    def __init__(self, services: Services, url: str) -> None:
        self.services, self.url, self.store = services, url, services.store
        self.http = httpx.Client(base_url=url, timeout=60)

    def upload(self, content: bytes = b"video 3", name: str = "clip.mp4", **more: Any) -> str:
        """The id of an upload that is ready."""
        answer = self.http.put("/v1/uploads", params={"name": name}, content=content, **more)
        assert answer.json()["state"] == "ready", answer.text
        return str(answer.json()["id"])

    def submit(self, **more: Any) -> dict[str, Any]:
        """A job in the queue."""
        body = {"kind": "check", "inputs": {"video": self.upload()}} | more
        answer = self.http.post("/v1/jobs", json=body)
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def work(self, files: dict[str, bytes], share: float | None = None) -> str:
        """Do the next job as a worker would: it made these files; the job's id."""
        claim = self.store.claim("worker", 60)
        assert claim is not None
        job = claim.job
        if share is not None:
            self.store.heartbeat(claim, {"stage": "render", "done": 1, "total": 2, "share": share})
        kept = {}
        for name, content in files.items():
            key = f"jobs/{job.id}/{job.attempts}/{name}"
            path = self.services.staging.parent / name
            path.write_bytes(content)
            size = self.services.media.put(key, path)
            types = {"html": "text/html; charset=utf-8", "mp4": "video/mp4"}
            kind = types.get(name.rpartition(".")[2], "application/octet-stream")
            kept[name.partition(".")[0]] = {"key": key, "size": size, "type": kind}
        self.store.finish(claim, {"files": kept, "summary": "done", "facts": {"frames": 3}})
        return job.id


@contextlib.contextmanager
def running(folder: Path, port: int = 0, **options: Any) -> Iterator[Studio]:
    """Serve from a folder until the end of the block."""
    services = open_services(ServeOptions(data=str(folder), **options))
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    app = create_app(services, examined, fetched)
    config = uvicorn.Config(
        app,
        # A busy machine may leave a connection idle for long.
        http=careful(header_seconds=120),
        timeout_keep_alive=120,
        lifespan="on",
        log_config=None,
        timeout_graceful_shutdown=1,
    )
    started = threading.Event()
    server = QuickServer(config, app, started.set)
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    try:
        assert started.wait(60)
        studio = Studio(services, f"http://127.0.0.1:{listener.getsockname()[1]}")
        with studio.http:
            yield studio
    finally:
        server.should_exit = True
        thread.join(60)
        listener.close()
        services.close()
