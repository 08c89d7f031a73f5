"""A server's doors from Python: give files, ask for jobs, look at what there is."""

from __future__ import annotations

import base64
import os
import secrets
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, TypeAlias

import httpx

from labial.client.remote import RemoteJob, RemoteUpload
from labial.client.talking import Talk, refuse
from labial.errors import OptionError, ReadError
from labial.jobs import kind_of
from labial.options import AnimateOptions, CheckOptions, DubOptions, FixOptions, VisemeOptions
from labial.types import Hook

_PIECE = 4 << 20
_LONGEST_LOOK = 1.0

Given: TypeAlias = "str | os.PathLike[str] | RemoteUpload"
"""A file here, or one that the server has already."""


class Client:
    """A server.

    Parameters
    ----------
    url
        Where ``labial serve`` runs.
    token
        Of ``labial token add``; a server on this machine may need none.
    patience
        Seconds for which a server that does not answer is asked again.

    Examples
    --------
    ::

        with Client() as client:
            job = client.dub("film.mp4", "german.wav", quality="fast")
            print(job.wait().summary)
            job.download("out")
    """

    def __init__(
        self, url: str = "http://127.0.0.1:8420", token: str | None = None, patience: float = 60.0
    ) -> None:
        self._talk = Talk(url, token, patience)

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self._talk.http.close()

    def dub(
        self,
        video: Given,
        audio: Given | Mapping[str, Given] | None = None,
        options: DubOptions | None = None,
        *,
        segments: Given | None = None,
        sounds: Mapping[str, Given] | None = None,
        boxes: Given | None = None,
        hook: Hook | None = None,
        container: str | None = None,
        report: bool = False,
        webhook: Mapping[str, str] | None = None,
        keep_days: float | None = None,
        key: str | None = None,
        **overrides: Any,
    ) -> RemoteJob:
        """Ask for a dub, as :func:`labial.dub` makes it.

        Parameters
        ----------
        video, audio, segments, boxes
            Files; ``audio`` may be several by language.
        sounds
            By the names that segments give them.
        options, overrides
            Those of :class:`labial.options.DubOptions` that a server lets be set.
        hook
            Called as ``hook("upload", done, total)`` in bytes.
        container, report, webhook, keep_days, key
            See :meth:`submit`.
        """
        inputs: dict[str, Given | None] = {"video": video, "segments": segments, "boxes": boxes}
        if isinstance(audio, Mapping):
            inputs |= {f"audio.{name}": one for name, one in audio.items()}
        else:
            inputs["audio"] = audio
        inputs |= {f"sound.{name}": one for name, one in (sounds or {}).items()}
        more: dict[str, Any] = {"webhook": webhook, "keep_days": keep_days, "key": key}
        more |= {"hook": hook, "container": container, "report": report}
        return self.submit("dub", inputs, options, **more, **overrides)

    def animate(
        self,
        photo: Given,
        audio: Given | None = None,
        options: AnimateOptions | None = None,
        **more: Any,
    ) -> RemoteJob:
        """Ask for a photo to speak, as :func:`labial.animate` lets it; see :meth:`submit`."""
        return self.submit("animate", {"photo": photo, "audio": audio}, options, **more)

    def check(self, video: Given, options: CheckOptions | None = None, **more: Any) -> RemoteJob:
        """Ask how late a video's sound is; see :meth:`submit`."""
        return self.submit("check", {"video": video}, options, **more)

    def fix(self, video: Given, options: FixOptions | None = None, **more: Any) -> RemoteJob:
        """Ask for a video's sound to be brought to its mouths; see :meth:`submit`."""
        return self.submit("fix", {"video": video}, options, **more)

    def visemes(
        self, speech: Given, options: VisemeOptions | None = None, **more: Any
    ) -> RemoteJob:
        """Ask for the phones and visemes of speech; see :meth:`submit`."""
        return self.submit("visemes", {"audio": speech}, options, **more)

    def look(self, media: Given, **more: Any) -> RemoteJob:
        """Ask what is seen and heard in a file; see :meth:`submit`."""
        return self.submit("look", {"media": media}, None, **more)

    def submit(
        self,
        kind: str,
        inputs: Mapping[str, Given | None],
        options: Any = None,
        *,
        hook: Hook | None = None,
        container: str | None = None,
        report: bool = False,
        webhook: Mapping[str, str] | None = None,
        keep_days: float | None = None,
        key: str | None = None,
        **overrides: Any,
    ) -> RemoteJob:
        """Ask for a job of any kind.

        Parameters
        ----------
        kind
            One of :data:`labial.jobs.KINDS`.
        inputs
            Role → file; what is None is left out. Files that are here are uploaded first.
        options, overrides
            The kind's options, and some of them instead.
        hook
            Called as ``hook("upload", done, total)`` in bytes.
        container
            Format of a video that is made.
        report
            Of a dub: also a page about it.
        webhook
            ``url`` and ``secret`` of what is called when it has ended.
        keep_days
            After which the server deletes it.
        key
            Whoever comes again with the same key gets the same job.

        Raises
        ------
        OptionError, JobError
            It cannot be done so; told before anything is uploaded where that is known here.
        """
        body = self._asked(kind, options, overrides)
        body |= {"container": container, "keep_days": keep_days}
        body |= {"webhook": None if webhook is None else dict(webhook), "report": report}
        body["inputs"] = self._given(inputs, hook)
        headers = {"Idempotency-Key": key or secrets.token_hex(16)}
        return RemoteJob(
            self._talk, self._talk.ask("POST", "/v1/jobs", json=body, headers=headers).json()
        )

    def estimate(
        self, kind: str, inputs: Mapping[str, Given | None], options: Any = None, **overrides: Any
    ) -> tuple[float | None, float]:
        """Return the seconds that a job would take, None if unknown, and until it would begin."""
        body = self._asked(kind, options, overrides) | {"inputs": self._given(inputs, None)}
        found = self._talk.ask("POST", "/v1/estimates", json=body).json()
        return found["seconds"], float(found["wait"])

    @staticmethod
    def _asked(kind: str, options: Any, overrides: Mapping[str, Any]) -> dict[str, Any]:
        """Kind and options of a body, checked as far as they can be here."""
        known = kind_of(kind)
        given = {} if options is None else known.changed(options)
        given |= {k: list(v) if isinstance(v, tuple) else v for k, v in overrides.items()}
        elsewhere = {name: value for name, value in given.items() if name in known.managed}
        if elsewhere:
            raise OptionError(f"{', '.join(elsewhere)}: leave it out, the server decides that")
        with_segments = {"segments": "segments"} if "cast" in given else {}
        known.made(given, **with_segments)
        return {"kind": kind, "options": given}

    def _given(self, inputs: Mapping[str, Given | None], hook: Hook | None) -> dict[str, str]:
        sent: dict[str, str] = {}
        found = {}
        for role, one in inputs.items():
            if one is None:
                continue
            if isinstance(one, RemoteUpload):
                found[role] = one.id
                continue
            name = os.fspath(one)
            if name not in sent:
                sent[name] = self.upload(name, hook).id
            found[role] = sent[name]
        return found

    def upload(
        self,
        path: str | os.PathLike[str],
        hook: Hook | None = None,
        *,
        go_on: str | None = None,
    ) -> RemoteUpload:
        """Give a file to the server; over connections that break it goes on where it stopped.

        Parameters
        ----------
        path
            The file.
        hook
            Called as ``hook("upload", done, total)`` in bytes.
        go_on
            Id of an upload of the same file that an earlier run began.

        Raises
        ------
        ReadError
            It cannot be read, or the server has no use for it.
        """
        file = Path(path)
        try:
            size = file.stat().st_size
        except OSError as error:
            raise ReadError(f"{file.name}: {error.strerror}") from None
        if size == 0:
            raise ReadError(f"{file.name}: the file is empty")
        upload_id = go_on or self._begun(file.name, size)
        self._sent(file, size, f"/v1/uploads/{upload_id}", hook)
        return self._looked_at(upload_id)

    def _begun(self, name: str, size: int) -> str:
        metadata = f"filename {base64.b64encode(name.encode()).decode()}"
        headers = {"Upload-Length": str(size), "Upload-Metadata": metadata}
        return str(self._talk.ask("POST", "/v1/uploads", headers=headers).json()["id"])

    def _sent(self, file: Path, size: int, where: str, hook: Hook | None) -> None:
        patience = self._talk.patience()
        offset = self._here(where)
        with file.open("rb") as content:
            while offset < size:
                content.seek(offset)
                headers = {
                    "Upload-Offset": str(offset),
                    "Content-Type": "application/offset+octet-stream",
                }
                piece = content.read(_PIECE)
                try:
                    answer = self._talk.http.patch(where, content=piece, headers=headers)
                except httpx.TransportError as error:
                    if not patience.wait():
                        raise self._talk.unreachable(error) from None
                    offset = self._here(where)
                    continue
                if answer.status_code in (408, 409, 429, 503) and patience.wait():
                    offset = self._here(where)
                    continue
                if answer.status_code != 204:
                    refuse(answer)
                offset = int(answer.headers["Upload-Offset"])
                patience.reset()
                if hook is not None:
                    hook("upload", offset, size)

    def _here(self, where: str) -> int:
        """How many bytes of an upload the server has."""
        answer = self._talk.ask("HEAD", where, fits=lambda status: status == 200)
        return int(answer.headers["Upload-Offset"])

    def _looked_at(self, upload_id: str) -> RemoteUpload:
        wait = 0.05
        while True:
            told = self._talk.ask("GET", f"/v1/uploads/{upload_id}").json()
            if told["state"] == "refused":
                raise ReadError(told["reason"])
            if told["state"] == "ready":
                return _upload(told)
            time.sleep(wait)
            wait = min(1.5 * wait, _LONGEST_LOOK)

    def job(self, job_id: str) -> RemoteJob:
        """Return a job by its id."""
        return RemoteJob(self._talk, self._talk.ask("GET", f"/v1/jobs/{job_id}").json())

    def jobs(self, kind: str | None = None, state: str | None = None) -> Iterator[RemoteJob]:
        """Yield jobs, the last first."""
        for told in self._pages("/v1/jobs", {"kind": kind, "state": state}):
            yield RemoteJob(self._talk, told)

    def uploads(self) -> Iterator[RemoteUpload]:
        """Yield uploads, the last first."""
        for told in self._pages("/v1/uploads", {}):
            yield _upload(told)

    def delete_upload(self, upload: RemoteUpload | str) -> None:
        """Delete an upload, unless a job needs it."""
        upload_id = upload if isinstance(upload, str) else upload.id
        self._talk.ask("DELETE", f"/v1/uploads/{upload_id}")

    def me(self) -> dict[str, Any]:
        """Return who asks, and what they may do."""
        found: dict[str, Any] = self._talk.ask("GET", "/v1/me").json()
        return found

    def _pages(self, path: str, params: dict[str, Any]) -> Iterator[dict[str, Any]]:
        wanted = {name: value for name, value in params.items() if value is not None}
        while True:
            page = self._talk.ask("GET", path, params=wanted).json()
            yield from page["items"]
            if page["next"] is None:
                return
            wanted["cursor"] = page["next"]


def _upload(told: Mapping[str, Any]) -> RemoteUpload:
    return RemoteUpload(told["id"], told["name"], told["holds"], told["facts"])
