"""Pictures for people to look at: one frame, or any RGB array, as a PNG or JPEG file."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from labial.errors import WriteError
from labial.media.place import beside
from labial.pixels import Box, read_rgb, sample_rgb8
from labial.types import Frame


def upright_rgb8(frame: Frame) -> npt.NDArray[np.uint8]:
    """Return a frame as it is displayed: (h, w, 3) uint8 RGB, turned upright."""
    rgb = read_rgb(frame, Box(0, 0, frame.width, frame.height))
    image = np.rint(rgb * 255).clip(0, 255).astype(np.uint8)
    return np.ascontiguousarray(np.rot90(image, -(frame.rotation // 90)))


def small_rgb8(frame: Frame, longest: int, aspect: float = 1.0) -> npt.NDArray[np.uint8]:
    """Return a frame as it is displayed, small.

    Parameters
    ----------
    frame
        The frame.
    longest
        Pixels of its longer side, at most.
    aspect
        Width over height of its pixels, as stored.

    Returns
    -------
    (h, w, 3) uint8 RGB, upright, of square pixels.
    """
    wide, high = frame.width * aspect, float(frame.height)
    shrink = min(1.0, longest / max(wide, high))
    size = max(1, round(wide * shrink)), max(1, round(high * shrink))
    affine = np.diag([frame.width / size[0], frame.height / size[1], 1])[:2].astype(np.float32)
    image = sample_rgb8(frame, affine, size)
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
    _write(Path(path), rgb, ".png", [])


def write_jpeg(path: str | os.PathLike[str], rgb: npt.NDArray[np.uint8], quality: int = 85) -> None:
    """Write an (h, w, 3) uint8 RGB picture; ``quality`` is 1 to 100.

    Raises
    ------
    WriteError
        The file cannot be written.
    """
    _write(Path(path), rgb, ".jpg", [cv2.IMWRITE_JPEG_QUALITY, quality])


def _write(target: Path, rgb: npt.NDArray[np.uint8], kind: str, how: list[int]) -> None:
    ok, data = cv2.imencode(kind, rgb[..., ::-1], how)
    if not ok:
        raise WriteError(f"cannot write {target}: a picture of {rgb.shape} cannot be a {kind}")
    _put(target, data.tobytes())


def copy_png(source: Path, path: str | os.PathLike[str]) -> None:
    """Write a picture that is in another file already.

    Raises
    ------
    WriteError
        The file cannot be written.
    """
    _put(Path(path), source.read_bytes())


def _put(target: Path, data: bytes) -> None:
    partial = beside(target, target.suffix)
    try:
        partial.write_bytes(data)
        partial.replace(target)
    except OSError as error:
        raise WriteError(f"cannot write {target}: {error.strerror}") from error
    finally:
        partial.unlink(missing_ok=True)
