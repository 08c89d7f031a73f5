"""What goes on beside a job that is done: its claim is renewed, its newest frame shown."""

from __future__ import annotations

import contextlib
import threading
from pathlib import Path
from types import TracebackType
from typing import Any

from labial.jobs import LIVE
from labial.server.media_store import MediaStore
from labial.server.patience import first_line, log
from labial.server.shares import Share, stages_of
from labial.server.store import AWAY, Claim, Said, Store

_BEAT_SECONDS = 1.0
_FRAME_SECONDS = 2.0
_SIGN_SECONDS = 15.0


class Beside:
    """A thread that does something now and then, within a ``with`` block."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._go, daemon=True)

    def __enter__(self) -> Any:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()

    def _go(self) -> None:
        while not self._over.wait(self._seconds):
            self.step()

    def step(self) -> None:
        """Do it once."""
        raise NotImplementedError


class Beats(Beside):
    """Renews a claim, and tells how far the job is.

    While the database is away the job goes on: nobody else can claim it there either, and should
    somebody have, what this one says no longer counts.

    Parameters
    ----------
    store, claim
        Where, and what.
    """

    def __init__(self, store: Store, claim: Claim) -> None:
        super().__init__(min(_BEAT_SECONDS, claim.lease_seconds / 3))
        self._store, self._claim = store, claim
        self._progress: dict[str, Any] | None = None
        self._share = Share(stages_of(claim.job.kind, claim.job.request))
        self.said: Said = "go"

    def hook(self, stage: str, done: int, total: int | None) -> None:
        """Take notice of how far the job is, as a :data:`labial.types.Hook`."""
        share = self._share.at(stage, done, total)
        self._progress = {"stage": stage, "done": done, "total": total, "share": share}

    def step(self) -> None:
        """Renew the claim."""
        if self.said == "lost":
            return
        try:
            self.said = self._store.heartbeat(self._claim, self._progress)
        except AWAY as error:
            log.warning("%s: no sign of life: %s", self._claim.job.id, first_line(error))
        except Exception:
            # Whoever cannot renew a claim must not go on as if it could.
            log.exception("%s: given up", self._claim.job.id)
            self.said = "lost"


class Signs(Beside):
    """Tells that a worker is alive, whatever it does just now.

    Parameters
    ----------
    store, worker
        Whom to tell, and its name.
    """

    def __init__(self, store: Store, worker: str) -> None:
        super().__init__(_SIGN_SECONDS)
        self._store, self._worker = store, worker

    def __enter__(self) -> Signs:
        self.step()
        super().__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        super().__exit__(kind, error, trace)
        with contextlib.suppress(*AWAY):
            self._store.left(self._worker)

    def step(self) -> None:
        """Tell it."""
        try:
            self._store.seen(self._worker)
        except AWAY as away:
            log.warning("%s: no sign of life: %s", self._worker, first_line(away))


class Frames(Beside):
    """Puts the newest frame of a job where others can see it.

    Parameters
    ----------
    media, job_id
        Where it goes: ``jobs/<id>/live.jpg``.
    folder
        The job's folder.
    """

    def __init__(self, media: MediaStore, job_id: str, folder: Path) -> None:
        super().__init__(_FRAME_SECONDS)
        self._media, self._key, self._path = media, f"jobs/{job_id}/{LIVE}", folder / LIVE
        self._shown: int | None = None

    def step(self) -> None:
        """Show it, if it is another one."""
        try:
            written = self._path.stat().st_mtime_ns
            if written != self._shown:
                self._media.put(self._key, self._path)
                self._shown = written
        except FileNotFoundError:
            pass  # none yet
        except OSError as error:
            log.warning("%s: %s", self._key, first_line(error))
