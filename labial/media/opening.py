"""Encoders are opened without what they would do to the process and its terminal.

SVT-AV1 prints past FFmpeg's log, unless the environment says otherwise. As root, and so in most
containers, it makes the thread that opens it and its own real-time, first in, first out, above
everything else of the machine: processes started from then on inherit that, and two of them that
calculate let nothing of their kind run beside them for minutes.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def open_encoder(context: Any) -> None:
    """Open an encoder, so that it prints nothing and leaves this process as it was."""
    with _quiet(), same_priority():
        context.open()


@contextlib.contextmanager
def same_priority() -> Iterator[None]:
    """Give the threads of this process that become real-time in the block the caller's priority."""
    if sys.platform != "linux":
        yield
        return
    before = _policies()
    policy, priority = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        yield
    finally:
        for thread, found in _policies().items():
            if found in (os.SCHED_FIFO, os.SCHED_RR) and found != before.get(thread, policy):
                # A thread may have ended by now.
                with contextlib.suppress(ProcessLookupError):
                    os.sched_setscheduler(thread, policy, priority)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    unset = "SVT_LOG" not in os.environ
    if unset:
        os.environ["SVT_LOG"] = "0"
    try:
        yield
    finally:
        if unset:
            os.environ.pop("SVT_LOG", None)


def _policies() -> dict[int, int]:
    found = {}
    for thread in (int(task.name) for task in Path("/proc/self/task").iterdir()):
        with contextlib.suppress(ProcessLookupError):
            found[thread] = os.sched_getscheduler(thread)
    return found
