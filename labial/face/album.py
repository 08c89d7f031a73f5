"""Who somebody is: the best looks at each face, kept small, and what a network makes of them.

SFace of Zhong et al., "SFace: sigmoid-constrained hypersphere loss for robust face recognition",
IEEE TIP 2021.
"""

from __future__ import annotations

import tempfile
from array import array
from collections.abc import Iterable

import cv2
import numpy as np
import numpy.typing as npt

from labial import geometry, weights
from labial.pixels import sample_rgb8
from labial.types import Face, FloatArray, Frame
from labial.weights.network import open_network

SIZE = 112
LOOKS = 4
"""Looks kept of one track."""

# Where the network wants the eyes' middles, the tip of the nose and the corners of the mouth.
_FIVE = ((33, 133), (362, 263), (1,), (61,), (291,))
_PLACES = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655],
     [70.7299, 92.2041]]
)  # fmt: skip
# Looks are taken so many frames apart. Eyes closer than the first number of pixels, and a nose
# further to the side of their middle than the second, in eye distances, tell nobody.
_APART = 16
_LEAST_EYES, _MOST_TURNED = 18.0, 0.5


class Album:
    """Looks at faces while frames stream by; memory stays flat, for they go to a file."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile(prefix="labial-album-")  # noqa: SIM115
        self._open: dict[int, list[tuple[float, npt.NDArray[np.uint8]]]] = {}
        self._kept: dict[int, array[int]] = {}
        self._next: dict[int, int] = {}
        self._count = 0

    def offer(self, key: int, frame: Frame, face: Face) -> None:
        """Look at the face of track ``key``, if it is time and it is seen well."""
        if frame.index < self._next.get(key, 0):
            return
        worth = _worth(face.landmarks)
        if worth <= 0:
            return
        self._next[key] = frame.index + _APART
        look = aligned_face(frame, face.landmarks)
        worth *= float(np.log1p(cv2.Laplacian(look[..., 1], cv2.CV_32F).std()))
        looks = self._open.setdefault(key, [])
        looks.append((worth, look))
        if len(looks) > LOOKS:
            looks.remove(min(looks, key=lambda item: item[0]))

    def close_track(self, key: int) -> None:
        """Put the looks at a track that is over into the file."""
        self._next.pop(key, None)
        for _, look in self._open.pop(key, []):
            self._file.write(look.tobytes())
            self._kept.setdefault(key, array("q")).append(self._count)
            self._count += 1

    def vectors(self, keys: Iterable[int]) -> dict[int, FloatArray]:
        """Return (128,) of unit length for each closed track that was seen well enough.

        The dot product of two says how likely they are one person, -1..1.

        Raises
        ------
        WeightsError
            The network cannot be had.
        """
        wanted = {key: self._kept[key] for key in keys if key in self._kept}
        if not wanted:
            return {}
        network = Recognizer()
        found = {}
        for key, places in wanted.items():
            rows = []
            for place in places:
                self._file.seek(place * SIZE * SIZE * 3)
                data = self._file.read(SIZE * SIZE * 3)
                rows.append(network(np.frombuffer(data, np.uint8).reshape(SIZE, SIZE, 3)))
            mean = np.mean(rows, 0)
            found[key] = np.asarray(mean / max(float(np.linalg.norm(mean)), 1e-6), np.float32)
        return found

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()


class Recognizer:
    """Knows people again; not thread-safe."""

    def __init__(self) -> None:
        self._session = open_network(weights.path("sface"))

    def __call__(self, look: npt.NDArray[np.uint8]) -> FloatArray:
        """Return (128,) of unit length for a face as :func:`aligned_face` cuts it."""
        feed = {"data": look.transpose(2, 0, 1)[None].astype(np.float32)}
        (row,) = self._session.run(None, feed)[0]
        return np.asarray(row / np.linalg.norm(row), np.float32)


def aligned_face(frame: Frame, landmarks: FloatArray) -> npt.NDArray[np.uint8]:
    """Cut a face out upright, (112, 112, 3) uint8 RGB, its eyes and mouth where they always are."""
    scale, turn, shift = geometry.fit_similarity(_five(landmarks), _PLACES)
    affine = np.concatenate([scale * turn, shift[:, None]], 1).astype(np.float32)
    return np.asarray(sample_rgb8(frame, affine, (SIZE, SIZE)), np.uint8)


def _five(landmarks: FloatArray) -> FloatArray:
    return np.stack([landmarks[list(points), :2].mean(0) for points in _FIVE])


def _worth(landmarks: FloatArray) -> float:
    """How much a look says before it is looked at: large and from the front; 0 for nothing."""
    right, left, nose = _five(landmarks)[:3]
    across = left - right
    eyes = float(np.linalg.norm(across))
    if eyes < _LEAST_EYES:
        return 0.0
    aside = abs(float((nose - (left + right) / 2) @ across)) / eyes**2
    return min(eyes / 60, 1.0) * max(1 - aside / _MOST_TURNED, 0.0)
