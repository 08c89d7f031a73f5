"""The nouns that travel between rooms: frozen, validated, shapes and units stated.

Coordinates follow :mod:`labial.geometry`: pixels, x right, y down, the centre of the first pixel
at (0.5, 0.5). Times are integer ``pts`` with a rational time base, or seconds as ``Fraction``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

FloatArray: TypeAlias = npt.NDArray[np.float32]
IntArray: TypeAlias = npt.NDArray[np.int32]
BoolArray: TypeAlias = npt.NDArray[np.bool_]
Plane: TypeAlias = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]
Hook: TypeAlias = Callable[[str, int, int | None], None]
"""``hook(stage, done, total)`` tells how far a stage is; ``total`` is None where it is unknown."""

N_LANDMARKS = 478
N_BLENDSHAPES = 52


@dataclass(frozen=True)
class ColorTags:
    """How the numbers of a frame become light: code points of ISO/IEC 23091-2 (2 = unspecified).

    ``full_range`` is False for studio ("limited", "tv") levels.
    """

    matrix: int = 2
    primaries: int = 2
    transfer: int = 2
    full_range: bool = False


@dataclass(frozen=True)
class PixelFormat:
    """Layout of a planar pixel format.

    Parameters
    ----------
    name
        FFmpeg's name, e.g. ``yuv420p10le``.
    kind
        ``"yuv"``, ``"rgb"`` (planes in FFmpeg's G, B, R order) or ``"gray"``.
    bits
        Significant bits a sample: 8 to 16, stored in the low bits of uint8 / uint16.
    sub_x, sub_y
        log2 of the chroma subsampling (4:2:0 is 1, 1; 4:2:2 is 1, 0; 4:4:4 is 0, 0).
    alpha
        True when the last plane is alpha.
    """

    name: str
    kind: str
    bits: int
    sub_x: int = 0
    sub_y: int = 0
    alpha: bool = False

    @property
    def n_planes(self) -> int:
        """Number of planes, alpha included."""
        return (1 if self.kind == "gray" else 3) + int(self.alpha)

    def subsampling(self, index: int) -> tuple[int, int]:
        """log2 of how many pixels, across and down, a sample of plane ``index`` covers."""
        return (self.sub_x, self.sub_y) if self.kind == "yuv" and index in (1, 2) else (0, 0)

    def plane_shape(self, index: int, height: int, width: int) -> tuple[int, int]:
        """(rows, columns) of plane ``index`` for a frame of ``height`` × ``width`` pixels."""
        sub_x, sub_y = self.subsampling(index)
        return -(-height // (1 << sub_y)), -(-width // (1 << sub_x))


@dataclass(frozen=True)
class Frame:
    """One decoded picture in its native planes, as stored (not yet rotated for display).

    Parameters
    ----------
    planes
        One (rows, columns) array a plane, uint8 for 8 bits, uint16 above. Treat as read-only.
    format
        Layout of the planes.
    pts, time_base, duration
        Presentation time in units of ``time_base`` seconds, and length in the same unit (0 when
        the file does not say).
    index
        Position in presentation order, from 0.
    color
        Colour tags.
    rotation
        Clockwise turn for display in degrees: 0, 90, 180 or 270.
    """

    planes: tuple[Plane, ...]
    format: PixelFormat
    pts: int
    time_base: Fraction
    duration: int = 0
    index: int = 0
    color: ColorTags = field(default_factory=ColorTags)
    rotation: int = 0

    def __post_init__(self) -> None:
        if len(self.planes) != self.format.n_planes:
            raise ValueError(f"{self.format.name}: {len(self.planes)} planes given")
        dtype = np.uint8 if self.format.bits == 8 else np.uint16
        for i, plane in enumerate(self.planes):
            want = self.format.plane_shape(i, self.height, self.width)
            if plane.shape != want or plane.dtype != dtype:
                raise ValueError(
                    f"{self.format.name} plane {i}: {plane.dtype}{plane.shape}, "
                    f"expected {np.dtype(dtype)}{want}"
                )

    @property
    def height(self) -> int:
        """Rows of the stored picture."""
        return int(self.planes[0].shape[0])

    @property
    def width(self) -> int:
        """Columns of the stored picture."""
        return int(self.planes[0].shape[1])

    @property
    def time(self) -> Fraction:
        """Presentation time in seconds, exact."""
        return self.pts * self.time_base

    def __repr__(self) -> str:
        return (
            f"Frame({self.index}, {self.width}x{self.height} {self.format.name}, "
            f"t={float(self.time):.3f}s)"
        )


@dataclass(frozen=True)
class Audio:
    """Sound: ``samples`` (n,) float32 mono in about -1..1 at ``rate`` Hz."""

    samples: FloatArray
    rate: int

    def __post_init__(self) -> None:
        if self.samples.ndim != 1 or self.samples.dtype != np.float32:
            raise ValueError(f"samples {self.samples.dtype}{self.samples.shape}, expected (n,) f32")
        if self.rate <= 0:
            raise ValueError(f"rate {self.rate} Hz")

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return len(self.samples) / self.rate

    def __repr__(self) -> str:
        return f"Audio({self.seconds:.2f}s at {self.rate} Hz)"


@dataclass(frozen=True)
class Crop:
    """A part of a picture, resampled: what a network looked at.

    Parameters
    ----------
    picture
        (h, w, 3) uint8 RGB.
    affine
        (2, 3) its pixels → pixels of the frame, corner convention.
    """

    picture: npt.NDArray[np.uint8]
    affine: FloatArray


@dataclass(frozen=True)
class Face:
    """One face in one picture.

    Parameters
    ----------
    landmarks
        (478, 3) float32: x, y in pixels of the stored frame; z in pixels on the same scale,
        smaller is nearer to the camera.
    presence
        0..1, the mesh model's own belief that it looks at a face.
    blendshapes
        (52,) float32 0..1 in ARKit order, or None when not asked for.
    crop
        Where the mesh network saw it, with a margin; None for a face that comes from elsewhere.
    """

    landmarks: FloatArray
    presence: float
    blendshapes: FloatArray | None = None
    crop: Crop | None = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.landmarks.shape != (N_LANDMARKS, 3):
            raise ValueError(f"landmarks {self.landmarks.shape}, expected ({N_LANDMARKS}, 3)")
        if self.blendshapes is not None and self.blendshapes.shape != (N_BLENDSHAPES,):
            raise ValueError(f"blendshapes {self.blendshapes.shape}, expected ({N_BLENDSHAPES},)")


@dataclass(frozen=True)
class FaceTrack:
    """One face through one shot, or the part of it in which it is seen.

    Rows are the frames ``start`` … ``end - 1``. Tracks of one video overlap in time where several
    people are seen.

    Parameters
    ----------
    start
        Frame index of the first row.
    landmarks
        (n, 478, 3) float32 pixels; rows where ``present`` is False are undefined.
    present
        (n,) bool: the face was seen in that frame.
    scale, rotation, translation
        (n,), (n, 3, 3), (n, 3) float32: the smoothed rigid pose, with
        ``pixels = scale * rotation @ face + translation``.
    neutral
        (478, 3) float32: this person at rest with the lips closed, in face space
        (unit: inter-ocular distance).
    quality
        (n,) float32 0..1: how well a frame can be re-synced (pose, size, visibility).
    reasons
        (n,) object: "" or why quality is low, e.g. ``"no face"``, ``"turned away"``.
    key
        Number of the track, unique in one video.
    person
        Whose face it is: 0 for the person who is most to be seen in the video.
    cover
        (n,) float32 0..1: the share of the lips that something covers; above 0 also where it is
        only beside them. Empty where nobody looked.
    usual
        (h, w, 3) uint8 RGB: how the mouth usually looks in the plane of :mod:`labial.face.cover`;
        empty where it was never seen clearly.
    """

    start: int
    landmarks: FloatArray
    present: BoolArray
    scale: FloatArray
    rotation: FloatArray
    translation: FloatArray
    neutral: FloatArray
    quality: FloatArray
    reasons: npt.NDArray[Any]
    key: int = 0
    person: int = 0
    cover: FloatArray = field(default_factory=lambda: np.zeros(0, np.float32))
    usual: npt.NDArray[np.uint8] = field(default_factory=lambda: np.zeros((0, 0, 3), np.uint8))

    def __post_init__(self) -> None:
        n = len(self.present)
        shapes: dict[str, tuple[int, ...]] = {
            "landmarks": (n, N_LANDMARKS, 3),
            "scale": (n,),
            "rotation": (n, 3, 3),
            "translation": (n, 3),
            "neutral": (N_LANDMARKS, 3),
            "quality": (n,),
            "reasons": (n,),
            "cover": (n if len(self.cover) else 0,),
        }
        for name, want in shapes.items():
            got = getattr(self, name).shape
            if got != want:
                raise ValueError(f"FaceTrack.{name} {got}, expected {want}")

    def __len__(self) -> int:
        return len(self.present)

    @property
    def end(self) -> int:
        """Index of the first frame after the last row."""
        return self.start + len(self)

    @property
    def rows(self) -> slice:
        """The track's frames, as a slice of what covers the whole video."""
        return slice(self.start, self.end)

    def local(self, rows: npt.NDArray[np.intp], points: npt.NDArray[np.intp]) -> FloatArray:
        """Landmarks ``points`` of some rows in face space: (len(rows), len(points), 3) float32."""
        centred = self.landmarks[rows[:, None], points] - self.translation[rows, None]
        turned = np.matmul(centred, self.rotation[rows])
        return np.asarray(turned / self.scale[rows, None, None], np.float32)

    def __repr__(self) -> str:
        seen = int(self.present.sum())
        return (
            f"FaceTrack(person {self.person}, start={self.start}, {len(self)} frames, {seen} seen)"
        )


@dataclass(frozen=True)
class Filmed:
    """A track as it was filmed, behind one that shows its frames in another order.

    Parameters
    ----------
    track
        The track of the video.
    frames
        (n,) int64: the video's frame that each row of the other track shows.
    """

    track: FaceTrack
    frames: npt.NDArray[np.int64]

    @property
    def rows(self) -> npt.NDArray[np.int64]:
        """(n,) rows of ``track``."""
        return self.frames - self.track.start


@dataclass(frozen=True)
class MouthMotion:
    """Speech as mouth motion on its own clock.

    Parameters
    ----------
    coefficients
        (n, K) float32 in the mouth basis of :mod:`labial.motion.space`; 0 is rest.
    rate
        Rows a second (50). Row i is the mouth at time ``i / rate`` seconds of the speech.
    """

    coefficients: FloatArray
    rate: int = 50

    def __post_init__(self) -> None:
        if self.coefficients.ndim != 2 or self.coefficients.dtype != np.float32:
            raise ValueError(f"coefficients {self.coefficients.dtype}{self.coefficients.shape}")

    def __len__(self) -> int:
        return len(self.coefficients)

    def __repr__(self) -> str:
        return f"MouthMotion({len(self) / self.rate:.2f}s, {self.coefficients.shape[1]} components)"


@dataclass(frozen=True)
class SpeechTrack:
    """What the speech network heard: how the mouth moves, and which phone sounds when.

    Parameters
    ----------
    motion
        The mouth's motion.
    phones
        (n, P) float32, n as in ``motion``: probability of each class of
        :data:`labial.speech.phones.PHONES` at row ``i / motion.rate`` seconds; rows sum to 1.
        Column 0 is silence, which is also what noise and music without a voice are.
    """

    motion: MouthMotion
    phones: FloatArray

    def __post_init__(self) -> None:
        if self.phones.ndim != 2 or len(self.phones) != len(self.motion):
            raise ValueError(f"phones {self.phones.shape} for {len(self.motion)} rows of motion")

    def __len__(self) -> int:
        return len(self.motion)

    @property
    def voice(self) -> FloatArray:
        """(n,) float32 0..1: voice activity, the probability that somebody speaks."""
        return np.asarray(1 - self.phones[:, 0], np.float32)

    def __repr__(self) -> str:
        return f"SpeechTrack({len(self) / self.motion.rate:.2f}s, {self.phones.shape[1]} phones)"


Watch: TypeAlias = Callable[[Frame], None]
"""``watch(frame)`` is shown frames of an output, in order, as they are made."""


@dataclass(frozen=True)
class FileRules:
    """How much a stranger's file may hold.

    Parameters
    ----------
    seconds
        Of pictures or sound.
    pixels, side
        Of a picture, in all and along its longer side.
    frames
        Pictures.
    frame_rate
        Pictures a second.
    sound_rate, channels
        Samples a second, and their channels.
    text
        Bytes of a script or of segments.
    """

    seconds: float = 4 * 3600
    pixels: int = 50_000_000
    side: int = 16384
    frames: int = 2_000_000
    frame_rate: int = 1000
    sound_rate: int = 384_000
    channels: int = 32
    text: int = 4 << 20


@dataclass(frozen=True)
class Vetted:
    """What a stranger's file was found to be.

    Parameters
    ----------
    holds
        ``video``, ``photo``, ``speech``, ``script``, ``segments`` or ``boxes``.
    extension
        That its name should have, with a dot.
    facts
        ``format``, ``seconds``, ``width``, ``height``, ``fps``, ``frames``, ``codec`` and ``sound``
        where they are known.
    """

    holds: Literal["video", "photo", "speech", "script", "segments", "boxes"]
    extension: str
    facts: dict[str, Any]
