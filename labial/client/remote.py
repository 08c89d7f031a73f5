"""Uploads and jobs of a server, as objects."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from labial.client.talking import Talk, refuse
from labial.errors import JobError
from labial.types import Hook

_SILENCE = httpx.Timeout(60.0, connect=10.0)
_ENDED = ("done", "failed", "cancelled")


@dataclass(frozen=True)
class RemoteUpload:
    """A file that a server has.

    Parameters
    ----------
    id, name
        What the server and its owner call it.
    holds
        video, photo, speech, script, segments or boxes.
    facts
        What is known of it, such as ``seconds``.
    """

    id: str
    name: str
    holds: str | None = None
    facts: Mapping[str, Any] = field(default_factory=dict, repr=False)


class RemoteJob:
    """A job of a server.

    Parameters
    ----------
    talk
        To the server.
    told
        What it said of the job.
    """

    def __init__(self, talk: Talk, told: Mapping[str, Any]) -> None:
        self._talk = talk
        self.told: Mapping[str, Any] = told

    def __repr__(self) -> str:
        return f"RemoteJob({self.id!r}, {self.kind!r}, {self.state!r})"

    @property
    def id(self) -> str:
        """``job_...``."""
        return str(self.told["id"])

    @property
    def kind(self) -> str:
        """One of :data:`labial.jobs.KINDS`."""
        return str(self.told["kind"])

    @property
    def state(self) -> str:
        """``queued``, ``running``, ``done``, ``failed`` or ``cancelled``, as last heard."""
        return str(self.told["state"])

    @property
    def ended(self) -> bool:
        """Whether nothing more will come of it by itself."""
        return self.state in _ENDED

    @property
    def reason(self) -> str | None:
        """Why it failed."""
        return None if self.told["reason"] is None else str(self.told["reason"])

    @property
    def estimate(self) -> float | None:
        """Seconds that it was thought to take."""
        return None if self.told["estimate"] is None else float(self.told["estimate"])

    @property
    def files(self) -> dict[str, int]:
        """Name → bytes of the files that it made, such as ``output``."""
        return {each["name"]: int(each["size"]) for each in self._result()["files"]}

    @property
    def summary(self) -> str:
        """Lines about what was done."""
        return str(self._result()["summary"])

    @property
    def facts(self) -> Mapping[str, Any]:
        """What was measured and done."""
        found: Mapping[str, Any] = self._result()["facts"]
        return found

    def _result(self) -> Mapping[str, Any]:
        result: Mapping[str, Any] | None = self.told["result"]
        if result is None:
            raise JobError(f"job {self.id}: it is {self.state}: wait for it first")
        return result

    def refresh(self) -> RemoteJob:
        """Ask how far it is; return it."""
        self.told = self._talk.ask("GET", f"/v1/jobs/{self.id}").json()
        return self

    def cancel(self) -> RemoteJob:
        """Let it not be done; return it."""
        self.told = self._talk.ask("POST", f"/v1/jobs/{self.id}/cancel").json()
        return self

    def retry(self) -> RemoteJob:
        """Put it into the queue again after it failed or was cancelled; return it."""
        self.told = self._talk.ask("POST", f"/v1/jobs/{self.id}/retry").json()
        return self

    def delete(self) -> None:
        """Delete it and its files, on the server."""
        self._talk.ask("DELETE", f"/v1/jobs/{self.id}")

    def wait(self, hook: Hook | None = None) -> RemoteJob:
        """Wait until it is done; return it.

        Connections that break and servers that start anew are waited for too.

        Parameters
        ----------
        hook
            Called as ``hook(stage, done, total)`` when it got further.

        Raises
        ------
        JobError
            It failed or was cancelled, or the server cannot be reached any more.
        """
        patience, shown = self._talk.patience(), None
        while not self.ended:
            try:
                for told in self._events():
                    patience.reset()
                    self.told = told
                    progress = told["progress"]
                    step = (progress["stage"], progress["done"] or 0, progress["total"])
                    if hook is not None and step[0] is not None and step != shown:
                        hook(*step)
                        shown = step
            except httpx.TransportError as error:
                if not patience.wait():
                    raise self._talk.unreachable(error) from None
            if not self.ended:
                self.refresh()
        if self.state != "done":
            raise JobError(f"job {self.id}: {self.reason or self.state}")
        return self

    def _events(self) -> Iterator[Mapping[str, Any]]:
        """What the server tells of it until a stream ends, from what is known on."""
        headers = {"Last-Event-ID": str(self.told["version"]), "Accept": "text/event-stream"}
        path = f"/v1/jobs/{self.id}/events"
        with self._talk.http.stream("GET", path, headers=headers, timeout=_SILENCE) as stream:
            if stream.status_code >= 500 or stream.status_code == 429:
                raise httpx.RemoteProtocolError(f"status {stream.status_code}")
            if stream.status_code >= 400:
                stream.read()
                refuse(stream)
            for line in stream.iter_lines():
                if line.startswith("data: "):
                    yield json.loads(line.removeprefix("data: "))

    def download(
        self, folder: str | os.PathLike[str], names: list[str] | None = None
    ) -> dict[str, Path]:
        """Fetch the files that it made.

        Parameters
        ----------
        folder
            Where they go; made where it is missing. A file of the same name is replaced.
        names
            Only these of :attr:`files`.

        Returns
        -------
        files
            Name → file, such as ``output`` → ``output.mp4`` in the folder.
        """
        place = Path(folder)
        place.mkdir(parents=True, exist_ok=True)
        known = {each["name"]: each for each in self._result()["files"]}
        wanted = list(known) if names is None else names
        missing = sorted(set(wanted) - set(known))
        if missing:
            raise JobError(f"job {self.id} made no {', '.join(missing)}, but {', '.join(known)}")
        return {name: self._fetched(known[name], place) for name in wanted}

    def _fetched(self, file: Mapping[str, Any], folder: Path) -> Path:
        # A server's word is no path.
        name = re.sub(r"[^\w. -]", "_", str(file["filename"])).lstrip(".") or "file"
        target, beside = folder / name, folder / f".{name}.part"
        patience, mark = self._talk.patience(), None
        try:
            with beside.open("wb") as out:
                while out.tell() < file["size"] or mark is None:
                    headers = {"Accept-Encoding": "identity"}
                    if mark is not None:
                        headers |= {"Range": f"bytes={out.tell()}-", "If-Range": mark}
                    try:
                        with self._talk.http.stream("GET", file["url"], headers=headers) as part:
                            if part.status_code >= 400:
                                part.read()
                                refuse(part)
                            if part.status_code == 200:
                                out.seek(0)
                                out.truncate()
                            mark = part.headers.get("etag", "")
                            for piece in part.iter_bytes(1 << 20):
                                out.write(piece)
                                patience.reset()
                    except httpx.TransportError as error:
                        if not patience.wait():
                            raise self._talk.unreachable(error) from None
            beside.replace(target)
        finally:
            beside.unlink(missing_ok=True)
        return target
