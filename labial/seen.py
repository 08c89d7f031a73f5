"""What was seen of a video is kept, so that the next dub of it need not look again.

One folder a video in the user's cache folder, under a name made from the video's bytes and from the
code and the networks that looked at it. Folders not used for long go when there are too many.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Sequence
from dataclasses import astuple, fields, is_dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeAlias, TypeVar, get_type_hints

import numpy as np
import numpy.typing as npt

from labial import weights
from labial.errors import ReadError
from labial.media.sequence import find_sequence

T = TypeVar("T")
Arrays: TypeAlias = dict[str, npt.NDArray[Any]]
Parts: TypeAlias = dict[str, list[npt.NDArray[Any]]]

MOST_BYTES = 4 << 30
_BLOCK = 1 << 22


def digest(path: str | os.PathLike[str]) -> str:
    """Return the sha256 of a file's bytes, or of those of numbered pictures and their rate.

    Raises
    ------
    ReadError
        The file cannot be read.
    """
    total = hashlib.sha256()
    pictures = find_sequence(Path(path))
    if pictures is not None:
        total.update(str(pictures.rate).encode())
    try:
        for part in [Path(path)] if pictures is None else pictures.files():
            with part.open("rb", buffering=0) as file:
                while block := file.read(_BLOCK):
                    total.update(block)
    except OSError as error:
        raise ReadError(f"cannot read {path}: {error.strerror}") from error
    return total.hexdigest()


def folder() -> Path:
    """Return the folder that holds all of it; it may not exist yet."""
    return weights.folder() / "seen"


class Store:
    """Where one video's arrays and facts are kept.

    Parameters
    ----------
    content
        The :func:`digest` of the video.
    """

    def __init__(self, content: str) -> None:
        self._root = folder()
        models = " ".join(row.sha256 for row in weights.WEIGHTS)
        key = f"{version()} {models} {content}"
        self._folder = self._root / hashlib.sha256(key.encode()).hexdigest()[:32]

    @property
    def folder(self) -> Path:
        """Where its files lie, if there are any; the same name on every machine."""
        return self._folder

    def adopt(self, new: Path) -> None:
        """Keep a folder of such files, made elsewhere; ``new`` lies beside :attr:`folder`."""
        if self.load() is None:
            shutil.rmtree(self._folder, ignore_errors=True)
            with contextlib.suppress(OSError):
                new.rename(self._folder)
        shutil.rmtree(new, ignore_errors=True)
        self._tidy()

    def load(self) -> tuple[Arrays, dict[str, Any]] | None:
        """Return what is kept, or None. Arrays are mapped from their files, read-only."""
        try:
            facts = json.loads((self._folder / "facts.json").read_text())
            arrays: Arrays = {
                name: np.load(self._folder / f"{name}.npy", mmap_mode="r")
                for name in facts.pop("arrays")
            }
            os.utime(self._folder)
        except (OSError, ValueError, KeyError):
            return None
        return arrays, facts

    def save(self, parts: Parts, facts: dict[str, Any]) -> bool:
        """Keep arrays, each given in parts, and facts; return whether there was room for them."""
        if sum(part.nbytes for array in parts.values() for part in array) > MOST_BYTES:
            return False
        new = self._folder.with_name(f"{self._folder.name}.{secrets.token_hex(4)}.new")
        try:
            new.mkdir(parents=True)
            for name, array in parts.items():
                _write(new / f"{name}.npy", array)
            (new / "facts.json").write_text(json.dumps(facts | {"arrays": [*parts]}))
            if self._folder.exists():
                shutil.rmtree(self._folder)
            new.rename(self._folder)
        except OSError:
            # A cache that is full, or not ours to write, must not cost the dub.
            shutil.rmtree(new, ignore_errors=True)
            return False
        self._tidy()
        return True

    def _tidy(self) -> None:
        """Remove the folders not used for longest, beyond what may be kept."""
        found: list[tuple[float, int, Path]] = []
        for path in self._root.iterdir():
            # Another run may remove or rename any of them meanwhile.
            with contextlib.suppress(OSError):
                size = sum(file.stat().st_size for file in path.iterdir())
                found.append((path.stat().st_mtime, size, path))
        total = 0
        for _, size, path in sorted(found, reverse=True):
            total += size
            if total > MOST_BYTES and path != self._folder:
                shutil.rmtree(path, ignore_errors=True)


def _write(path: Path, parts: list[npt.NDArray[Any]]) -> None:
    """Write an array whose first axis goes through all parts, a piece at a time."""
    shape = (sum(len(part) for part in parts), *parts[0].shape[1:])
    kind = np.lib.format.dtype_to_descr(parts[0].dtype)
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(
            file, {"descr": kind, "fortran_order": False, "shape": shape}
        )
        for part in parts:
            rows = max(1, _BLOCK // max(part[:1].nbytes, 1))
            for first in range(0, len(part), rows):
                file.write(np.ascontiguousarray(part[first : first + rows]).data)


def packed(rows: Sequence[Any], prefix: str) -> tuple[Parts, dict[str, Any]]:
    """Take dataclasses of one type apart: NumPy arrays, numbers, words and smaller dataclasses.

    Arrays of one field follow each other in one array, whatever their shapes.
    """
    arrays: Parts = {}
    facts: dict[str, Any] = {"count": len(rows)}
    for item in fields(rows[0]) if rows else ():
        values = [getattr(row, item.name) for row in rows]
        if not isinstance(values[0], np.ndarray):
            facts[item.name] = [_plain(value) for value in values]
            continue
        if values[0].dtype == object:
            words = sorted({str(word) for value in values for word in value})
            facts[f"{item.name} words"] = words
            values = [
                np.searchsorted(words, value.astype(str)).astype(np.int32) for value in values
            ]
        facts[f"{item.name} shapes"] = [list(value.shape) for value in values]
        arrays[f"{prefix}-{item.name}"] = [value.reshape(-1) for value in values]
    return arrays, facts


def unpacked(kind: type[T], prefix: str, arrays: Arrays, facts: dict[str, Any]) -> list[T]:
    """Put together again what :func:`packed` took apart; large arrays stay mapped."""
    if not facts["count"]:
        return []
    types = get_type_hints(kind)
    columns: dict[str, list[Any]] = {}
    for item in fields(kind):  # type: ignore[arg-type]
        if item.name in facts:
            small: Any = types[item.name]
            values = facts[item.name]
            nested = is_dataclass(types[item.name])
            columns[item.name] = [small(*v) for v in values] if nested else values
            continue
        shapes = facts[f"{item.name} shapes"]
        ends = np.cumsum([0, *(int(np.prod(shape)) for shape in shapes)]).tolist()
        flat = arrays[f"{prefix}-{item.name}"]
        parts: list[Any] = [
            flat[a:b].reshape(shape) for (a, b), shape in zip(pairwise(ends), shapes, strict=True)
        ]
        words = facts.get(f"{item.name} words")
        if words is not None:
            parts = [np.array(words, object)[part] for part in parts]
        columns[item.name] = parts
    rows = zip(*columns.values(), strict=True)
    return [kind(**dict(zip(columns, row, strict=True))) for row in rows]


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return astuple(value)
    return value.item() if isinstance(value, np.generic) else value


@lru_cache(maxsize=1)
def version() -> str:
    """Return a name for the code and the networks that look at videos; another for other code."""
    total = hashlib.sha256()
    package = Path(__file__).parent
    for path in sorted(package.rglob("*")):
        if path.suffix in (".py", ".onnx", ".npz"):
            total.update(path.relative_to(package).as_posix().encode())
            total.update(path.read_bytes())
    return total.hexdigest()
