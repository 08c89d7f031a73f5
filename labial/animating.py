"""Make a photo speak: the whole story on one page.

The photo is brought upright, framed, and its face found once. The speech becomes mouth motion, as
for a film, and head motion: nods, blinks, small movements of the eyes. Every frame is the photo
with its mouth moved, its eyes moved, and last the head turned before its background.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from labial.composite.blend import compose
from labial.errors import FaceError, ReadError
from labial.face.track import FaceTracker
from labial.media.encoders import EncodeSettings
from labial.media.orientation import exif_orientation
from labial.media.probe import MediaInfo, show
from labial.media.read import VideoReader
from labial.media.spool import enough_room, made_sounds
from labial.media.write import VideoWriter, check_target
from labial.motion.head import HeadMotion, loudness_rows, move_head
from labial.motion.retarget import Retarget
from labial.motion.space import load_basis
from labial.motion.style import average
from labial.motion.wanted import wanted_motion
from labial.options import AnimateOptions, overridden
from labial.render.bank import BankCollector, MouthBank
from labial.render.framing import Framing, frame_head, picture, upright_rgb
from labial.render.learned import Learned
from labial.render.living import LivingHead
from labial.render.mouth import render_mouth
from labial.rendering import in_order, one_thread_each
from labial.speech.visemes import visemes_at
from labial.takes import whole_of
from labial.types import Face, FaceTrack, FloatArray, Frame, Hook, Watch

_STILLS = ("image2", "jpeg_pipe")
_LOOKED_AT = 2048


@dataclass(frozen=True)
class AnimateReport:
    """What came of a photo.

    Parameters
    ----------
    out
        The file written.
    frames
        Frames in it.
    width, height
        Their size in pixels.
    fps
        Frames a second.
    blinks
        How often the eyes close.
    layered
        The head was told from its background, which stands still; otherwise the picture bends
        softly around the head.
    dropped
        What the output's format cannot hold, one phrase each.
    unheard
        Damaged packets of the speech; their time is kept as silence.
    unrefined
        Frames on which the refiner strayed from the photo and was not, or only in part, believed.
    notes
        What there is to say of the speech, one phrase each.
    """

    out: Path
    frames: int
    width: int
    height: int
    fps: Fraction
    blinks: int
    layered: bool
    dropped: tuple[str, ...] = ()
    unheard: int = 0
    unrefined: int = 0
    notes: tuple[str, ...] = ()

    def summary(self) -> str:
        """Return a line for the user, and one on what was lost."""
        seconds = float(self.frames / self.fps)
        line = f"{self.out}: {self.frames} frames of {self.width}x{self.height}, {seconds:.1f} s"
        if not self.layered:
            line += "; head and background could not be told apart and move softly together"
        if self.unrefined:
            line += f"; refiner set aside: {self.unrefined}"
        if self.unheard:
            line += f"; damaged packets of the speech, silent: {self.unheard}"
        if self.notes:
            line += f"\n{'; '.join(self.notes)}"
        if self.dropped:
            line += f"\nnot carried over: {', '.join(self.dropped)}"
        return line


@dataclass(frozen=True)
class Portrait:
    """A photo as it will be animated: the picture, and its face at every frame of the output.

    Parameters
    ----------
    frame
        The framed picture.
    track
        Its face, ``n`` times the same rows (views, not copies).
    """

    frame: Frame
    track: FaceTrack


@enough_room()
@one_thread_each()
def animate(
    photo: str | os.PathLike[str],
    audio: str | os.PathLike[str] | None,
    out: str | os.PathLike[str],
    options: AnimateOptions | None = None,
    *,
    hook: Hook | None = None,
    watch: Watch | None = None,
    **overrides: Any,
) -> AnimateReport:
    """Let the face in ``photo`` speak ``audio`` and write ``out``.

    Parameters
    ----------
    photo
        A photo, painting or drawing of a face; any picture that FFmpeg reads.
    audio
        Any file with sound, or a script (.srt, .vtt, .txt); the output is as long as the speech,
        to the frame. None where the options say what is said.
    out
        Target video; the extension chooses the container. Written beside itself and renamed when
        it is complete, so there is never half a file.
    options
        See :class:`labial.options.AnimateOptions`; single ones may be given as keywords instead.
    hook
        Called as ``hook(stage, done, total)`` after each step.
    watch
        Is shown every frame that is made, in order; it must return soon.

    Raises
    ------
    ReadError, WriteError, SpeechError, FaceError, OptionError, WeightsError
        With one line that says what is wrong and what to do.
    """
    options = overridden(options or AnimateOptions(), overrides)
    tell = hook or (lambda stage, done, total: None)
    with made_sounds() as folder:
        return _animated(photo, audio, out, options, tell, watch, folder)


def _animated(
    photo: str | os.PathLike[str],
    audio: str | os.PathLike[str] | None,
    out: str | os.PathLike[str],
    options: AnimateOptions,
    tell: Hook,
    watch: Watch | None,
    folder: Path,
) -> AnimateReport:
    """What :func:`animate` does, with a folder for sounds that are made."""
    media, rgb = read_photo(photo)
    fps = frame_rate(options.fps)
    dubbing = options.mouth()
    settings = EncodeSettings(dubbing.codec, dubbing.crf, dubbing.preset, language=dubbing.language)
    check_target(out, media, settings, audio)
    take = whole_of(audio, dubbing, folder)
    speech = take.recording
    n = max(1, math.ceil(Fraction(len(speech.samples), speech.rate) * fps))
    portrait = look_at(rgb, n, options, Path(photo))
    tell("analyse", 1, 1)
    times = np.arange(n) / float(fps)
    (saying,) = take.speeches(n / fps)
    said, basis = saying.heard, load_basis()
    mouths = wanted_motion(said, average(basis), basis, dubbing).at(times)
    motion = move_head(said, loudness_rows(speech), times, options.motion, options.seed)
    tell("listen", 1, 1)
    visemes = visemes_at(said, times) if options.quality == "standard" else None
    stage = Stage(portrait, mouths, visemes, motion, fps)
    source = _as_source(media, portrait.frame, fps)
    with VideoWriter(out, source, settings, take.path, n / fps, rate=fps) as writer:
        for frame in animated(stage, n, tell):
            writer.write(frame)
            if watch is not None:
                watch(frame)
    return AnimateReport(
        Path(out),
        n,
        portrait.frame.width,
        portrait.frame.height,
        fps,
        len(motion.blinks),
        stage.layered,
        tuple(writer.dropped),
        speech.damaged,
        len(stage.unrefined),
        take.notes,
    )


def read_photo(path: str | os.PathLike[str]) -> tuple[MediaInfo, FloatArray]:
    """Read a picture as it is to be seen: what its file says, and (h, w, 3) float32 RGB 0..1.

    Raises
    ------
    ReadError
        Missing, damaged, no picture, or a video.
    """
    with VideoReader(path) as reader:
        frames = reader.frames()
        frame = next(frames)
        if reader.media.container not in _STILLS and next(frames, None) is not None:
            raise ReadError(f"{show(Path(path))} is a video: use labial dub, or give a photo")
        return reader.media, upright_rgb(frame, exif_orientation(reader.path))


def look_at(rgb: FloatArray, n: int, options: AnimateOptions, path: Path) -> Portrait:
    """Find the face in an upright photo (h, w, 3) and frame it, for ``n`` frames.

    Raises
    ------
    FaceError
        There is no face, or it is too small, cut off or turned away.
    """
    height, width = rgb.shape[:2]
    shrink = min(1.0, _LOOKED_AT / max(width, height))
    whole = Framing(0, 0, width, height, round(width * shrink), round(height * shrink))
    with closing(FaceTracker()) as tracker:
        tracker.observe(picture(rgb, whole))
        tracks = tracker.finish()
    if not tracks:
        raise FaceError(_no_face(show(path), "no face"))
    track = max(tracks, key=lambda track: float(track.scale[0]))
    if track.quality[0] <= 0:
        raise FaceError(_no_face(show(path), str(track.reasons[0])))
    landmarks = track.landmarks[0] / np.float32(shrink)
    framing = frame_head(width, height, landmarks, options.format, options.height)
    return Portrait(picture(rgb, framing), _repeated(track, shrink, framing, n))


def _no_face(name: str, reason: str) -> str:
    if reason == "turned away":
        return f"the face in {name} is turned away: give a photo in which it is seen from the front"
    if reason == "too small":
        return f"the face in {name} is too small: give a larger photo, or cut it down to the face"
    if reason in ("mouth out of frame", "chin out of frame"):
        return f"the mouth in {name} is cut off: give a photo that shows the whole face"
    if reason == "blurred":
        return f"the face in {name} is blurred: give a sharper photo"
    if reason == "mouth covered":
        return f"the mouth in {name} is covered: give a photo that shows it"
    return f"no face in {name}: give a photo in which a face is seen from the front"


def _repeated(track: FaceTrack, shrink: float, framing: Framing, n: int) -> FaceTrack:
    """The photo's face, seen at ``shrink`` of its size, ``n`` times in the framed picture."""
    seen = np.float32(shrink)
    rows = {
        "landmarks": framing.points(track.landmarks[0] / seen),
        "present": track.present[0],
        "scale": np.float32(track.scale[0] / seen * np.mean(framing.scale)),
        "rotation": track.rotation[0],
        "translation": framing.points(track.translation[0] / seen),
        "quality": track.quality[0],
    }
    views: dict[str, Any] = {
        name: np.broadcast_to(row, (n, *np.shape(row))) for name, row in rows.items()
    }
    reasons = np.broadcast_to(np.array("", object), (n,))
    return replace(track, start=0, reasons=reasons, cover=np.zeros(0, np.float32), **views)


def own_bank(portrait: Portrait) -> MouthBank:
    """Return the photo's own mouth as a bank: one that smiles shows its own teeth."""
    own = BankCollector()
    own.offer(portrait.frame, {portrait.track.key: Face(portrait.track.landmarks[0], 1.0)})
    return MouthBank(portrait.track, own.finish())


class Stage:
    """All that rendering needs, decided before the first frame; ``visemes`` for learned parts."""

    def __init__(
        self,
        portrait: Portrait,
        mouths: FloatArray,
        visemes: FloatArray | None,
        motion: HeadMotion,
        fps: Fraction,
    ) -> None:
        self._portrait, self._motion, self._tick = portrait, motion, 1 / fps
        track = portrait.track
        self._retarget = Retarget(track, load_basis(), mouths, float(fps))
        # Rows on which the refiner strayed.
        self.unrefined: set[int] = set()
        self._learned: Learned | None = None
        if visemes is not None:
            self._learned = Learned(track, self._retarget, own_bank(portrait), visemes)
        self._head = LivingHead(portrait.frame, track, 0)

    @property
    def layered(self) -> bool:
        """The head was told from its background."""
        return self._head.layered

    def render(self, row: int) -> Frame:
        """Return frame ``row`` of the output."""
        still = replace(self._portrait.frame, index=row, pts=row, time_base=self._tick, duration=1)
        return self._head.move(self._speaking(still), self._motion, row)

    def _speaking(self, frame: Frame) -> Frame:
        """The photo with its new mouth, in planes of its own."""
        learned, track = self._learned, self._portrait.track
        layers = render_mouth(frame, track, self._retarget, None, learned)
        if layers is None:
            return replace(frame, planes=tuple(plane.copy() for plane in frame.planes))
        made = compose(layers, learned.refiner if learned else None)
        if made.trust < 1:
            self.unrefined.add(frame.index)
        return made.frame


def animated(stage: Stage, n: int, tell: Hook) -> Iterator[Frame]:
    """Yield the ``n`` frames of the output in order."""
    for done, frame in enumerate(in_order(partial(stage.render, row) for row in range(n)), 1):
        yield frame
        tell("render", done, n)


def frame_rate(fps: float) -> Fraction:
    """Frames a second as an exact number: 23.976, 29.97, 59.94 mean 24000/1001 and so on."""
    whole = round(fps)
    if fps != whole and abs(fps - whole * 1000 / 1001) < 0.005:
        return Fraction(whole * 1000, 1001)
    return Fraction(fps).limit_denominator(1000)


def _as_source(media: MediaInfo, frame: Frame, fps: Fraction) -> MediaInfo:
    """The photo's file, described as a video of what is written."""
    assert media.video is not None
    video = replace(
        media.video,
        codec="h264",
        width=frame.width,
        height=frame.height,
        format=frame.format,
        native_format=frame.format.name,
        rate=fps,
        guessed_rate=fps,
        time_base=1 / fps,
        bit_rate=0,
        sample_aspect=Fraction(1),
        color=frame.color,
        rotation=0,
        display_matrix=None,
    )
    return replace(media, video=video)
