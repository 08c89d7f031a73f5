"""A still picture whose head lives: it sways, nods, blinks and looks about."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from labial import geometry
from labial.motion.head import HeadMotion
from labial.render.eyes import Eyes
from labial.render.photo import HeadRelief
from labial.types import FaceTrack, Frame

# Beyond this yaw, in degrees, a relief shows what it does not have.
_TURNED = 40.0
# Inter-ocular distances in pixels below which lids and irises are too few pixels to be moved.
_SMALL = 20.0


class LivingHead:
    """One head of a picture, ready to be moved.

    Parameters
    ----------
    frame
        The picture.
    track
        Its face.
    row
        The row of the track that is seen in ``frame``.
    cut
        Move the head before its background; False bends the picture softly around it.
    """

    def __init__(self, frame: Frame, track: FaceTrack, row: int, *, cut: bool = True) -> None:
        landmarks, scale = track.landmarks[row], float(track.scale[row])
        self._eyes = Eyes(frame, landmarks, scale)
        self._head = HeadRelief(
            frame, landmarks, scale, track.rotation[row], track.translation[row], cut=cut
        )

    @property
    def layered(self) -> bool:
        """The head was told from its background."""
        return self._head.layered

    def move(self, frame: Frame, motion: HeadMotion, row: int) -> Frame:
        """Move eyes and head as in a row of ``motion``.

        Parameters
        ----------
        frame
            The picture, whose mouth may have changed; its planes are written to.

        Returns
        -------
        The same frame; samples that nothing reaches keep their exact value.
        """
        frame = self._eyes.move(frame, float(motion.lids[row]), motion.gaze[row])
        return self._head.move(frame, motion.turn[row], motion.shift[row], float(motion.brows[row]))


def can_live(frame: Frame, track: FaceTrack, row: int) -> bool:
    """Tell whether a face is seen well enough to be moved: whole, uncovered and from the front."""
    if not track.present[row] or (len(track.cover) and track.cover[row] > 0):
        return False
    yaw, _, _ = geometry.angles_degrees(track.rotation[row])
    oval = track.landmarks[row][list(geometry.FACE_OVAL), :2]
    inside = (oval > 0).all() and (oval < (frame.width, frame.height)).all()
    return bool(inside and abs(float(yaw)) <= _TURNED and track.scale[row] >= _SMALL)


def own_planes(frame: Frame, other: Frame) -> Frame:
    """Return the frame with planes that may be written to and share nothing with ``other``'s."""
    pairs = zip(frame.planes, other.planes, strict=True)
    shared = [not a.flags.writeable or np.may_share_memory(a, b) for a, b in pairs]
    planes = (a.copy() if s else a for a, s in zip(frame.planes, shared, strict=True))
    return replace(frame, planes=tuple(planes)) if any(shared) else frame
