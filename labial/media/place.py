"""Where an output is made, and how it gets its name when it is complete."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from collections.abc import Iterable
from pathlib import Path

from labial.errors import WriteError
from labial.media.containers import PICTURES, container_for
from labial.media.probe import show
from labial.media.sequence import PATTERN

_USUAL = "%05d.png"


class Place:
    """A file that lies under a temporary name until it is complete.

    Parameters
    ----------
    target
        The name that it is to have.
    partial
        The name until then, on the same disk. Default: one beside ``target``.
    """

    def __init__(self, target: Path, partial: Path | None = None) -> None:
        self.target = target
        self.partial = partial or beside(target, target.suffix)

    @property
    def opened(self) -> str:
        """What FFmpeg is to write."""
        return str(self.partial)

    def take(self) -> None:
        """Make ready; raise OSError where that fails."""

    def commit(self) -> None:
        """Give it its name; raise OSError where that fails."""
        self.partial.replace(self.target)

    def discard(self) -> None:
        """Delete what is there."""
        self.partial.unlink(missing_ok=True)


class PicturePlace(Place):
    """A folder of numbered pictures: ``out/%05d.png``, or an empty folder."""

    def __init__(self, target: Path, partial: Path | None = None) -> None:
        folder, self._pattern = _parts(target)
        super().__init__(folder, partial or beside(folder, ""))

    @property
    def opened(self) -> str:
        """The pattern of the pictures, in which only the number is one."""
        folder = str(self.partial).replace("%", "%%")
        return f"{folder}/{self._pattern}"

    def take(self) -> None:
        """Make the folder."""
        self.partial.mkdir(exist_ok=True)

    def commit(self) -> None:
        """Give the folder its name, unless something came to lie there meanwhile."""
        if self.target.is_dir():
            self.target.rmdir()
        self.partial.replace(self.target)

    def discard(self) -> None:
        """Delete the folder and what is in it."""
        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(self.partial)


def final(target: Path) -> Path:
    """Return what appears when an output is complete: a file, or the folder of its pictures."""
    return _parts(target)[0] if container_for(target) is PICTURES else target.absolute()


def check_file(
    target: Path, inputs: Iterable[tuple[str | os.PathLike[str] | None, str]] = ()
) -> None:
    """Find out, without touching the disk, whether a file can be written there.

    Parameters
    ----------
    target
        The file.
    inputs
        Files that it must not be, each with what it is.

    Raises
    ------
    WriteError
        It is a directory, or one of the inputs, or its own directory is missing or closed to
        writing, or no file can be called like that.
    """
    name, folder = show(target), target.absolute().parent
    try:
        target.stat()
    except (FileNotFoundError, NotADirectoryError):
        pass  # as it should be, or told below
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise WriteError(f"cannot write {name}: {reason}") from None
    if target.is_dir():
        raise WriteError(f"cannot write {name}: it is a directory")
    if not folder.is_dir():
        raise WriteError(f"cannot write {name}: there is no directory {show(folder)}")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise WriteError(f"cannot write {name}: no permission to write into {show(folder)}")
    for other, role in inputs:
        if other is None or not target.exists() or not Path(other).exists():
            continue
        if target.samefile(other):
            raise WriteError(f"cannot write {name}: it is {role}, choose another name")


def check_pictures(target: Path) -> None:
    """Find out, without touching the disk, whether pictures can be written there.

    Raises
    ------
    WriteError
        The name has no place for a number, or its folder holds something, or cannot be made.
    """
    if target.suffix.lower() == ".png" and PATTERN.fullmatch(target.name) is None:
        raise WriteError(
            f"cannot write {show(target)}: one picture cannot hold a video; name the output "
            f"{show(target.with_suffix(''))}/{_USUAL}"
        )
    folder, _ = _parts(target)
    if folder.exists() and not folder.is_dir():
        raise WriteError(f"cannot write pictures into {show(folder)}: it is a file")
    if folder.is_dir() and any(folder.iterdir()):
        raise WriteError(
            f"cannot write pictures into {show(folder)}: it holds files; empty it, or name another"
        )
    if not folder.parent.is_dir():
        raise WriteError(
            f"cannot write {show(target)}: there is no directory {show(folder.parent)}"
        )
    if not os.access(folder.parent, os.W_OK | os.X_OK):
        raise WriteError(
            f"cannot write {show(target)}: no permission to write into {show(folder.parent)}"
        )


def _parts(target: Path) -> tuple[Path, str]:
    if target.suffix.lower() == ".png":
        return target.absolute().parent, target.name
    return target.absolute(), _USUAL


def beside(target: Path, suffix: str) -> Path:
    """Return a name, of nobody else, for what is not yet complete."""
    stem = os.fsencode(target.stem)[:150].decode("utf-8", "ignore")
    return target.absolute().with_name(f".{stem}.{secrets.token_hex(4)}.partial{suffix}")
