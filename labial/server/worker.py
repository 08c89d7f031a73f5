"""A worker: claims jobs and does them, one after the other, until it is told to leave.

It may be killed at any moment: its lease ends, and another one claims the job. As a process of its
own, ``python -m labial.server.worker``, it reads :class:`WorkSettings` as one line of JSON from its
standard input, and leaves when that ends, for then whoever started it is gone.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import socket
import sys
import threading
from dataclasses import asdict, dataclass
from pathlib import Path

from labial.cluster import runner_of
from labial.errors import LabialError
from labial.jobs import Limits, Runner, run_apart, when_parent_ends
from labial.options import LogFormat, ServeEngine, ServeOptions
from labial.server.attempt import Bench, attempt
from labial.server.beats import Signs
from labial.server.logs import about, logged
from labial.server.media_store import open_store
from labial.server.patience import log, patiently
from labial.server.store import AWAY, Store


@dataclass(frozen=True)
class WorkSettings:
    """What a worker has to know, as data.

    Parameters
    ----------
    database, store
        URLs of :meth:`Store.open` and :func:`open_store`.
    folder
        Where it works, on this machine's disk.
    seconds, memory, file, threads
        What one job may take, see :class:`labial.jobs.Limits`.
    lease_seconds
        After which a worker that gave no sign of life has lost its job.
    idle_seconds
        Between two looks into an empty queue.
    engine, address
        Where jobs are done: ``local``, or ``ray`` and its cluster.
    logs
        How lines of the log are written.
    """

    database: str
    store: str
    folder: str
    seconds: float | None = None
    memory: int | None = None
    file: int | None = None
    threads: int = 0
    lease_seconds: float = 30.0
    idle_seconds: float = 0.5
    engine: ServeEngine = "local"
    address: str | None = None
    logs: LogFormat = "text"

    @classmethod
    def of(cls, options: ServeOptions) -> WorkSettings:
        """Return what the workers of a server have to know; its places must be filled in."""
        if options.data is None or options.database is None or options.store is None:
            raise ValueError("data, database and store must be given")
        memory = options.memory_gb
        return cls(
            options.database,
            options.store,
            str(Path(options.data) / "work"),
            seconds=options.max_hours * 3600,
            memory=None if memory is None else int(memory * 1e9),
            threads=max(1, (os.cpu_count() or 1) // max(1, options.workers)),
            engine=options.engine,
            address=options.address,
            logs=options.logs,
        )

    @property
    def limits(self) -> Limits:
        """What one job may take, and reach: it is a stranger's."""
        # Where nothing may be fetched, no job needs a network.
        offline = os.environ.get("LABIAL_OFFLINE", "") not in ("", "0")
        return Limits(self.seconds, self.memory, self.file, self.threads, True, offline)

    def to_json(self) -> str:
        """Return it as one line."""
        return json.dumps(asdict(self))


def work(
    settings: WorkSettings, leaving: threading.Event, runner: Runner = run_apart, name: str = ""
) -> int:
    """Do jobs until ``leaving`` is set; one that is in hand then is given back.

    Returns
    -------
    done
        How many attempts were made.
    """
    name = name or f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"
    made, stop = 0, leaving.is_set
    with contextlib.closing(Store.open(settings.database)) as store, Signs(store, name):
        bench = Bench(
            store, open_store(settings.store), Path(settings.folder), runner, settings.limits, stop
        )
        bench.folder.mkdir(parents=True, exist_ok=True)
        while not stop():
            try:
                claim = patiently(lambda: store.claim(name, settings.lease_seconds), stop)
            except AWAY:
                break  # told to leave meanwhile
            if claim is None:
                leaving.wait(settings.idle_seconds)
                continue
            with about(job=claim.job.id, worker=name):
                log.info("%s: attempt %d by %s", claim.job.id, claim.job.attempts, name)
                attempt(claim, bench)
                log.info("%s: attempt %d ended", claim.job.id, claim.job.attempts)
            made += 1
    return made


def main() -> int:
    """Be a worker process."""
    leaving = threading.Event()
    # An interrupt from the keyboard reaches all of a terminal's processes: the server decides.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda number, frame: _set_apart(leaving))
    settings = WorkSettings(**json.loads(sys.stdin.readline()))

    when_parent_ends(leaving.set)
    with logged(settings.logs):
        try:
            with runner_of(settings.engine, settings.address) as runner:
                work(settings, leaving, runner)
        except LabialError as error:
            log.error("%s", error)
            return 2
    return 0


def _set_apart(event: threading.Event) -> None:
    """Set an event out of a signal's handler, which may have interrupted whoever waits for it."""
    threading.Thread(target=event.set, daemon=True).start()


if __name__ == "__main__":
    sys.exit(main())
