"""A cluster of machines, named or started here."""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import shutil
import signal
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from labial.errors import OptionError
from labial.jobs import Job, Limits, Result
from labial.types import Hook

# Bytes of shared memory of a cluster that is started here: blocks of files pass through it.
_STORE_BYTES = 256 << 20
_ANSWER_SECONDS = 10.0
_QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",
    "RAY_ENABLE_RECORD_ACTOR_TASK_LOGGING": "0",
}


class Cluster:
    """A cluster that is open; :func:`open_cluster` makes one.

    Attributes
    ----------
    address : str
        By which other processes of this machine can open the same cluster.
    """

    def __init__(self, address: str, threads: str | None) -> None:
        from labial.cluster.home import Home

        self.address = address
        self._home = Home(threads)

    def run(
        self,
        job: Job,
        folder: str | os.PathLike[str],
        limits: Limits | None = None,
        hook: Hook | None = None,
        stop: Callable[[], bool] | None = None,
    ) -> Result:
        """Do a job as :func:`labial.jobs.run_apart` does, on the cluster.

        A long dub is made in parts, by as many processes as there are processors to be had;
        any other job is one task. The result is the same, to the last bit. What a machine or a
        process that is lost had begun is done again elsewhere.

        Parameters
        ----------
        job, folder, hook, stop
            As for :func:`labial.jobs.run_apart`; the files lie on this machine.
        limits
            ``seconds`` count from the first task's start. Memory and size of files are each
            process's own. ``threads`` is how many processors a task takes that is not a part; 0
            is two.

        Raises
        ------
        Stopped, JobError, LabialError
            As :func:`labial.jobs.run_apart`.
        """
        from labial.cluster.running import run

        return run(self._home, job, Path(folder), limits or Limits(), hook, stop)

    def close(self) -> None:
        """Let go of what it keeps for this process."""
        self._home.close()


@contextlib.contextmanager
def open_cluster(address: str | None = None, cpus: int | None = None) -> Iterator[Cluster]:
    """Open a cluster, or start one on this machine that ends with the context.

    Parameters
    ----------
    address
        ``HOST:PORT`` of a Ray cluster that this machine belongs to, or ``auto`` for the one that
        runs on it. None starts one.
    cpus
        Processors that one started here has, in name: it works on so many tasks at a time.
        Default: as many as there are.

    Raises
    ------
    OptionError
        Ray is not installed, or no such cluster answers.
    """
    if address is not None and "://" in address:
        raise OptionError(
            f"--address {address}: name a cluster that this machine belongs to, as HOST:PORT"
        )
    for name, value in (_QUIET | (_guarded() if address is None else {})).items():
        os.environ.setdefault(name, value)
    try:
        import ray
    except ImportError:
        raise OptionError("--engine ray needs Ray: pip install 'labial[ray]'") from None
    if address is not None:
        _expect_answer(address)
    if ray.is_initialized():
        raise OptionError("this process has opened a Ray cluster already: close it first")
    threads = os.environ.get("OMP_NUM_THREADS")
    with contextlib.ExitStack() as stack:
        given: dict[str, Any] = {"address": address}
        if address is None:
            # Ray's own choice may be too long a name for a socket, and is never removed.
            folder = tempfile.mkdtemp(prefix="labial-ray-", dir=_short_folder())
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
            _read_environment()
            given = {
                "address": "local",
                "num_cpus": cpus or os.cpu_count() or 1,
                "object_store_memory": _STORE_BYTES,
                "include_dashboard": False,
                "_temp_dir": folder,
            }
        stack.callback(ray.shutdown)
        try:
            with _own_signals():
                ray.init(**given, log_to_driver=False, logging_level=logging.ERROR)
        except (ConnectionError, RuntimeError, ValueError) as error:
            if address is None:
                raise
            reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise OptionError(
                f"--address {address}: no Ray cluster is to be had there ({reason}); on this "
                "machine, ray start --address=HOST:PORT joins it to one"
            ) from None
        cluster = Cluster(ray.get_runtime_context().gcs_address, threads)
        stack.callback(cluster.close)
        yield cluster


def _expect_answer(address: str) -> None:
    """Raise OptionError where nobody listens: Ray itself would wait for minutes."""
    if address == "auto":
        return
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), _ANSWER_SECONDS).close()
    except ValueError:
        raise OptionError(f"--address {address}: use HOST:PORT, or auto") from None
    except OSError as error:
        raise OptionError(
            f"--address {address}: nobody answers there ({error.strerror or error}); ray start "
            "--head starts a cluster"
        ) from None


@lru_cache(maxsize=1)
def _guarded() -> dict[str, str]:
    """Ray listens to the network: only who has this word, as our own processes do, is let in."""
    return {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}


def _read_environment() -> None:
    """Let Ray know of the word, where it was imported before."""
    from ray._raylet import Config  # type: ignore[attr-defined]

    Config.initialize("")


def _short_folder() -> str | None:
    return "/tmp" if os.access("/tmp", os.W_OK | os.X_OK) else None


@contextlib.contextmanager
def _own_signals() -> Iterator[None]:
    """Keep the process's own answers to signals, which Ray would replace."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {which: signal.getsignal(which) for which in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for which, answer in before.items():
            signal.signal(which, answer)
