"""A script that is spoken by a voice, into a file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from labial.errors import OptionError
from labial.media.sound_file import ENDING, write_audio
from labial.options import DubOptions
from labial.script.cues import read_cues
from labial.script.given import given_text
from labial.speech.segments import Phone
from labial.voices.engines import find_voice
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


def spoken_script(srt: str | None, text: str, options: DubOptions, folder: Path) -> SpokenScript:
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
        track = speak_cues(read_cues(srt), voice, language, name=srt)
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
