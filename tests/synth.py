"""Truth by construction: frames, faces and tracks whose every number is known.

Nothing here uses the code under test for its arithmetic: colour is coded by the formulas of
ISO/IEC 23091-2 written out, pictures are moved by one OpenCV call, meshes are posed by hand.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

from labial import geometry, weights
from labial.clip import Clip
from labial.media.probe import MediaInfo, VideoInfo
from labial.speaking.turns import Turns
from labial.types import ColorTags, FaceTrack, Frame, PixelFormat

FORMATS = {
    "yuv420p": PixelFormat("yuv420p", "yuv", 8, 1, 1),
    "yuv422p": PixelFormat("yuv422p", "yuv", 8, 1, 0),
    "yuv444p": PixelFormat("yuv444p", "yuv", 8),
    "yuv410p": PixelFormat("yuv410p", "yuv", 8, 2, 2),
    "yuv420p10le": PixelFormat("yuv420p10le", "yuv", 10, 1, 1),
    "yuv422p10le": PixelFormat("yuv422p10le", "yuv", 10, 1, 0),
    "yuv444p12le": PixelFormat("yuv444p12le", "yuv", 12),
    "yuva420p": PixelFormat("yuva420p", "yuv", 8, 1, 1, alpha=True),
    "yuva444p10le": PixelFormat("yuva444p10le", "yuv", 10, alpha=True),
    "gbrp": PixelFormat("gbrp", "rgb", 8),
    "gbrp10le": PixelFormat("gbrp10le", "rgb", 10),
    "gbrap": PixelFormat("gbrap", "rgb", 8, alpha=True),
    "gray": PixelFormat("gray", "gray", 8),
    "gray10le": PixelFormat("gray10le", "gray", 10),
}
BT601, BT709, BT2020 = ColorTags(6, 6, 6), ColorTags(1, 1, 1), ColorTags(9, 9, 14)
_LUMA = {6: (0.299, 0.587, 0.114), 1: (0.2126, 0.7152, 0.0722), 9: (0.2627, 0.6780, 0.0593)}
TICK = Fraction(1, 25)


def code_values(rgb: np.ndarray, bits: int, color: ColorTags) -> np.ndarray:
    """R'G'B' 0..1 (…, 3) to unrounded Y, Cb, Cr code values (…, 3)."""
    kr, kg, kb = _LUMA[color.matrix]
    r, g, b = np.moveaxis(np.asarray(rgb, np.float64), -1, 0)
    y = kr * r + kg * g + kb * b
    cb, cr = (b - y) / (2 - 2 * kb), (r - y) / (2 - 2 * kr)
    if color.full_range:
        top, middle = 2**bits - 1, 2 ** (bits - 1)
        return np.stack([top * y, top * cb + middle, top * cr + middle], -1)
    unit = 2 ** (bits - 8)
    return np.stack([219 * y + 16, 224 * cb + 128, 224 * cr + 128], -1) * unit


def make_frame(
    rgb: np.ndarray,
    fmt: str = "yuv420p",
    color: ColorTags = BT709,
    *,
    index: int = 0,
    rotation: int = 0,
) -> Frame:
    """A frame that shows ``rgb`` (h, w, 3) 0..1; each chroma sample is the mean of its pixels."""
    layout = FORMATS[fmt]
    top, h, w = 2**layout.bits - 1, *rgb.shape[:2]
    if layout.kind == "rgb":
        channels = [top * rgb[..., k] for k in (1, 2, 0)]
    else:
        codes = code_values(rgb, layout.bits, color)
        channels = [codes[..., k] for k in range(1 if layout.kind == "gray" else 3)]
    for k in (1, 2) if layout.kind == "yuv" else ():
        sx, sy = 1 << layout.sub_x, 1 << layout.sub_y
        padded = np.pad(channels[k], ((0, -h % sy), (0, -w % sx)), "edge")
        rows, cols = padded.shape
        channels[k] = padded.reshape(rows // sy, sy, cols // sx, sx).mean((1, 3))
    if layout.alpha:
        channels.append(np.linspace(0, top, h * w).reshape(h, w))
    dtype = np.uint8 if layout.bits == 8 else np.uint16
    planes = tuple(np.rint(c).clip(0, top).astype(dtype) for c in channels)
    return Frame(planes, layout, index, TICK, 1, index, color, rotation)


def noise_frame(fmt: str, width: int, height: int, seed: int = 0, **tags: object) -> Frame:
    """A frame with every code value of the bit depth, at random."""
    layout = FORMATS[fmt]
    rng = np.random.default_rng(seed)
    dtype = np.uint8 if layout.bits == 8 else np.uint16
    planes = tuple(
        rng.integers(0, 1 << layout.bits, layout.plane_shape(k, height, width)).astype(dtype)
        for k in range(layout.n_planes)
    )
    return Frame(planes, layout, 0, TICK, 1, **{"color": BT709, **tags})  # type: ignore[arg-type]


def smooth_rgb(height: int, width: int) -> np.ndarray:
    """(h, w, 3) a colourful picture without edges: chroma subsampling hardly changes it."""
    y, x = np.mgrid[:height, :width] / max(height, width)
    waves = [
        0.5 + 0.35 * np.sin(3 * x + 2 * y + k) * np.cos(2 * x - 3 * y + 2 * k) for k in range(3)
    ]
    return np.stack(waves, -1)


# ------------------------------------------------------------------------------------- pictures


def similarity(
    scale: float = 1.0,
    degrees: float = 0.0,
    shift: tuple[float, float] = (0, 0),
    about: tuple[float, float] = (0, 0),
) -> np.ndarray:
    """(2, 3) map of pixels: scale and turn clockwise about a point, then shift."""
    c, s = np.cos(np.radians(degrees)) * scale, np.sin(np.radians(degrees)) * scale
    turn = np.array([[c, -s], [s, c]])
    offset = np.array(about) + shift - turn @ np.array(about)
    return np.concatenate([turn, offset[:, None]], 1)


def move_points(points: np.ndarray, affine: np.ndarray) -> np.ndarray:
    return points[..., :2] @ affine[:, :2].T + affine[:, 2]


def move_picture(rgb: np.ndarray, affine: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Draw ``rgb`` moved by ``affine`` (corner convention) on a canvas of (width, height)."""
    centred = affine.copy()
    centred[:, 2] += affine[:, :2] @ [0.5, 0.5] - 0.5
    return cv2.warpAffine(
        rgb, centred, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    ).clip(0, 1)


def sample_file(name: str) -> Path:
    """A sample of the weights registry; skips only where it may not be fetched."""
    if os.environ.get("LABIAL_OFFLINE") == "1" and weights.state(name) != "ready":
        pytest.skip(f"offline and {name} is not cached")
    return weights.path(name)


def need_face_model() -> None:
    sample_file("face_landmarker")


@lru_cache(maxsize=1)
def photo() -> np.ndarray:
    """(562, 572, 3) float32 0..1: the sample photo; its face is about 210 pixels wide."""
    with av.open(str(sample_file("face_photo"))) as container:
        picture = next(container.decode(video=0))
        return (picture.to_ndarray(format="rgb24") / 255).astype(np.float32)


# ---------------------------------------------------------------------------------------- faces


@lru_cache(maxsize=1)
def mesh() -> np.ndarray:
    """(478, 3) the canonical face; the irises sit midway between the eye corners."""
    canonical, _ = geometry.canonical_mesh()
    right = canonical[[33, 133]].mean(0)
    left = canonical[[263, 362]].mean(0)
    return np.concatenate([canonical, np.repeat([right, left], 5, 0)]).astype(np.float32)


def closed_mesh() -> np.ndarray:
    """The canonical face with lips that touch all along."""
    face = mesh().copy()
    up, low = list(geometry.INNER_UPPER), list(geometry.INNER_LOWER)
    face[up] = face[low] = (face[up] + face[low]) / 2
    return face


def turn(yaw: float = 0, pitch: float = 0, roll: float = 0) -> np.ndarray:
    """(3, 3): nose to the picture's right by ``yaw``, down by ``pitch``, clockwise by ``roll``."""
    a, b, c = np.radians([yaw, pitch, roll])
    about_y = np.array([[np.cos(a), 0, -np.sin(a)], [0, 1, 0], [np.sin(a), 0, np.cos(a)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
    about_z = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    return about_z @ about_x @ about_y


def make_track(
    shapes: np.ndarray,
    neutral: np.ndarray,
    *,
    scale: float | Sequence[float] = 160.0,
    rotation: np.ndarray | None = None,
    center: tuple[float, float] = (240.0, 200.0),
    present: np.ndarray | None = None,
    quality: np.ndarray | None = None,
    start: int = 0,
    key: int = 0,
    person: int = 0,
) -> FaceTrack:
    """A track of face-space ``shapes`` (n, 478, 3) under a known pose."""
    n = len(shapes)
    scales = np.broadcast_to(np.asarray(scale, np.float64), n)
    turns = np.repeat(np.eye(3)[None], n, 0) if rotation is None else rotation
    turns = np.broadcast_to(turns, (n, 3, 3))
    offset = np.broadcast_to(np.array([*center, 0.0]), (n, 3))
    pixels = np.einsum("nij,nvj->nvi", turns, shapes) * scales[:, None, None] + offset[:, None]
    f32 = np.float32
    return FaceTrack(
        start,
        pixels.astype(f32),
        np.ones(n, bool) if present is None else present,
        scales.astype(f32),
        turns.astype(f32),
        offset.astype(f32),
        neutral.astype(f32),
        np.ones(n, f32) if quality is None else quality.astype(f32),
        np.full(n, "", object),
        key,
        person,
    )


def make_info(width: int, height: int, rotation: int = 0) -> VideoInfo:
    """What a file of 20 frames a second would say of its video, as far as faces ask."""
    rest: dict[str, Any] = dict.fromkeys(VideoInfo.__dataclass_fields__, 0)
    return VideoInfo(
        **rest
        | {"width": width, "height": height, "rotation": rotation, "rate": Fraction(20)}
        | {"guessed_rate": Fraction(20), "format": FORMATS["yuv420p"], "color": ColorTags()}
    )


def standing(n: int, x: float, **how: Any) -> FaceTrack:
    """A face with shut lips that stands still for ``n`` frames, ``x`` pixels from the left."""
    shapes = np.repeat(closed_mesh()[None], n, 0)
    return make_track(shapes, closed_mesh(), center=(x, 150.0), **how)


def make_clip(n: int = 50, gap: float = 0.1, scale: float = 160.0) -> Clip:
    """Two shots of a face whose inner lips are ``gap`` apart, at 25 frames a second."""
    shapes = np.repeat(closed_mesh()[None], n // 2, 0)
    tracks = [make_track(shapes, shapes[0], scale=scale, start=k * n // 2, key=k) for k in (0, 1)]
    return Clip(
        MediaInfo(Path("c.mp4"), "mp4", Fraction(n, 25), None, None, 0, 0, 0, 0),
        tracks,
        np.arange(n) / 25,
        Turns(np.zeros(n, np.intp), np.ones((1, n), bool)),
        np.repeat([0, 1], n // 2),
        np.full(n, gap),
        np.ones(n),
        np.full(n, "", object),
        np.full(2 * n, -20.0),
        0,
    )
