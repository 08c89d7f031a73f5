"""The machine on which jobs are asked for, as the rest of the cluster sees it."""

from __future__ import annotations

import contextlib
import secrets
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from labial import seen
from labial.cluster.depot import Depot
from labial.errors import JobError

# Calls that the depot answers at a time.
_AT_A_TIME = 16


@dataclass(frozen=True)
class Visit:
    """One job on the cluster: what its tasks must know to find their way home.

    Parameters
    ----------
    name
        Of the job, for the depot.
    node
        The machine that has the files.
    version
        Of the code; another one would make other pictures.
    depot
        The actor there.
    threads
        How many threads numerical libraries may take, as told by the environment at home.
    """

    name: str
    node: str
    version: str
    depot: Any
    threads: str | None


class Home:
    """This machine, and the actor that is there for the others.

    Parameters
    ----------
    threads
        As of :class:`Visit`.
    """

    def __init__(self, threads: str | None) -> None:
        self._threads = threads
        self.node: str = ray.get_runtime_context().get_node_id()
        self._depot: Any = None
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def visit(self, files: Mapping[str, Path], folder: Path, out: Path) -> Iterator[Visit]:
        """Let others come for a job's files, and bring what they make."""
        with self._lock:
            if self._depot is None:
                actor = ray.remote(Depot).options(
                    num_cpus=0, max_concurrency=_AT_A_TIME, scheduling_strategy=self.here
                )
                self._depot = actor.remote()
        name, depot = secrets.token_hex(8), self._depot
        call(depot.open, name, files, folder, out)
        try:
            yield Visit(name, self.node, seen.version(), depot, self._threads)
        finally:
            with contextlib.suppress(JobError):
                call(depot.close, name)

    @property
    def here(self) -> NodeAffinitySchedulingStrategy:
        """What makes a task, or an actor, come to this machine."""
        return NodeAffinitySchedulingStrategy(self.node, soft=False)

    def close(self) -> None:
        """Send the actor away."""
        depot, self._depot = self._depot, None
        if depot is not None:
            with contextlib.suppress(ray.exceptions.RayError):
                ray.kill(depot)


def call(method: Any, *given: Any) -> Any:
    """Return what an actor's method answers.

    Raises
    ------
    JobError
        The actor is gone.
    """
    try:
        return ray.get(method.remote(*given))
    except ray.exceptions.RayTaskError:
        raise
    except ray.exceptions.RayError as error:
        reason = first_line(error)
        raise JobError(f"the machine with the files is gone: {reason}", again=True) from None


def first_line(error: Exception) -> str:
    """Return what is wrong, without the pages that Ray adds."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
