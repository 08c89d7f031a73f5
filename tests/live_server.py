"""``labial serve`` as a process of its own, less patient than usual, for tests that attack it.

Run as a program it takes the arguments of ``labial serve``. Names under ``.example`` mean what
:data:`NAMES` says, in order, so that no name is asked for in the network.
"""

from __future__ import annotations

import contextlib
import functools
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx

NAMES = {
    "near.example": [["127.0.0.1"]],
    "rebinding.example": [["127.0.0.1"], ["127.0.0.2"]],
    "private.example": [["10.0.0.1"]],
    "metadata.example": [["169.254.169.254"]],
    "mixed.example": [["93.184.216.34", "127.0.0.1"]],
    "six.example": [["::ffff:127.0.0.1"]],
}
PATIENCE = 1.5
"""Seconds for headers, and for any part of a body or an answer."""
_HERE = Path(__file__).parent


class Live:
    """A server that runs, and what it has said."""

    def __init__(self, process: subprocess.Popen[bytes], url: str, data: Path, log: Path) -> None:
        self.process, self.url, self.data, self._log = process, url, data, log
        self.port = int(url.rstrip("/").rpartition(":")[2])
        self.http = httpx.Client(base_url=url, timeout=60, trust_env=False)

    @property
    def said(self) -> str:
        """Its log."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def expect_alive(self) -> None:
        """It answers, and did not fall on its nose meanwhile."""
        assert self.process.poll() is None, self.said[-2000:]
        assert httpx.get(f"{self.url}healthz", trust_env=False).status_code == 200
        assert "Traceback" not in self.said, self.said[-4000:]


@contextlib.contextmanager
def living(folder: Path, *arguments: str) -> Iterator[Live]:
    """Serve from ``folder / "data"`` until the end of the block."""
    data, log = folder / "data", folder / "log.txt"
    with log.open("wb") as said:
        process = subprocess.Popen(
            [sys.executable, __file__, "--port", "0", "--data", str(data), *arguments],
            stdout=subprocess.PIPE,
            stderr=said,
            cwd=folder,
            env=os.environ | {"PYTHONUNBUFFERED": "1", "PYTHONPATH": _path()},
        )
    assert process.stdout is not None
    reader = threading.Thread(target=process.stdout.read, daemon=True)
    try:
        line = process.stdout.readline().decode()
        match = re.search(r"http://\S+", line)
        assert match, log.read_text()
        # What it says later is nobody's, but must not fill the pipe.
        reader.start()
        live = Live(process, match[0], data, log)
        with live.http:
            yield live
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if reader.is_alive():
            reader.join(5)
        process.stdout.close()


def _path() -> str:
    return os.pathsep.join([str(_HERE.parent), os.environ.get("PYTHONPATH", "")])


def _served(arguments: Sequence[str]) -> None:
    from labial.cli import main
    from labial.server import app, serving

    asked: dict[str, int] = {}
    resolve = socket.getaddrinfo

    def told(host: Any, port: Any, *more: Any, **named: Any) -> Any:
        if not str(host).endswith(".example"):
            return resolve(host, port, *more, **named)
        asked[host] = asked.get(host, 0) + 1
        answers = NAMES[host]
        found = answers[min(asked[host], len(answers)) - 1]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in found]

    socket.getaddrinfo = told
    slow = functools.partial(
        app.shielded, idle=PATIENCE, grace=PATIENCE, rate=20_000.0, per_minute=100_000
    )
    app.shielded = slow  # type: ignore[assignment]
    careful = serving.careful
    serving.careful = functools.partial(  # type: ignore[assignment]
        careful, header_seconds=PATIENCE, taking_seconds=PATIENCE
    )
    sys.argv = ["labial", "serve", *arguments]
    sys.exit(main())


def until(what: object, seconds: float = 20.0) -> None:
    """Wait until ``what()`` is true."""
    ends = time.monotonic() + seconds
    while not what():  # type: ignore[operator]
        assert time.monotonic() < ends
        time.sleep(0.05)


if __name__ == "__main__":
    _served(sys.argv[1:])
