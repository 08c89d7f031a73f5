"""What covers the mouth: a hand, a microphone, food, hair, found per frame as a soft matte.

A small network looks at the *cover plane*: 96 × 72 pixels, parallel to the face, around the mouth,
the same for every size and turn, laid by points that a covered mouth does not move much. It is
shown how the face usually looks there as well, from earlier frames on which nothing was found,
since a hand has the colour of skin but is new. ``cover_v1.md`` tells how it was trained.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

import cv2
import numpy as np
import numpy.typing as npt

from labial import geometry
from labial.face.pose import fit_poses
from labial.pixels import sample_rgb8
from labial.types import Face, FloatArray, Frame
from labial.weights.network import open_network

MODEL = "cover_v1.onnx"
WIDTH, HEIGHT = 96, 72
PIXELS_PER_UNIT = 60.0
NOTHING = 128 / 255
"""What the network is shown, everywhere, instead of a usual look that there is not yet."""
# The middle of the plane lies below the lips of the canonical face, between these points.
_MIDDLE, _LOWER = (13, 14), 0.08
_OUTER = list(geometry.OUTER_RING)
# Frames that make up the usual look, and what may at most be covered in them.
_USUAL_FRAMES = 25
_CLEAR_LIPS, _CLEAR = 0.03, 0.03
# Half axes of what is near the mouth, as shares of the plane.
_NEAR = 0.32, 0.4
# The matte is sure of itself in the middle of a cover, and holes in it are none.
_FROM, _TO = 0.25, 0.65
# Pixels of the plane.
_GROW = 4
# Mean of the middle of the plane, of 255: in darker pictures than the network learned from, what
# little light there is looks like covers.
_DARK, _LIT = 30.0, 50.0
# That mean ÷ the ninth decile, about.
_BRIGHT = 0.6
_CENTRE = slice(HEIGHT // 4, -HEIGHT // 4), slice(WIDTH // 5, -WIDTH // 5)

Picture = npt.NDArray[np.uint8]


def plane_at(landmarks: FloatArray, width: int = WIDTH, height: int = HEIGHT) -> FloatArray:
    """Lay a plane of ``width`` × ``height`` pixels around the mouth.

    Parameters
    ----------
    landmarks
        (478, 3) pixels.

    Returns
    -------
    (2, 3) float32: pixels of the plane → pixels of the frame, corner convention.
    """
    canonical, _ = geometry.canonical_mesh()
    pose = fit_poses(landmarks[None], canonical)
    turn = pose.scale[0] * pose.rotation[0].astype(np.float64)
    middle = canonical[list(_MIDDLE)].mean(0) + np.array([0, _LOWER, 0])
    centre = pose.translation[0] + turn @ middle
    linear = turn[:2, :2] / PIXELS_PER_UNIT
    shift = centre[:2] - linear @ [width / 2, height / 2]
    return np.concatenate([linear, shift[:, None]], 1).astype(np.float32)


class CoverNetwork:
    """``network(picture, usual)`` → matte (HEIGHT, WIDTH) float32; several threads may call it."""

    def __init__(self) -> None:
        self._session = open_network((resources.files("labial.face") / MODEL).read_bytes())

    def __call__(self, picture: Picture, usual: Picture | None) -> FloatArray:
        """Find what is in front of the face; nothing where it is too dark to tell.

        Parameters
        ----------
        picture
            (HEIGHT, WIDTH, 3) the cover plane.
        usual
            The same, as it usually looks; None where that is not known.
        """
        seen = np.full((6, HEIGHT, WIDTH), NOTHING, np.float32)
        for k, shown in enumerate((picture, usual)):
            if shown is not None:
                seen[3 * k : 3 * k + 3] = shown.transpose(2, 0, 1) / np.float32(255)
        if usual is not None:
            light = float(usual[_CENTRE].mean())
        else:  # What is bright is the face, if something dark is in front of it.
            light = _BRIGHT * float(np.quantile(picture[_CENTRE].mean(2), 0.9))
        sure = min(max((light - _DARK) / (_LIT - _DARK), 0.0), 1.0)
        if sure == 0:
            return np.zeros((HEIGHT, WIDTH), np.float32)
        found: list[FloatArray] = self._session.run(None, {"pictures": seen[None]})
        matte = ((found[0][0, 0] - _FROM) / (_TO - _FROM)).clip(0, 1)
        return np.asarray(sure * matte, np.float32)


def grown(matte: FloatArray) -> FloatArray:
    """Grow a matte (HEIGHT, WIDTH) by what a moved mouth might drag along of a cover's edge."""
    size = 2 * _GROW + 1
    return np.asarray(cv2.dilate(matte, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))))


@lru_cache(maxsize=1)
def cover_network() -> CoverNetwork:
    """Return the network that is part of the package, loaded once."""
    return CoverNetwork()


@dataclass(frozen=True)
class Sight:
    """What one frame shows of a mouth.

    Parameters
    ----------
    lips
        0..1, the share of the lips that something covers, or is about to.
    around
        0..1, the share of an ellipse around mouth, chin and cheeks.
    detail
        How much of what the plane shows is fine, across and down: about .15 where it is sharp,
        whatever it shows. A Gaussian of one of its pixels, or a movement by three while the shutter
        is open, halves it.
    """

    lips: float
    around: float
    detail: tuple[float, float]

    @property
    def clear(self) -> bool:
        """Nothing is in front of the mouth, or beside it."""
        return self.lips < _CLEAR_LIPS and self.around < _CLEAR


class CoverWatch:
    """Watch mouths for what comes in front of them while frames stream by, face by face."""

    def __init__(self) -> None:
        self._network = cover_network()
        self._usual: dict[int, FloatArray] = {}
        self._frames: dict[int, int] = {}

    def look(self, frame: Frame, key: int, face: Face) -> Sight:
        """Look at the next frame of the face ``key``."""
        affine = plane_at(face.landmarks)
        picture = _seen(frame, face, affine)
        matte = self._network(picture, self.usual(key))
        lips = _lips(face.landmarks, affine)
        sight = Sight(
            float((grown(matte) * lips).sum() / max(float(lips.sum()), 1.0)),
            float((matte * _near()).sum() / _near().sum()),
            _detail(picture),
        )
        if sight.clear:
            self._learn(key, picture)
        return sight

    def usual(self, key: int) -> Picture | None:
        """Return how the face ``key`` usually looks in the plane; None where it was never clear."""
        usual = self._usual.get(key)
        return None if usual is None else np.rint(usual).astype(np.uint8)

    def close_track(self, key: int) -> Picture:
        """Return how the face ``key`` usually looked, empty if it was never clear; forget it."""
        usual = self.usual(key)
        self._usual.pop(key, None)
        self._frames.pop(key, None)
        return np.zeros((0, 0, 3), np.uint8) if usual is None else usual

    def _learn(self, key: int, picture: Picture) -> None:
        before = self._usual.get(key)
        self._frames[key] = min(self._frames.get(key, 0) + 1, _USUAL_FRAMES)
        new = picture.astype(np.float32)
        if before is not None:
            new = before + (new - before) / np.float32(self._frames[key])
        self._usual[key] = new


def _seen(frame: Frame, face: Face, affine: FloatArray) -> Picture:
    """The plane as a frame shows it, from what the mesh network was shown if that is known.

    That has 1.2 to 1.4 times the plane's detail, whatever the frame's size, and is at hand.
    """
    if face.crop is None:
        return sample_rgb8(frame, affine, (WIDTH, HEIGHT))
    from_crop = np.vstack([face.crop.affine, [0, 0, 1]]).astype(np.float64)
    inner = np.linalg.inv(from_crop)[:2] @ np.vstack([affine, [0, 0, 1]]).astype(np.float64)
    inner[:, 2] += inner[:, :2] @ [0.5, 0.5] - 0.5
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(
        cv2.warpAffine(
            face.crop.picture, inner, (WIDTH, HEIGHT), flags=flags, borderMode=cv2.BORDER_REPLICATE
        ),
        np.uint8,
    )


def cover_matte(
    frame: Frame, landmarks: FloatArray, usual: Picture
) -> tuple[FloatArray, FloatArray]:
    """Find what is in front of a mouth.

    Parameters
    ----------
    frame
        As filmed.
    landmarks
        (478, 3) pixels.
    usual
        (HEIGHT, WIDTH, 3) how this face usually looks in the plane; empty where that is not known.

    Returns
    -------
    matte
        (HEIGHT, WIDTH) float32 0..1, :func:`grown`.
    affine
        (2, 3) its pixels → pixels of the frame, corner convention.
    """
    affine = plane_at(landmarks)
    picture = sample_rgb8(frame, affine, (WIDTH, HEIGHT))
    return grown(cover_network()(picture, usual if usual.size else None)), affine


def _lips(landmarks: FloatArray, affine: FloatArray) -> FloatArray:
    """(HEIGHT, WIDTH) 1 on the lips and what they enclose, in the plane, else 0."""
    inverse = np.linalg.inv(affine[:, :2].astype(np.float64))
    points = (landmarks[_OUTER, :2] - affine[:, 2]) @ inverse.T
    out = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.fillPoly(out, [np.rint((points - 0.5) * 16).astype(np.int32)], 1, cv2.LINE_8, 4)
    return out.astype(np.float32)


@lru_cache(maxsize=1)
def _near() -> FloatArray:
    """(HEIGHT, WIDTH) 1 where a moved mouth moves the face, not on its outline or beside it."""
    y, x = np.mgrid[:HEIGHT, :WIDTH] + 0.5
    across, down = (x - WIDTH / 2) / (_NEAR[0] * WIDTH), (y - HEIGHT / 2) / (_NEAR[1] * HEIGHT)
    return np.asarray(across**2 + down**2 < 1, np.float32)


def _detail(picture: Picture) -> tuple[float, float]:
    light = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)
    broad = cv2.norm(light, cv2.GaussianBlur(light, (0, 0), 4.0), cv2.NORM_L1) / light.size
    across, down = (
        cv2.norm(light, cv2.GaussianBlur(light, size, 1.0), cv2.NORM_L1) / light.size
        for size in ((9, 1), (1, 9))
    )
    return float(across / (broad + 1)), float(down / (broad + 1))
