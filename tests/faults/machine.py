"""What the machine may refuse: permission, and room on its disk."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import threading
from collections.abc import Callable
from functools import partial

_VERSION_3 = 0x20080522
_READ_ANYTHING = 1 << 1 | 1 << 2
_THREAD_CAPABILITIES = {"x86_64": (125, 126), "aarch64": (90, 91)}


def plainly(run: Callable[[], int]) -> int:
    """Run as it is."""
    return run()


def unprivileged(run: Callable[[], int]) -> int:
    """Run where permissions count, for root as well: in a thread that has given up its power."""
    if os.geteuid() != 0:
        return run()
    codes: list[int | BaseException] = []

    def apart() -> None:
        try:
            _give_up_power()
            codes.append(run())
        except BaseException as error:
            codes.append(error)

    thread = threading.Thread(target=apart)
    thread.start()
    thread.join()
    if isinstance(codes[0], BaseException):
        raise codes[0]
    return codes[0]


def _give_up_power() -> None:
    """Let this thread, and those that it starts, no longer read and write what it may not."""
    get, put = _THREAD_CAPABILITIES[os.uname().machine]
    libc = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(_VERSION_3, 0)
    power = (ctypes.c_uint32 * 6)()
    if libc.syscall(get, header, power):
        raise OSError(ctypes.get_errno(), "capget")
    for allowed in (0, 1):  # effective, permitted
        power[allowed] &= ~_READ_ANYTHING
    if libc.syscall(put, header, power):
        raise OSError(ctypes.get_errno(), "capset")


def room_for(size: int) -> Callable[[Callable[[], int]], int]:
    """Run where no file may grow beyond ``size`` bytes, as on a disk that is full."""
    return partial(_in_room, size)


def _in_room(size: int, run: Callable[[], int]) -> int:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    told = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        return run()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, told)


def input_closed(run: Callable[[], int]) -> int:
    """Run without a standard input."""
    kept = os.dup(0)
    os.close(0)
    try:
        return run()
    finally:
        os.dup2(kept, 0)
        os.close(kept)
