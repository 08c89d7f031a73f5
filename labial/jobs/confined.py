"""What a process that reads strangers' files does without: secrets, privileges, a network, and more
than its share of memory, disk and time. Each part is done where the system has it.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Mapping
from pathlib import Path

_NAMES = frozenset(
    {
        "DYLD_LIBRARY_PATH", "HOME", "LABIAL_CACHE", "LABIAL_OFFLINE", "LANG", "LANGUAGE",
        "LD_LIBRARY_PATH", "LOCALAPPDATA", "LOGNAME", "MKL_NUM_THREADS", "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS", "PATH", "PYTHONHOME", "PYTHONPATH", "PYTHONUTF8", "SSL_CERT_DIR",
        "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "SVT_LOG", "SYSTEMROOT", "TEMP", "TMP", "TMPDIR",
        "TZ", "USER", "USERPROFILE", "VIRTUAL_ENV", "WINDIR", "XDG_CACHE_HOME",
    }
)  # fmt: skip
# Where networks and voices are fetched from; never with a password in it.
_PLACES = ("PIP_", "LC_")
_PROXIES = frozenset({"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY"})
_NO_NEW_PRIVS, _DUMPABLE = 38, 4
_NEW_USER, _NEW_NET = 0x10000000, 0x40000000


def clean_environment(own: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return those variables that are known to hold no secret: what is new is left out."""
    kept = {}
    for name, value in (os.environ if own is None else own).items():
        upper = name.upper()
        place = upper.startswith(_PLACES) or upper in _PROXIES
        if upper in _NAMES or (place and "@" not in value):
            kept[name] = value
    return kept


def give_up_privileges() -> None:
    """No program that is started may have more rights than we do, and nobody looks into us."""
    library = _libc()
    if library is not None:
        library.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0)
        library.prctl(_DUMPABLE, 0, 0, 0, 0)


def leave_network() -> bool:
    """Go where there is no network; tell whether the system lets us. Before any thread is begun."""
    library = _libc()
    if library is None:
        return False
    if library.unshare(_NEW_NET) == 0:
        return True
    user, group = os.getuid(), os.getgid()
    if library.unshare(_NEW_USER | _NEW_NET) != 0:
        return False
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{user} {user} 1"),
        ("gid_map", f"{group} {group} 1"),
    ):
        try:
            Path("/proc/self", name).write_text(text, encoding="ascii")
        except OSError:
            return True  # we are nobody by name, which changes nothing of what we may
    return True


def limit(
    memory: int | None = None,
    file: int | None = None,
    cpu_seconds: float | None = None,
    files: int | None = None,
    alone: bool = False,
) -> None:
    """Take no more than this from here on.

    Parameters
    ----------
    memory, file
        Bytes of address space, and of the largest file that is written.
    cpu_seconds
        Of all threads together.
    files
        Open at the same time.
    alone
        Begin no process and no further thread; it means nothing to root.
    """
    try:
        import resource
    except ImportError:  # Windows has no such limits
        return
    cpu = None if cpu_seconds is None else int(cpu_seconds) + 1
    if sys.platform == "darwin":
        memory = None  # macOS refuses to limit it
    for which, most in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_FSIZE, file),
        (resource.RLIMIT_CPU, cpu),
        (resource.RLIMIT_NOFILE, files),
        (resource.RLIMIT_NPROC, 0 if alone else None),
    ):
        if most is not None:
            _, hard = resource.getrlimit(which)
            most = most if hard == resource.RLIM_INFINITY else min(most, hard)
            resource.setrlimit(which, (most, most))


def _libc() -> ctypes.CDLL | None:
    if not sys.platform.startswith("linux"):
        return None
    return ctypes.CDLL(None, use_errno=True)
