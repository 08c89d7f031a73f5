"""The process in which one job is done: ``python -m labial.jobs.child '{"folder": ...}'``.

It reads ``job.json`` in the folder, and writes one line of JSON to its standard output for each
step, and one at the end: the result, or the error. When its standard input ends, whoever started it
is gone, and it ends too.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import traceback
from dataclasses import replace
from pathlib import Path
from typing import Any

from labial.errors import JobError, LabialError
from labial.jobs import confined
from labial.jobs.alone import wait_to_hold, when_parent_ends
from labial.jobs.doing import run
from labial.jobs.job import Job
from labial.jobs.strangers import harmless

_ORPHANED = 77
_FILES = 1024
_ALONE_SECONDS = 30.0
# Of Linux, its loader, C++, OpenCV, ONNX Runtime, NumPy and Python, whose threads need stacks.
_NO_MEMORY = (
    "cannot allocate memory", "failed to map segment", "bad_alloc", "insufficient memory",
    "failed to allocate memory", "unable to allocate", "can't start new thread",
)  # fmt: skip


def main(asked: str) -> int:
    """Do the job of a folder and return the exit code."""
    wanted = json.loads(asked)
    # Whatever else prints must not come between the lines that are read.
    pipe = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    os.dup2(2, 1)
    strangers = wanted["strangers"]
    if wanted["offline"]:
        confined.leave_network()  # before there is a second thread
    if strangers:
        confined.give_up_privileges()
    when_parent_ends(lambda: os._exit(_ORPHANED))
    seconds = wanted["seconds"]
    confined.limit(
        wanted["memory"],
        wanted["file"],
        seconds * (os.cpu_count() or 1) if strangers and seconds else None,
        _FILES if strangers else None,
    )
    lock = threading.Lock()

    def say(**told: Any) -> None:
        with lock:
            pipe.write(json.dumps(told, ensure_ascii=False) + "\n")

    folder, job = Path(wanted["folder"]).absolute(), None
    try:
        # One that was orphaned a moment ago may still be on its way out.
        alone = wait_to_hold(folder, _ALONE_SECONDS)
        if alone is None:
            raise JobError("another process still works in its folder", again=True)
        job = Job.from_json((folder / "job.json").read_text(encoding="utf-8"))
        job = _inside(harmless(job, folder) if strangers else job, folder)
        result = run(
            job, folder, lambda s, d, t: say(stage=s, done=d, total=t), int(wanted["threads"])
        )
    except LabialError as error:
        again = isinstance(error, JobError) and error.again
        say(
            error=type(error).__name__,
            message=_shown(str(error), job, folder, strangers),
            again=again,
        )
        return 2
    except Exception as error:
        if _lacks_memory(error):
            say(error="JobError", message="needs more memory than it may have", again=False)
            return 3
        traceback.print_exc()
        say(error="JobError", message=f"failed: {type(error).__name__}: {error}", again=True)
        return 1
    told = json.loads(result.to_json())
    say(**told | {"summary": _shown(told["summary"], job, folder, strangers)})
    return 0


def _lacks_memory(error: BaseException | None) -> bool:
    """Whether an error, or one that it came from, is what libraries say without memory."""
    while error is not None:
        words = str(error).lower()
        if isinstance(error, MemoryError) or any(said in words for said in _NO_MEMORY):
            return True
        error = error.__cause__ or error.__context__
    return False


def _shown(text: str, job: Job | None, folder: Path, strangers: bool) -> str:
    """What is said of a job, without where its files are on this machine.

    Strangers never gave the names that files have here: they hear what the file is for.
    """
    for role, path in ({} if job is None else job.inputs).items():
        if path.is_absolute():
            text = text.replace(
                str(path), role if strangers and path.parent != folder else path.name
            )
    return text.replace(f"{folder}{os.sep}", "")


def _inside(job: Job, folder: Path) -> Job:
    """Go into the folder, and call what lies there by its name alone, as outputs will name it."""
    inputs = {role: path.absolute() for role, path in job.inputs.items()}
    for role, path in inputs.items():
        if path.is_relative_to(folder):
            inputs[role] = path.relative_to(folder)
    out = None if job.out is None else job.out.absolute()
    os.chdir(folder)
    return replace(job, inputs=inputs, out=out)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
