"""Segments that have only a text: whether a voice can speak them, and the speaking."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from labial.errors import LabialError
from labial.media.sound_file import ENDING, write_audio
from labial.options import DubOptions
from labial.script.cues import Cue
from labial.script.segments import Segment
from labial.speech.segments import Phone
from labial.voices.engines import find_voice
from labial.voices.reading import problems_of
from labial.voices.timing import speak_cues

# Of a text more than this is not cut off.
_MOST_LOST = 0.5


@dataclass(frozen=True)
class Spoken:
    """A segment's text as sound.

    Parameters
    ----------
    audio
        File with it, from its first sample on; no longer than the segment.
    phones
        What the synthesiser says of it, as :class:`labial.voices.tracks.SpokenTrack`; may be empty.
    warnings, problems
        What did not fit, and what did not fit at all, without the place.
    """

    audio: Path
    phones: tuple[Phone, ...] = ()
    warnings: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


Speak: TypeAlias = Callable[[Sequence[Segment]], Sequence[Spoken]]
"""Speaks the texts of segments, one sound for each."""


def text_problem(segment: Segment, options: DubOptions) -> str:
    """Return what keeps a segment's text from being spoken, "" where nothing does.

    Parameters
    ----------
    segment
        With a text, and perhaps a voice and a language.
    options
        Whose ``voice`` and ``language`` count where the segment names none.
    """
    language = segment.language or options.language
    if not language:
        return "language: say in which language the text is: in the file, or as --language es"
    try:
        voice = find_voice(segment.voice or options.voice)
        problems = problems_of([_cue(segment)], voice, language)
    except LabialError as error:
        return str(error).removeprefix("--")
    return "; ".join(problem.removeprefix("line 1: ") for problem in problems)


def aloud(options: DubOptions, folder: Path) -> Speak:
    """Return what speaks the texts of segments into files in ``folder``.

    It raises SpeechError, OptionError or WeightsError where a voice fails.
    """

    def speak(segments: Sequence[Segment]) -> list[Spoken]:
        return [
            _spoken(segment, options, folder / f"said{number}{ENDING}")
            for number, segment in enumerate(segments)
        ]

    return speak


def _spoken(segment: Segment, options: DubOptions, path: Path) -> Spoken:
    voice = find_voice(segment.voice or options.voice)
    lasts = segment.end - segment.start
    language = segment.language or options.language or ""
    track = speak_cues([_cue(segment)], voice, language, seconds=lasts)
    write_audio(track.audio, path)
    (cue,) = track.cues
    told = tuple(problem.removeprefix("line 1: ") for problem in track.problems)
    lost = cue.cut > _MOST_LOST * (cue.release - cue.onset + cue.cut)
    return Spoken(path, tuple(track.phones), () if lost else told, told if lost else ())


def _cue(segment: Segment) -> Cue:
    """The segment's text at the head of a sound of its own."""
    return Cue(segment.start * 0, segment.end - segment.start, segment.text, 1)
