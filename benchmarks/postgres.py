"""A PostgreSQL server of one's own, for as long as it is needed."""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

_STARTS_SECONDS = 60


class Missing(Exception):  # noqa: N818 - nothing is wrong
    """PostgreSQL is not installed, or nobody may run it."""


class Server:
    """A server on a socket in a folder of its own, which can be stopped and started again.

    Parameters
    ----------
    settings
        Such as ``fsync=off``.

    Raises
    ------
    Missing
        With the reason.
    """

    def __init__(self, *settings: str) -> None:
        self._programs = _programs()
        self._user = _user()
        self._settings = ("listen_addresses=", *settings)
        self._folder = Path(tempfile.mkdtemp(prefix="labial-pg-", dir="/tmp"))
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"postgresql+psycopg://postgres@/{{name}}?host={self._folder}"

    def __enter__(self) -> Server:
        """Make the cluster and start it."""
        try:
            if self._user:
                shutil.chown(self._folder, self._user, None)
            made = ["-D", str(self._folder / "data"), "-U", "postgres", "-A", "trust", "--no-sync"]
            self._run("initdb", *made, "-E", "UTF8", "--locale=C")
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *raised: object) -> None:
        """Stop it and remove all of it."""
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def start(self) -> None:
        """Start it, and wait until it answers."""
        told = [part for each in self._settings for part in ("-c", each)]
        place = ["-D", str(self._folder / "data"), "-k", str(self._folder)]
        with (self._folder / "log.txt").open("ab") as log:
            self._process = subprocess.Popen(
                [self._programs / "postgres", *place, *told],
                stdout=log,
                stderr=log,
                cwd=self._folder,
                preexec_fn=_end_with_parent,
                **self._as_user(),
            )
        until = time.monotonic() + _STARTS_SECONDS
        while subprocess.run(
            [self._programs / "pg_isready", "-q", "-h", str(self._folder)], check=False
        ).returncode:
            if self._process.poll() is not None or time.monotonic() > until:
                raise Missing((self._folder / "log.txt").read_text(errors="replace")[-500:])
            time.sleep(0.05)

    def stop(self) -> None:
        """Stop it at once, as if it had crashed."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)  # without any farewell
            self._process.wait()
            self._process = None

    def create(self, name: str) -> str:
        """Make a database, and return its URL."""
        self._run("createdb", "-h", str(self._folder), "-U", "postgres", name)
        return self.url.format(name=name)

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [self._programs / program, *arguments],
            capture_output=True,
            text=True,
            cwd=self._folder,
            check=False,
            **self._as_user(),
        )
        if done.returncode:
            raise Missing(f"{program}: {done.stderr.strip()}")

    def _as_user(self) -> dict[str, object]:
        if self._user is None:
            return {}
        import pwd

        entry = pwd.getpwnam(self._user)
        return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def _programs() -> Path:
    """Where the programs are, the newest version first."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: -_version(p))
    found += [Path(each) for each in os.environ.get("PATH", "").split(os.pathsep)]
    for folder in found:
        if all((folder / name).exists() for name in ("initdb", "postgres", "pg_isready")):
            return folder
    raise Missing("PostgreSQL is not installed")


def _version(folder: Path) -> float:
    try:
        return float(folder.parent.name)
    except ValueError:
        return 0.0


def _user() -> str | None:
    """Whose the server is to be: it refuses to be root's."""
    if sys.platform == "win32":
        raise Missing("PostgreSQL is started on Unix only")
    if os.geteuid() != 0:
        return None
    import pwd

    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name).pw_name
        except KeyError:
            continue
    raise Missing("PostgreSQL must not run as root, and there is no user postgres or nobody")


def _end_with_parent() -> None:
    """Let Linux end this process when whoever started it is killed."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGQUIT)
