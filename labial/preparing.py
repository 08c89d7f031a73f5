"""What is to be made of a video, and all that can be checked before the work."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from pathlib import Path

from labial import seen
from labial.analysis import Analysis, analyse
from labial.errors import FaceError, OptionError
from labial.face.timeline import overview
from labial.media.encoders import EncodePlan, EncodeSettings
from labial.media.picture import check_png
from labial.media.probe import MediaInfo
from labial.media.read import VideoReader, length_of
from labial.media.sequence import with_rate
from labial.media.sound_file import ENDING
from labial.media.write import check_target
from labial.options import DubOptions
from labial.report.write import report_files
from labial.soundtrack.level import leveled
from labial.takes import SegmentsOf, Take, expect_words, whole_of
from labial.timeline import Part
from labial.types import Hook

# Of speech, in seconds, before it is told.
_LEAST_LOST = Fraction(1, 10)


class Film:
    """The video of one or several jobs; what is asked of it is found out once."""

    def __init__(self, video: str | os.PathLike[str], options: DubOptions) -> None:
        self._options = options
        self._seen: Analysis | None = None
        self.path = Path(video) if options.fps is None else with_rate(Path(video), options.fps)

    @cached_property
    def media(self) -> MediaInfo:
        """What its file says."""
        with VideoReader(self.path) as reader:
            return reader.media

    @cached_property
    def content(self) -> str:
        """The digest of its bytes."""
        return seen.digest(self.path)

    @cached_property
    def length(self) -> Fraction:
        """Seconds, as its file says."""
        return length_of(self.path)

    def analysis(self, tell: Hook) -> Analysis:
        """What the first pass sees in it."""
        if self._seen is None:
            content = self.content if self._options.cache else ""
            found = analyse(self.path, tell, content, self._options.threads)
            expect_a_face(self.path, found)
            self._seen = found
        return self._seen


@dataclass(frozen=True)
class Output:
    """One output, with all that can be checked before the work."""

    film: Film
    take: Take
    out: Path
    options: DubOptions
    settings: EncodeSettings
    plan: EncodePlan
    folder: Path
    notes: tuple[str, ...] = ()

    @classmethod
    def prepared(
        cls,
        film: Film,
        audio: str | os.PathLike[str] | None,
        out: str | os.PathLike[str],
        options: DubOptions,
        folder: Path,
        tell: Hook,
    ) -> Output:
        """Raise what is wrong with it; ``folder`` is for sounds that are made on the way.

        Who speaks in which segment can only be checked where the video was looked at.
        """
        expect_words(audio, options)
        named, source = film.path, film.media
        settings = EncodeSettings(
            options.codec, options.crf, options.preset, options.lossless, options.hardware,
            options.keep_audio, options.language, (), options.threads, repeatable=options.resume,
        )  # fmt: skip
        plan = check_target(out, source, settings, audio)
        if options.segments is None:
            ends = options.sync_mode in ("silence", "cut_off")
            asked = options.trim is not None or options.speech_at is not None
            room = _room(options, film.length) if ends or asked else None
            take: Take = whole_of(audio, options, folder, room if ends else None)
        else:
            take = SegmentsOf(named, options, audio).take(film.analysis(tell), folder)
            for file in take.files:
                check_target(out, source, settings, file)
        inputs = [Path(given) for given in (options.segments, options.srt, audio) if given]
        inputs += [*take.files, *(Path(s) for s in take.speakers if s.endswith(".json"))]
        if options.report is not None:
            report_files(options.report, (named, *inputs, out))
        if options.preview is not None:
            check_png(options.preview, (named, *inputs, out))
        return cls(film, take, Path(out), options, settings, plan, folder)

    def stretched(self, part: Part) -> Output:
        """Return it with speech as long as is asked for."""
        return replace(self, take=self.take.stretched(part, self.folder))

    def delivered(self, part: Part, limit: Fraction | None) -> tuple[Path, tuple[str, ...]]:
        """Return the file with its sound, of which so much is heard, and what there is to say."""
        sound, notes = self.take.sound(self.film.path, part, self.folder)
        if self.options.loudness is None:
            return sound, notes
        out = self.folder / f"leveled{ENDING}"
        report = leveled(sound, self.options.loudness, out, limit)
        return out, (*notes, report.summary())

    def with_others(self, outputs: Mapping[str, Output], part: Part, limit: Fraction) -> Output:
        """Return it with the sound of all others as more tracks, of which so much is heard."""
        more, notes = [], []
        for code, other in [*outputs.items()][1:]:
            longer = other.stretched(part)
            sound, told = longer.delivered(part, limit)
            more.append((code, sound))
            notes += [f"{code}: {note}" for note in (*told, *longer.cut_off(limit))]
        settings = replace(self.settings, more_speech=tuple(more))
        return replace(self, settings=settings, notes=tuple(notes))

    def cut_off(self, length: Fraction) -> tuple[str, ...]:
        """Say what of its speech so many seconds have no room for."""
        lost = self.take.cut_off(length)
        if lost < _LEAST_LOST:
            return ()
        return (f"speech cut off at the end, {float(lost):.1f} s lost",)


def _room(options: DubOptions, length: Fraction) -> Fraction:
    """Seconds from the speech's beginning on, in what is made of a video of so many seconds."""
    start, end = options.part or (Fraction(0), None)
    if start >= length:
        raise OptionError(f"--trim {options.trim}: the video is {float(length):.2f} s long")
    if options.speech_at is not None:
        start = Fraction(str(options.speech_at))
    end = length if end is None else min(end, length)
    if start >= end:
        raise OptionError(
            f"--speech-at {float(start):g}: what is made of the video ends at {float(end):.2f} s"
        )
    return end - start


def expect_a_face(
    video: str | os.PathLike[str], analysis: Analysis, window: range | None = None
) -> None:
    """Raise FaceError where no frame of a video, or of ``window``, can be re-synced."""
    frames = window or range(len(analysis.pts))
    _, quality, reasons = overview(analysis.tracks, len(analysis.pts))
    inside = slice(frames.start, frames.stop)
    if (quality[inside] > 0).any():
        return
    why = Counter(reasons[inside])
    counts = ", ".join(f"{reason} {count}" for reason, count in why.most_common())
    raise FaceError(
        f"no face to re-sync in {video} ({len(frames)} frames: {counts}): "
        "give a video that shows a face from the front, not small and not covered"
    )
