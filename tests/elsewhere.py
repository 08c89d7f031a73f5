"""A web server on this machine that stands for one elsewhere, and answers as it is told."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

Answer = Callable[[BaseHTTPRequestHandler, bytes], None]


class Elsewhere:
    """Keeps every request; ``answers`` maps a path to what answers it."""

    def __init__(self, **answers: Answer) -> None:
        self.asked: list[tuple[str, str, dict[str, str], bytes]] = []
        self.answers = {f"/{name}": answer for name, answer in answers.items()}
        elsewhere = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                told = {name.lower(): value for name, value in self.headers.items()}
                elsewhere.asked.append((self.command, self.path, told, body))
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                    elsewhere.answers.get(self.path, status(404))(self, body)

            def do_POST(self) -> None:
                self.do_GET()

            def log_message(self, *_: Any) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Elsewhere:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


def status(code: int, **headers: str) -> Answer:
    """Answer with a status and headers, ``_`` for ``-``, and no body."""

    def answer(handler: BaseHTTPRequestHandler, _: bytes) -> None:
        handler.send_response(code)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        if "Content_Length" not in headers:
            handler.send_header("Content-Length", "0")
        handler.end_headers()

    return answer


def content(data: bytes, length: int | None = -1, **headers: str) -> Answer:
    """Answer with bytes; ``length`` is what is claimed, -1 the truth, None nothing."""

    def answer(handler: BaseHTTPRequestHandler, _: bytes) -> None:
        handler.send_response(200)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        if length is not None:
            handler.send_header("Content-Length", str(len(data) if length == -1 else length))
        handler.end_headers()
        handler.wfile.write(data)

    return answer
