"""Pictures for people to look at: one frame, or any RGB array, as a PNG file."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from labial.errors import WriteError
from labial.media.place import beside
from labial.pixels import Box, read_rgb
from labial.types import Frame


def upright_rgb8(frame: Frame) -> npt.NDArray[np.uint8]:
    """Return a frame as it is displayed: (h, w, 3) uint8 RGB, turned upright."""
    rgb = read_rgb(frame, Box(0, 0, frame.width, frame.height))
    image = np.rint(rgb * 255).clip(0, 255).astype(np.uint8)
    return np.ascontiguousarray(np.rot90(image, -(frame.rotation // 90)))


def check_png(path: str | os.PathLike[str], taken: Iterable[str | os.PathLike[str]] = ()) -> None:
    """Find out, before the work, whether a picture can be written there.

    Raises
    ------
    WriteError
        The name does not end in .png, the folder is missing, or it is one of the files ``taken``.
    """
    target = Path(path)
    if target.suffix.lower() != ".png":
        raise WriteError(f"cannot write {path}: the name must end in .png")
    if target.is_dir():
        raise WriteError(f"cannot write {path}: it is a directory")
    if not target.absolute().parent.is_dir():
        raise WriteError(f"cannot write {path}: there is no directory {target.parent}")
    for other in taken:
        if target.absolute() == Path(other).absolute() or (
            target.exists() and Path(other).exists() and target.samefile(other)
        ):
            raise WriteError(f"cannot write {path}: it is the file {other}, choose another name")


def write_png(path: str | os.PathLike[str], rgb: npt.NDArray[np.uint8]) -> None:
    """Write an (h, w, 3) uint8 RGB picture.

    Raises
    ------
    WriteError
        The file cannot be written.
    """
    ok, data = cv2.imencode(".png", rgb[..., ::-1])
    if not ok:
        raise WriteError(f"cannot write {path}: a picture of {rgb.shape} cannot be a PNG")
    target = Path(path)
    partial = beside(target, target.suffix)
    try:
        partial.write_bytes(data.tobytes())
        partial.replace(target)
    except OSError as error:
        raise WriteError(f"cannot write {path}: {error.strerror}") from error
    finally:
        partial.unlink(missing_ok=True)
