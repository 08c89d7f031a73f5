"""Numbered pictures that are one film, found in a folder or by a pattern."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

from labial.errors import OptionError, ReadError

ENDINGS = ("png", "jpg", "jpeg", "tif", "tiff", "exr", "webp", "bmp", "dpx")
"""Kinds of pictures that are read as a sequence."""
DEFAULT_RATE = Fraction(25)
_NUMBERED = re.compile(rf"(.*?)(\d+)\.({'|'.join(ENDINGS)})", re.IGNORECASE)
PATTERN = re.compile(r"(.*)%(?:0(\d+))?d(\.[^./]+)")
"""A name with a place for a number."""
_RATE = re.compile(r"(.+)@(\d+(?:\.\d+)?)(?:/(\d+))?")
_SHOWN_GAPS = 3


@dataclass(frozen=True)
class PictureSequence:
    """Pictures of one folder whose names differ by a number.

    Parameters
    ----------
    folder
        Where they lie.
    prefix, digits, suffix
        What stands before the number, how many digits it has at least, and what stands after it.
    first, count
        The first number, and how many pictures follow one another without a gap.
    rate
        Frames a second.
    """

    folder: Path
    prefix: str
    digits: int
    suffix: str
    first: int
    count: int
    rate: Fraction

    @property
    def pattern(self) -> str:
        """What FFmpeg's demuxer of pictures is given."""
        folder = str(self.folder.absolute()).replace("%", "%%")
        number = f"%0{self.digits}d" if self.digits > 1 else "%d"
        before, after = (part.replace("%", "%%") for part in (self.prefix, self.suffix))
        return f"{folder}/{before}{number}{after}"

    def files(self) -> list[Path]:
        """All pictures, in order."""
        numbers = range(self.first, self.first + self.count)
        return [self.folder / f"{self.prefix}{n:0{self.digits}d}{self.suffix}" for n in numbers]


def with_rate(path: Path, fps: float) -> Path:
    """Return a name that says how many frames a second a sequence has.

    Raises
    ------
    OptionError
        The name is not that of a sequence.
    """
    if not is_sequence(path):
        raise OptionError("--fps is for numbered pictures: a video has its own, leave it out")
    plain, _ = _parted(path)
    return plain.with_name(f"{plain.name}@{fps:g}")


def is_sequence(path: Path) -> bool:
    """Whether a name means numbered pictures: a folder, or a pattern such as ``%05d.png``."""
    try:
        plain, _ = _parted(path)
        return plain.is_dir() or (PATTERN.fullmatch(plain.name) is not None and not plain.exists())
    except OSError:  # opening it says why
        return False


def find_sequence(path: Path) -> PictureSequence | None:
    """Look for the pictures that a name means.

    Parameters
    ----------
    path
        A folder, or a pattern such as ``shots/%05d.png``; ``@24`` or ``@24000/1001`` after it
        gives the frames a second, else 25.

    Returns
    -------
    PictureSequence or None
        None where the name is that of a file.

    Raises
    ------
    ReadError
        There are no such pictures, or some are missing.
    """
    if not is_sequence(path):
        return None
    plain, rate = _parted(path)
    match = PATTERN.fullmatch(plain.name)
    folder = plain if plain.is_dir() else plain.parent
    try:
        names = sorted(entry.name for entry in folder.iterdir() if entry.is_file())
    except OSError as error:
        raise ReadError(f"cannot read {plain}: {error.strerror}") from None
    groups: dict[tuple[str, str], dict[int, str]] = {}
    for name in names:
        parts = re.fullmatch(r"(.*?)(\d+)(\.[^.]+)", name) if match else _NUMBERED.fullmatch(name)
        if parts is None:
            continue
        suffix = name[parts.end(2) :]
        if match is None or (match[1], match[3]) == (parts[1], suffix):
            groups.setdefault((parts[1], suffix), {})[int(parts[2])] = parts[2]
    if not groups and match is None:
        raise ReadError(f"{folder} is a directory without numbered pictures: give a video")
    if not groups:
        raise ReadError(f"there are no pictures {plain.name} in {folder}: give another pattern")
    (prefix, suffix), found = max(groups.items(), key=lambda group: len(group[1]))
    numbers = sorted(found)
    missing = _gaps(numbers)
    if missing:
        raise ReadError(
            f"{folder}: {missing} missing between {prefix}{found[numbers[0]]}{suffix} "
            f"and {prefix}{found[numbers[-1]]}{suffix}: add what is missing"
        )
    digits = len(found[numbers[0]])
    sequence = PictureSequence(folder, prefix, digits, suffix, numbers[0], len(numbers), rate)
    for number, file in zip(numbers, sequence.files(), strict=True):
        # FFmpeg takes a picture that is not there, or is empty, for the end.
        if not file.exists():
            raise ReadError(f"{folder / prefix}{found[number]}{suffix}: rename it to {file.name}")
        if not file.stat().st_size:
            raise ReadError(f"{file} is empty (0 bytes): make it again")
    return sequence


def _parted(path: Path) -> tuple[Path, Fraction]:
    """The name without its rate, and the rate."""
    match = _RATE.fullmatch(str(path))
    if match is None or path.exists():
        return path, DEFAULT_RATE
    below = int(match[3] or 1)
    rate = Fraction(match[2]) / below if below else Fraction(0)
    if not 1 <= rate <= 1000:
        raise ReadError(f"{path}: use 1 to 1000 frames a second")
    whole = round(rate)
    if rate != whole and abs(rate - Fraction(whole * 1000, 1001)) < Fraction(1, 200):
        rate = Fraction(whole * 1000, 1001)
    return Path(match[1]), rate


def _gaps(numbers: list[int]) -> str:
    """Which numbers are missing, in words; "" when none are."""
    gaps = [(a + 1, b - 1) for a, b in pairwise(numbers) if b > a + 1]
    if not gaps:
        return ""
    said = [str(a) if a == b else f"{a} to {b}" for a, b in gaps[:_SHOWN_GAPS]]
    more = f" and {len(gaps) - _SHOWN_GAPS} more gaps" if len(gaps) > _SHOWN_GAPS else ""
    alone = len(gaps) == 1 and gaps[0][0] == gaps[0][1]
    return f"picture{'' if alone else 's'} {', '.join(said)}{more} {'is' if alone else 'are'}"
