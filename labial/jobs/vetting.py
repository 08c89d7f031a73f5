"""What a stranger's file is, found out in a process of its own, by its content alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

from labial.errors import JobError, ReadError
from labial.jobs.confined import clean_environment
from labial.types import FileRules, Vetted

_ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}


def vet(
    path: str | os.PathLike[str],
    rules: FileRules | None = None,
    seconds: float = 60.0,
    memory: int = 2 << 30,
) -> Vetted:
    """Find out what a file is that somebody sent.

    Parameters
    ----------
    path
        The file. Its name tells nothing.
    rules
        How much it may hold.
    seconds, memory
        Of wall time and of address space, in bytes, that looking at it may take.

    Raises
    ------
    ReadError
        It is nothing that we read, it names other files or addresses, it is damaged, it holds too
        much, or looking at it takes too much.
    JobError
        It could not be looked at: another time it may be.
    """
    asked = {
        "path": str(Path(path).absolute()),
        "rules": asdict(rules or FileRules()),
        "seconds": seconds,
        "memory": memory,
    }
    try:
        done = subprocess.run(
            [sys.executable, "-m", "labial.jobs.vetting_child", json.dumps(asked)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=seconds,
            env=clean_environment() | _ONE_THREAD,
            cwd="/" if os.name == "posix" else None,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ReadError(f"looking at it took longer than {seconds:g} s: convert it") from None
    except OSError as error:
        raise JobError(f"it could not be looked at: {error.strerror}", again=True) from None
    if done.returncode not in (0, 2):
        if done.returncode == 1:  # our own fault, not the file's
            last = done.stderr.decode("utf-8", "replace").strip().splitlines()[-1:]
            raise JobError(f"it could not be looked at: {''.join(last)}", again=True)
        raise ReadError("looking at it took too much memory or time, or it is damaged: convert it")
    told = json.loads(done.stdout)
    if "error" in told:
        raise ReadError(told["error"])
    return Vetted(**told)
