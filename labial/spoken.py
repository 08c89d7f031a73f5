"""A script that is spoken by a voice, into a file."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from labial.errors import OptionError, ScriptError
from labial.media.probe import show
from labial.media.sound_file import ENDING, write_audio
from labial.options import DubOptions
from labial.script.cues import cues_and_problems
from labial.script.given import given_text
from labial.script.problems import by_line
from labial.script.times import shown_time
from labial.speech.segments import Phone
from labial.voices.engines import find_voice
from labial.voices.reading import problems_of
from labial.voices.timing import speak_cues, speak_text
from labial.voices.tracks import SpokenTrack


@dataclass(frozen=True)
class SpokenScript:
    """A script as sound.

    Parameters
    ----------
    path
        Its file.
    phones
        What the synthesiser says of it.
    notes
        Who spoke how fast, and what did not fit, one phrase each.
    """

    path: Path
    phones: tuple[Phone, ...]
    notes: tuple[str, ...]


def spoken_script(
    srt: str | None,
    text: str,
    options: DubOptions,
    folder: Path,
    until: Fraction | None = None,
) -> SpokenScript:
    """Speak a file of cues at their times, or else a text.

    Parameters
    ----------
    srt
        The file; None for a text.
    text
        A text, or the name of its file.
    options
        ``voice`` and ``language`` count.
    folder
        For the sound.
    until
        Seconds after which nothing can be said; None for no such end.

    Raises
    ------
    OptionError
        The language is not given, or there is no such voice.
    ReadError, ScriptError, SpeechError, WeightsError
        The script cannot be read, or not be spoken.
    """
    language, voice = options.language, find_voice(options.voice)
    if language is None:
        raise OptionError("--language: say in which language the script is, such as es")
    if srt is not None:
        cues, problems = cues_and_problems(srt)
        late = [cue for cue in cues if until is not None and cue.start >= until]
        problems += problems_of(cues, voice, language) if cues else []
        problems += [
            f"line {cue.line}: starts at {shown_time(cue.start)}, and the video ends at "
            f"{shown_time(until)}; with --sync-mode hold, loop or bounce it goes on"
            for cue in late
            if until is not None
        ]
        if problems:
            raise ScriptError(show(Path(srt)), by_line(problems))
        track = speak_cues(cues, voice, language, name=srt)
    else:
        words, file = given_text(text)
        track = speak_text(words, voice, language, name=str(file or "--text"))
    path = folder / f"spoken{ENDING}"
    write_audio(track.audio, path)
    return SpokenScript(path, (*track.phones,), _told(track))


def _told(track: SpokenTrack) -> tuple[str, ...]:
    rates = [cue.rate for cue in track.cues]
    how = f"{min(rates):.2f} to {max(rates):.2f} times the usual speed"
    said = f"spoken by {track.voice}: {len(rates)} {'cue' if len(rates) == 1 else 'cues'}, {how}"
    return said, *track.problems
