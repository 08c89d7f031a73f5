"""Is every job done exactly once, and rightly, whoever is killed meanwhile?

::

    python benchmarks/kills.py [--database URL | postgres] [--jobs 200] [--long 4] [--workers 3]
                               [--kills 10] [--server-kills 3] [--outages 0] [--seed 0]

A mixture of real jobs on tiny clips is done by the workers of a server, each in a process of its
own as always. Each worker is killed with signal 9 ``--kills`` times, at random moments, and the
server too; its workers then leave by themselves. Of two more jobs one has its own process killed
each time, the other its worker. ``postgres`` starts a server of PostgreSQL for the run, which can
crash and come back (``--outages``). Outputs are compared, byte by byte, with those of the same
jobs done by one worker in peace. Linux only.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from typing import Any

import postgres
from ground import OWNERS, Ground, prepared

from labial.server.crew import Crew
from labial.server.retention import sweep
from labial.server.worker import WorkSettings

POISON_ATTEMPTS = 3


class Served:
    """A server process with its crew, which can be killed and started again."""

    def __init__(self, settings: WorkSettings, workers: int, pids: Path) -> None:
        self._given = json.dumps([settings.to_json(), workers, str(pids)])
        self._pids = pids
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        self._pids.unlink(missing_ok=True)
        with self._pids.with_name("log.txt").open("a") as log:
            self._process = subprocess.Popen(
                [sys.executable, __file__, "--serve"],
                stdin=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        assert self._process.stdin is not None
        self._process.stdin.write(self._given + "\n")
        self._process.stdin.flush()

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self.stop()

    def stop(self) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.wait()

    def worker(self, place: int) -> int | None:
        """The process at a place."""
        try:
            pid: int | None = json.loads(self._pids.read_text())[place]
        except (FileNotFoundError, ValueError):
            return None
        return pid


def serve() -> None:
    """Be the server process."""
    settings, workers, pids = json.loads(sys.stdin.readline())
    over = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), over.set()), daemon=True).start()
    with Crew(WorkSettings(**json.loads(settings)), workers) as crew:
        while not over.wait(0.02):
            beside = Path(pids + ".beside")
            beside.write_text(json.dumps(crew.pids()))
            beside.replace(pids)


class Poison(threading.Thread):
    """Kills the process of a job, or its worker, as soon as there is one."""

    def __init__(self, job_id: str, worker: bool) -> None:
        super().__init__(daemon=True)
        self._job, self._worker, self.kills = job_id, worker, 0

    def run(self) -> None:
        while True:
            for pid, parent in processes(["labial.jobs.child", self._job]):
                # Of one whose worker has just died, the parent is somebody else.
                if not self._worker or "labial.server.worker" in command_of(parent):
                    with suppress(ProcessLookupError):
                        os.kill(parent if self._worker else pid, signal.SIGKILL)
                        self.kills += 1
                        time.sleep(0.3)
            time.sleep(0.1)


def command_of(pid: int) -> str:
    """The command line of a process; empty where it is gone."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
    return ""


def processes(words: list[str]) -> list[tuple[int, int]]:
    """Processes, with their parents, in whose command line all the words are."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, IndexError, ValueError):
            command = command_of(int(folder.name))
            if all(word in command for word in words):
                stat = (folder / "stat").read_text().rpartition(")")[2].split()
                if stat[0] != "Z":
                    found.append((int(folder.name), int(stat[1])))
    return found


def trial(
    ground: Ground,
    *,
    jobs: int,
    workers: int,
    kills: int,
    server_kills: int,
    late_seconds: float = 1.0,
    poison_attempts: int = POISON_ATTEMPTS,
    rare: dict[str, int] | None = None,
    outage: Any = None,
    outages: int = 0,
    seed: int = 0,
) -> dict[str, Any]:
    """Have jobs done, kill whoever does them, and return the figures.

    Parameters
    ----------
    ground
        With its wanted digests.
    jobs, workers, kills, server_kills, outages
        How many; ``kills`` of each worker.
    late_seconds
        Kills are spread over the run by how many jobs are done; each comes up to this much later.
    poison_attempts
        At the jobs whose processes are killed each time.
    rare
        Name → how often, of jobs that are not as frequent as the others.
    outage
        Called to take the database away and bring it back.
    """
    dice = random.Random(seed)
    rare = rare or {}
    usual = [name for name in ground.requests if name not in rare]
    names = [name for name, count in rare.items() for _ in range(count)]
    names += [usual[n % len(usual)] for n in range(jobs - len(names))]
    dice.shuffle(names)
    began = time.monotonic()
    asked = {ground.submit(n, OWNERS[i % len(OWNERS)]): n for i, n in enumerate(names)}
    poisoned = [ground.submit(usual[0], owner, poison_attempts) for owner in OWNERS[:2]]
    poisons = [Poison(job, worker=n == 1) for n, job in enumerate(poisoned)]
    served = Served(ground.settings, workers, Path(ground.settings.folder).parent / "pids.json")
    served.start()
    for poison in poisons:
        poison.start()
    plan = [n for n in range(workers) for _ in range(kills)]
    plan += [-1] * server_kills + [-2] * outages
    dice.shuffle(plan)
    for index, victim in enumerate(plan):
        while ground.store.count_active() > len(asked) * (1 - index / len(plan)):
            time.sleep(0.05)
        time.sleep(dice.uniform(0, late_seconds))
        if victim == -1:
            served.kill()
            served.start()
        elif victim == -2:
            outage()
        else:
            while True:
                pid = served.worker(victim)
                try:
                    if pid is not None:
                        os.kill(pid, signal.SIGKILL)
                        break
                except ProcessLookupError:
                    pass
                time.sleep(0.05)
    after_kills = ground.store.count_active()
    while ground.store.count_active():
        time.sleep(0.1)
    seconds = time.monotonic() - began
    served.stop()
    left = ground.left()
    sweep(ground.store, ground.media, Path(ground.settings.folder))
    return _figures(ground, asked, poisoned) | {
        "kills": kills * workers + server_kills,
        "killed by poison": sum(poison.kills for poison in poisons),
        "outages": outages,
        "jobs left after the last kill": after_kills,
        "seconds": round(seconds, 1),
        "left behind before the sweep": len(left),
        "left behind": len(ground.left())
        + len(processes(["labial.jobs.child", ground.settings.folder])),
    }


def _figures(ground: Ground, asked: dict[str, str], poisoned: list[str]) -> dict[str, Any]:
    ended = Counter(
        delivery.job
        for delivery in ground.store.deliveries_due(limit=1_000_000)
        if delivery.event != "job.queued"
    )
    records = {job: ground.store.job(job) for job in asked}
    different = [job for job, name in asked.items() if ground.digests(job) != ground.wanted[name]]
    return {
        "jobs": len(asked),
        "done": sum(record.state == "done" for record in records.values()),
        "attempts": sum(record.attempts for record in records.values()),
        "ended otherwise than once": sum(ended[job] != 1 for job in [*asked, *poisoned]),
        "different": len(different),
        "poisoned": [
            (job.state, job.attempts, job.reason) for job in map(ground.store.job, poisoned)
        ],
    }


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--database", help="a URL, or postgres; default: SQLite")
    parser.add_argument("--jobs", type=int, default=200)
    parser.add_argument("--long", type=int, default=4, help="of them, of several pieces")
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--kills", type=int, default=10, help="of each worker")
    parser.add_argument("--server-kills", type=int, default=3)
    parser.add_argument("--outages", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        serve()
        return 0
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="labial-kills-")))
        database, outage = given.database or f"sqlite:///{folder}/labial.sqlite", None
        if database == "postgres":
            server = stack.enter_context(postgres.Server())
            database = server.create("labial")

            def outage() -> None:
                server.stop()
                time.sleep(3)
                server.start()

        ground = prepared(folder, database, long=given.long > 0)
        stack.enter_context(closing(ground.store))
        each = ground.learn()
        print(f"in peace {each:.2f} s a job; {len(ground.requests)} jobs that differ", flush=True)
        figures = trial(
            ground,
            jobs=given.jobs,
            workers=given.workers,
            kills=given.kills,
            server_kills=given.server_kills,
            rare={"dub long": given.long} if given.long else {},
            outage=outage,
            outages=given.outages,
            seed=given.seed,
        )
    for name, value in figures.items():
        print(f"{name:32}{value}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
