"""Segments and media, checked against each other: all that is wrong at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from labial.errors import OptionError, ScriptError
from labial.media.probe import show
from labial.media.tags import language_code
from labial.options import DubOptions, overridden
from labial.planning.aloud import Speak, text_problem
from labial.planning.film import Film
from labial.planning.lines import Heard, Line, Plan
from labial.planning.listening import FASTEST, Sound, listen, words_of
from labial.script.problems import by_line
from labial.script.segments import WHO, Segment
from labial.script.times import shown_time

# Rounding of times in a file, and what nobody misses of a sound.
_CLOSE = Fraction(1, 10)
_MOST_LOST, _LITTLE_SEEN = 0.5, 0.5


class Check:
    """Collects what is wrong, and what may be, while segments become lines.

    Parameters
    ----------
    film
        The video.
    options
        Of the dub.
    name
        Of the file of segments.
    problems
        What is known to be wrong already; is added to.
    sounds
        What was heard in files, or what is wrong with them; is added to.
    """

    def __init__(
        self,
        film: Film,
        options: DubOptions,
        name: str,
        problems: list[str],
        sounds: dict[Path, Sound | str],
    ) -> None:
        self._film, self._options, self._name = film, options, name
        self._problems, self._warnings = problems, list[str]()
        self._sounds = sounds
        self._told: set[str] = set()
        # Of those whose name means nobody yet, nobody knows whether they are two.
        self._nameless = {told.split(":")[0] for told in problems if WHO in told}

    def done(self, segments: Sequence[Segment], speak: Speak | None) -> Plan:
        """Return the plan; raise ScriptError with all that is wrong."""
        ordered = sorted(map(self._said_by, segments), key=lambda one: (one.start, one.line))
        if not ordered and not self._problems:
            self._problems.append("there are no segments in it")
        for segment in ordered:
            self._check_place(segment)
            self._check_language(segment)
            if segment.audio is None and segment.end > segment.start:
                self._check_text(segment)
        self._check_overlaps(ordered)
        lines = [self._line(segment) for segment in ordered]
        self._raise()
        if speak is not None:
            lines = self._spoken(ordered, lines, speak)
            self._raise()
        return Plan(
            self._film.path,
            self._film.length,
            self._film.fps,
            tuple(line for line, _ in lines),
            tuple(by_line(self._warnings)),
            tuple(heard for _, heard in lines),
        )

    def _said_by(self, segment: Segment) -> Segment:
        """The segment, said by whom the dub's options name where it names nobody."""
        if segment.speaker != DubOptions().speaker:
            return segment
        return replace(segment, speaker=self._options.speaker)

    def _raise(self) -> None:
        if self._problems:
            raise ScriptError(self._name, by_line(self._problems))

    def _spoken(
        self, ordered: list[Segment], lines: list[tuple[Line, Heard]], speak: Speak
    ) -> list[tuple[Line, Heard]]:
        """The lines with text spoken, the others as they are."""
        silent = [k for k, segment in enumerate(ordered) if segment.audio is None]
        if not silent:
            return lines
        spoken = speak([ordered[k] for k in silent])
        self._warnings = [w for w in self._warnings if not w.endswith(_TO_SPEAK)]
        for k, said in zip(silent, spoken, strict=True):
            segment = replace(ordered[k], audio=said.audio)
            line, heard = self._line(segment)
            lines[k] = replace(line, phones=said.phones), heard
            for warning in said.warnings:
                self._warn(segment, warning)
            for problem in said.problems:
                self._wrong(segment, problem)
        return lines

    def _check_place(self, segment: Segment) -> None:
        length, frame = self._film.length, 1 / self._film.fps
        if segment.end <= segment.start:
            self._wrong(segment, "does not end after it starts")
        elif segment.start >= length:
            self._wrong(segment, f"starts at {shown_time(segment.start)}, and the video ends at "
                                 f"{shown_time(length)}")  # fmt: skip
        elif segment.end > length + max(frame, _CLOSE):
            self._wrong(segment, f"ends at {shown_time(segment.end)}, and the video at "
                                 f"{shown_time(length)}")  # fmt: skip
        if self._film.analysis is None:
            return
        asked = self._film.asked(segment.speaker)
        if isinstance(asked, str):
            self._wrong(segment, asked)

    def _check_language(self, segment: Segment) -> None:
        if segment.language:
            try:
                language_code(segment.language, "matroska")
            except OptionError as error:
                self._wrong(segment, str(error).removeprefix("--"))

    def _check_text(self, segment: Segment) -> None:
        fault = text_problem(segment, self._options)
        # What all texts lack is one problem.
        if fault and fault not in self._told:
            self._wrong(segment, fault)
            self._told.add(fault)

    def _check_overlaps(self, ordered: list[Segment]) -> None:
        """Find who would have to say two things at once."""
        lasting: list[Segment] = []
        for segment in ordered:
            lasting = [other for other in lasting if other.end > segment.start + _CLOSE / 2]
            for other in lasting:
                if self._nameless & {_place(segment), _place(other)}:
                    continue
                until = min(other.end, segment.end)
                who = self._both(other, segment, until)
                if who:
                    self._wrong(
                        segment,
                        f"overlaps {_place(other)}, which lasts until "
                        f"{shown_time(other.end)}, and both are said by {who}",
                    )
                    break
            lasting.append(segment)

    def _both(self, one: Segment, other: Segment, until: Fraction) -> str:
        """Name whoever would say both from the start of ``other`` on; "" for nobody."""
        speakers = {one.speaker, other.speaker}
        if len(speakers) == 1 or "all" in speakers:
            return _named(one.speaker)
        if self._film.analysis is None:
            return ""
        person = self._film.together(one.speaker, other.speaker, other.start, until)
        return "" if person is None else f"person {person}"

    def _line(self, segment: Segment) -> tuple[Line, Heard]:
        """Make a line of a segment; what is wrong with its sound goes to the problems."""
        room = max(min(segment.end, self._film.length) - segment.start, Fraction(0))
        own = {"speaker": segment.speaker, **segment.options}
        try:
            options = overridden(self._options, own)
        except OptionError as error:
            self._wrong(segment, str(error).removeprefix("--"))
            options = self._options
        start, end, heard = Fraction(0), room, Heard()
        if segment.audio is None:
            heard = self._read_aloud(segment)
        else:
            start, end, heard = self._listened(segment, segment.audio)
        if self._film.analysis is not None and room:
            heard = replace(heard, people=self._people(segment))
        line = Line(
            segment.start, segment.start + room, segment.audio, start, min(end, start + room),
            segment.speaker, options, segment.text, segment.voice, segment.language, segment.line,
        )  # fmt: skip
        return line, heard

    def _people(self, segment: Segment) -> tuple[int, ...]:
        people = self._film.seen(segment.speaker, segment.start, segment.end)
        share = max(people.values(), default=0)
        if isinstance(self._film.asked(segment.speaker), str):
            return ()
        why = self._film.why_not(segment.speaker, segment.start, segment.end)
        if not share:
            self._warn(segment, f"{_named(segment.speaker)} cannot be dubbed in it, only the sound "
                                f"changes: {why}")  # fmt: skip
        elif sum(people.values()) < _LITTLE_SEEN:
            self._warn(segment, f"{_named(segment.speaker)} can be dubbed in only "
                                f"{sum(people.values()):.0%} of it: {why}")  # fmt: skip
        return tuple(people)

    def _read_aloud(self, segment: Segment) -> Heard:
        lasts = float(segment.end - segment.start)
        if lasts <= 0:
            return Heard()
        pace = 60 * words_of(segment.text) / lasts
        if pace > FASTEST:
            self._warn(segment, f"{pace:.0f} words a minute {_TO_SPEAK}")
        return Heard(None, pace, "words")

    def _listened(self, segment: Segment, path: Path) -> tuple[Fraction, Fraction, Heard]:
        """Return which stretch of the audio is laid, and what is heard in it."""
        room = segment.end - segment.start
        nothing = segment.audio_start, segment.audio_start + room, Heard()
        sound = self._sound(path)
        if isinstance(sound, str):
            # Many segments of one file have one problem.
            if sound not in self._told:
                self._wrong(segment, sound)
                self._told.add(sound)
            return nothing
        name, start = show(path), segment.audio_start
        last = sound.length if segment.audio_end is None else segment.audio_end
        if start >= sound.length:
            self._wrong(segment, f"begins at {shown_time(start)} of {name}, which is "
                                 f"{shown_time(sound.length)} long")  # fmt: skip
            return nothing
        if last > sound.length + _CLOSE:
            self._wrong(segment, f"goes to {shown_time(last)} of {name}, which is "
                                 f"{shown_time(sound.length)} long")  # fmt: skip
            return nothing
        last = min(last, sound.length)
        if segment.end <= segment.start:
            return nothing
        if last <= start:
            self._wrong(segment, f"no stretch of {name} is left from {shown_time(start)} on")
            return nothing
        if sound.silent(start, last):
            self._wrong(segment, f"{name} is silent from {shown_time(start)} to {shown_time(last)}")
            return nothing
        end = min(last, start + room)
        self._check_cut(segment, sound, last, end)
        heard = sound.heard(float(start), float(end), segment.text if end == last else "")
        if heard.words_a_minute is not None and heard.words_a_minute > FASTEST:
            counted = "" if heard.counted == "words" else " by the vowels heard"
            self._warn(segment, f"about {heard.words_a_minute:.0f} words a minute{counted}: more "
                                f"than {FASTEST} blur")  # fmt: skip
        return start, end, heard

    def _check_cut(self, segment: Segment, sound: Sound, last: Fraction, end: Fraction) -> None:
        """Tell what of the speech does not fit into the segment."""
        spoken = sound.spoken(float(segment.audio_start), float(last))
        if not spoken:
            self._warn(segment, "no speech is heard in its sound: music, or noise?")
            return
        whole = sum(b - a for a, b in spoken)
        lost = sum(max(b - max(a, float(end)), 0.0) for a, b in spoken)
        if lost > _MOST_LOST * whole:
            self._wrong(segment, f"{lost:.1f} of {whole:.1f} s of speech do not fit into it: "
                                 "lengthen it, or shorten the speech")  # fmt: skip
        elif lost > _CLOSE:
            self._warn(segment, f"speech is longer than it: {lost:.1f} s are cut off")

    def _sound(self, path: Path) -> Sound | str:
        if path not in self._sounds:
            self._sounds[path] = listen(path)
        return self._sounds[path]

    def _wrong(self, segment: Segment, problem: str) -> None:
        self._problems.append(_placed(segment, problem))

    def _warn(self, segment: Segment, warning: str) -> None:
        self._warnings.append(_placed(segment, warning))


_TO_SPEAK = f"to be spoken: more than {FASTEST} blur"


def _placed(segment: Segment, told: str) -> str:
    return f"{_place(segment)}: {told}"


def _place(segment: Segment) -> str:
    if segment.line:
        return f"line {segment.line}"
    return f"segment at {shown_time(segment.start)}"


def _named(speaker: str) -> str:
    usual = {"auto": "whoever speaks", "all": "everybody", "largest": "the largest face"}
    return usual.get(speaker, f"person {speaker}" if speaker.isdigit() else speaker)
