"""Make a filmed face speak other words: the whole story on one page.

Two passes over the video. The first reads it: faces, whose they are, poses, and a bank of their
mouths. Who speaks is dubbed; the speech becomes mouth motion in the way that this person moves,
fitted to the face. The second pass renders and writes.
"""

from __future__ import annotations

import os
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import cv2
import numpy as np
import numpy.typing as npt

from labial.adapting import adapt
from labial.audio.load import load_speech
from labial.composite.blend import compose
from labial.errors import FaceError, ReadError, SpeechError
from labial.face.timeline import NOBODY, overview
from labial.face.track import FaceTracker
from labial.media.encoders import EncodeSettings
from labial.media.picture import check_png, upright_rgb8, write_png
from labial.media.read import VideoReader
from labial.media.sequence import with_rate
from labial.media.write import VideoWriter, check_target
from labial.motion.predict import predict
from labial.motion.retarget import Retarget
from labial.motion.space import load_basis
from labial.motion.style import Style
from labial.motion.timing import frame_rate
from labial.motion.wanted import frame_mouths
from labial.options import DubOptions, Quality, overridden
from labial.render.appearance import Appearance
from labial.render.bank import BankCollector, Choice, MouthBank, Patch
from labial.render.learned import Learned
from labial.render.mouth import render_mouth
from labial.speaking.cast import LEFT_ALONE, cast
from labial.speaking.turns import take_turns
from labial.speech.visemes import visemes_at
from labial.types import FaceTrack, FloatArray, Frame, SpeechTrack

Hook = Callable[[str, int, int | None], None]
Made = TypeVar("Made")

WORKERS = 2
_PREVIEW_SECONDS = 10.0


@dataclass(frozen=True)
class DubReport:
    """What a dub did.

    Parameters
    ----------
    out
        The file written.
    frames
        Frames in the source, and in the output.
    resynced
        Frames whose mouth follows the new speech, wholly or faded.
    passed
        Reason → frames that were left as they were.
    dropped
        Parts of the source that the output's container cannot hold.
    skipped
        Packets and frames of the source that were damaged or out of time, and left out.
    resized
        Frames brought to the first one's size and format, where the source changes in mid-stream.
    style
        How the speaker moves, in a few words, and from how much that was learned; "" when the
        source shows too little of it.
    unheard
        Damaged packets of the speech; their time is kept as silence.
    adapted
        What the clip's own frames taught, in a few words; "" unless asked for.
    unrefined
        Re-synced frames on which the refiner strayed from what was filmed and was not, or only in
        part, believed.
    deinterlaced
        Frames of two fields, which the output shows as whole pictures.
    notes
        How the output is encoded where that is not as in the source, one phrase each.
    people
        Whom it dubbed and whom it left alone, in a few words; "" where there is one person.
    """

    out: Path
    frames: int
    resynced: int
    passed: dict[str, int]
    dropped: tuple[str, ...] = ()
    skipped: int = 0
    resized: int = 0
    style: str = ""
    unheard: int = 0
    unrefined: int = 0
    adapted: str = ""
    deinterlaced: int = 0
    notes: tuple[str, ...] = ()
    people: str = ""

    def summary(self) -> str:
        """Return a line for the user, one on people, one on style, and one on what was lost."""
        line = f"{self.out}: {self.resynced} of {self.frames} frames re-synced"
        if self.passed:
            why = ", ".join(f"{reason} {count}" for reason, count in sorted(self.passed.items()))
            line += f"; passed through: {why}"
        if self.unrefined:
            line += f"; refiner set aside: {self.unrefined}"
        if self.skipped:
            line += f"; left out as damaged or out of time: {self.skipped}"
        if self.resized:
            line += f"; brought to the first frame's size: {self.resized}"
        if self.deinterlaced:
            line += f"; deinterlaced: {self.deinterlaced}"
        if self.unheard:
            line += f"; damaged packets of the speech, silent: {self.unheard}"
        if self.people:
            line += f"\ndubbed: {self.people}"
        if self.style:
            line += f"\nstyle: {self.style}"
        if self.adapted:
            line += f"\nadapted: {self.adapted}"
        if self.notes:
            line += f"\n{'; '.join(self.notes)}"
        if self.dropped:
            line += f"\nnot carried over: {', '.join(self.dropped)}"
        return line


@dataclass(frozen=True)
class Analysis:
    """The first pass: tracks by their first frames; ``times`` (n,) in seconds from the start.

    ``length`` is the video's length with its last frame, in seconds; ``skipped`` counts what was
    left out as damaged or out of time, and what had to be brought to the first frame's size;
    ``deinterlaced`` counts frames of two fields.
    """

    tracks: list[FaceTrack]
    patches: list[Patch]
    times: npt.NDArray[np.float64]
    length: Fraction
    skipped: tuple[int, int] = (0, 0)
    deinterlaced: int = 0


@dataclass(frozen=True)
class Wanted:
    """What the second pass is to make of the first.

    ``mouths`` holds (len(track), K) for each track, ``visemes`` (n, 15) for each frame, ``looks``
    by the key of a track what its own frames taught.
    """

    mouths: list[FloatArray]
    visemes: FloatArray
    quality: Quality = "standard"
    looks: dict[int, Appearance] = field(default_factory=dict)


@dataclass(frozen=True)
class Done:
    """A frame of the output, why it was left as it was ("" if it was not), trust in the refiner."""

    frame: Frame
    reason: str = ""
    trust: float = 1.0


@contextmanager
def one_thread_each() -> Iterator[None]:
    """Stages and frames run side by side; OpenCV's own threads would only stand in the way."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before)


@one_thread_each()
def dub(
    video: str | os.PathLike[str],
    audio: str | os.PathLike[str],
    out: str | os.PathLike[str],
    options: DubOptions | None = None,
    *,
    hook: Hook | None = None,
    **overrides: Any,
) -> DubReport:
    """Re-sync the mouth in ``video`` to the speech in ``audio`` and write ``out``.

    Parameters
    ----------
    video
        Any file with a video stream that FFmpeg reads, or numbered pictures: their folder, or a
        pattern such as ``shots/%05d.png``.
    audio
        Any file with sound; its first sample belongs to the video's first frame.
    out
        Target; the extension chooses the container. ``out/%05d.png`` or an empty folder gets
        numbered pictures. Written beside itself and renamed when it
        is complete, so there is never half a file.
    options
        See :class:`labial.options.DubOptions`; single ones may be given as keywords instead.
    hook
        Called as ``hook(stage, done, total)`` after each step; ``total`` may be None.

    Raises
    ------
    ReadError, WriteError, SpeechError, FaceError, OptionError, WeightsError
        With one line that says what is wrong and what to do.
    """
    options = overridden(options or DubOptions(), overrides)
    tell = hook or (lambda stage, done, total: None)
    if options.fps is not None:
        video = with_rate(Path(video), options.fps)
    with VideoReader(video) as reader:
        source = reader.media
    speech = load_speech(audio)
    settings = EncodeSettings(
        options.codec, options.crf, options.preset, options.lossless, options.hardware,
        options.keep_audio, options.language,
    )  # fmt: skip
    check_target(out, source, settings, audio)
    if options.preview is not None:
        check_png(options.preview, (video, audio, out))
    analysis = analyse(video, tell)
    if not any((track.quality > 0).any() for track in analysis.tracks):
        raise FaceError(_nobody(Path(video), analysis))
    said, heard = predict(speech), own_speech(video)
    times, tracks = analysis.times, analysis.tracks
    turns = take_turns(tracks, times, heard)
    assert source.video is not None
    chosen = cast(options.speaker, tracks, times, turns, source.video)
    analysis = replace(analysis, tracks=chosen.tracks)
    if not any((track.quality > 0).any() for track in chosen.tracks):
        raise FaceError(_nobody(Path(video), analysis))
    mouths, styles = frame_mouths(
        tracks, times, said, heard, load_basis(), options,
        [turns.of(track).astype(np.float32) for track in tracks],
    )  # fmt: skip
    tell("listen", 1, 1)
    wanted = Wanted(mouths, visemes_at(said, times), options.quality)
    if options.quality == "pro":
        wanted = replace(wanted, looks=_looks(video, analysis, options.adapt_seconds, tell))
    show = _preview(analysis, mouths) if options.preview is not None else -1
    passed: Counter[str] = Counter()
    unrefined = 0
    with VideoWriter(out, source, settings, audio, analysis.length) as writer:
        for done in dubbed(video, analysis, wanted, tell):
            writer.write(done.frame)
            if done.reason:
                passed[done.reason] += 1
            unrefined += done.trust < 1
            if done.frame.index == show and options.preview is not None:
                write_png(options.preview, upright_rgb8(done.frame))
    n = writer.frames
    dropped = tuple(writer.dropped)
    lost = analysis.skipped
    resynced = n - passed.total()
    return DubReport(
        Path(out), n, resynced, dict(passed), dropped, *lost, _told(styles, chosen.tracks),
        speech.damaged, unrefined, _taught(wanted) if options.quality == "pro" else "",
        analysis.deinterlaced, writer.plan.notes, chosen.summary(times),
    )  # fmt: skip


def own_speech(video: str | os.PathLike[str]) -> SpeechTrack | None:
    """Listen to the source's own sound; None where it has none that can be heard."""
    try:
        return predict(load_speech(video))
    except (SpeechError, ReadError):
        return None


def analyse(video: str | os.PathLike[str], tell: Hook) -> Analysis:
    """First pass: follow the faces and collect their mouths.

    Raises
    ------
    ReadError, WeightsError
    """
    bank = BankCollector()
    times: list[float] = []
    end = Fraction(0)
    with (
        VideoReader(video) as reader,
        closing(FaceTracker()) as tracker,
        ThreadPoolExecutor(1) as aside,
    ):
        total = reader.info.n_frames or None
        filed: Future[None] | None = None
        for frame in reader.frames():
            faces = tracker.observe(frame)
            if filed is not None:
                filed.result()
            filed = aside.submit(bank.offer, frame, faces)
            if not times:
                begin = frame.time
            times.append(float(frame.time - begin))
            length = frame.duration * frame.time_base or 1 / (reader.info.rate or Fraction(25))
            end = frame.time - begin + length
            tell("analyse", len(times), total)
        if filed is not None:
            filed.result()
        tracks = tracker.finish()
    return Analysis(
        tracks, bank.finish(), np.array(times), end, (reader.skipped, reader.resized),
        reader.deinterlaced,
    )  # fmt: skip


def dubbed(
    video: str | os.PathLike[str], analysis: Analysis, wanted: Wanted, tell: Hook
) -> Iterator[Done]:
    """Second pass: yield every frame of the video, in order, with its mouth as ``wanted``."""
    total = len(analysis.times)
    with (
        VideoReader(video) as reader,
        closing(in_order(_renderings(reader, analysis, wanted))) as rendered,
    ):
        for done, made in enumerate(rendered, 1):
            yield made
            tell("render", done, total)


def _renderings(
    reader: VideoReader, analysis: Analysis, wanted: Wanted
) -> Iterator[Callable[[], Done]]:
    coming = deque(zip(analysis.tracks, wanted.mouths, strict=True))
    plans: tuple[_Plan, ...] = ()
    for frame in reader.frames():
        plans = tuple(plan for plan in plans if frame.index < plan.end)
        while coming and coming[0][0].start <= frame.index:
            plans = (*plans, _Plan(*coming.popleft(), analysis, wanted))
        foreseen = frame.index < len(analysis.times)
        yield partial(_rendered, frame, plans) if foreseen else partial(_unforeseen, frame)


def _rendered(frame: Frame, plans: tuple[_Plan, ...]) -> Done:
    """Give each face that is to speak its new mouth, one after the other."""
    reasons, trust = [], 1.0
    for plan in plans:
        done = plan.render(frame)
        if done.reason:
            reasons.append(done.reason)
        else:
            frame, trust = done.frame, min(trust, done.trust)
    if len(reasons) < len(plans):
        return Done(frame, trust=trust)
    # Of those who are to speak one would rather know why they do not.
    return Done(frame, min(reasons, key=LEFT_ALONE.__contains__, default=NOBODY))


def in_order(work: Iterable[Callable[[], Made]]) -> Generator[Made, None, None]:
    """Do ``work`` side by side, a few pieces ahead; yield what it made, in order."""
    waiting: deque[Future[Made]] = deque()
    with ThreadPoolExecutor(WORKERS) as pool:
        for piece in work:
            waiting.append(pool.submit(piece))
            if len(waiting) > 2 * WORKERS:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _looks(
    video: str | os.PathLike[str], analysis: Analysis, seconds: float, tell: Hook
) -> dict[int, Appearance]:
    """Let the clip's own frames teach how its faces look."""
    shots = []
    for track in analysis.tracks:
        bank = MouthBank(track, analysis.patches)
        if bank.patches and (track.quality >= 1).any():
            shots.append((track, bank, analysis.times[track.rows]))
    looks = adapt(video, shots, seconds, tell)
    tell("adapt", int(seconds), int(seconds))
    return looks


def _taught(wanted: Wanted) -> str:
    looks = wanted.looks.values()
    if not looks:
        return "the clip shows too little of its mouth; as standard"
    pairs = sum(look.pairs for look in looks)
    gain = sum(look.pairs * look.gain for look in looks) / pairs
    return f"{len(looks)} shots from {pairs} pairs of frames, {gain:+.1f} dB on frames held back"


def _unforeseen(frame: Frame) -> Done:
    return Done(frame, "not seen in the first pass")


class _Plan:
    """All that rendering one face needs, decided before its first frame."""

    def __init__(
        self, track: FaceTrack, mouths: FloatArray, analysis: Analysis, wanted: Wanted
    ) -> None:
        self.end = track.end
        self._track = track
        self._choices: list[Choice | None] = [None] * len(track)
        self._others = self._choices
        self._learned: Learned | None = None
        if not (track.quality > 0).any():
            return
        rate = frame_rate(analysis.times[track.rows])
        self._retarget = Retarget(track, load_basis(), mouths, rate)
        bank = MouthBank(track, analysis.patches)
        every, learned = np.arange(len(track)), wanted.quality != "fast"
        if bank.patches:
            lips = self._retarget.lips()
            choices = bank.choose(every, lips)
            self._choices = [*choices]
            if learned:
                self._others = [*bank.choose(every, lips, choices)]
        if learned:
            look = wanted.looks.get(track.key)
            self._learned = Learned(track, self._retarget, bank, wanted.visemes[track.rows], look)

    def render(self, frame: Frame) -> Done:
        """Return the frame with its new mouth, or as it is and the reason why."""
        row = frame.index - self._track.start
        if self._track.quality[row] <= 0:
            return Done(frame, str(self._track.reasons[row]))
        try:
            layers = render_mouth(
                frame, self._track, self._retarget, self._choices[row],
                self._learned, self._others[row],
            )  # fmt: skip
            if layers is None:
                return Done(frame, "mouth out of frame")
            made = compose(layers, self._learned.refiner if self._learned else None)
            return Done(made.frame, trust=made.trust)
        except (cv2.error, np.linalg.LinAlgError):
            # A picture that geometry cannot cope with must not cost the others.
            return Done(frame, "could not be rendered")


def _told(styles: dict[int, Style], tracks: list[FaceTrack]) -> str:
    """The styles of the people who are dubbed."""
    dubbed = {track.person for track in tracks if (track.quality > 0).any()}
    told = {person: styles[person].summary() for person in sorted(dubbed)}
    if len(told) == 1:
        return next(iter(told.values()))
    return "; ".join(f"person {person} {style}" for person, style in told.items() if style)


def _nobody(video: Path, analysis: Analysis) -> str:
    why = Counter(overview(analysis.tracks, len(analysis.times))[2])
    counts = ", ".join(f"{reason} {count}" for reason, count in why.most_common())
    return (
        f"no face to re-sync in {video} ({len(analysis.times)} frames: {counts}): "
        "give a video in which a face is seen from the front"
    )


def _preview(analysis: Analysis, mouths: list[FloatArray]) -> int:
    """Index of the frame whose mouth opens widest in the first seconds with a face."""
    basis, n = load_basis(), len(analysis.times)
    begin = analysis.times[int((overview(analysis.tracks, n)[1] > 0).argmax())]
    widest = np.full(n, -1.0)
    for track, mouth in zip(analysis.tracks, mouths, strict=True):
        opening = np.where(track.quality > 0, basis.aperture(mouth).clip(0) * track.quality, -1)
        widest[track.rows] = np.maximum(widest[track.rows], opening)
    return int(np.where(analysis.times <= begin + _PREVIEW_SECONDS, widest, -1).argmax())
