"""What is to be said, at hand as sound: a file of speech, or pieces for named seconds."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import TypeAlias

from labial import seen
from labial.audio.load import load_speech
from labial.errors import OptionError, SpeechError
from labial.media.probe import MediaInfo
from labial.media.sound import Recording
from labial.media.sound_file import ENDING, sound_info
from labial.motion.predict import predict
from labial.options import DubOptions
from labial.performing import Speech
from labial.planning import Line
from labial.soundtrack.lay import Piece, lay
from labial.speaking.boxes import Boxes, read_boxes
from labial.types import Audio

# The network and the rules of a mouth look ahead by less.
_AFTER_SECONDS = 5


@dataclass(frozen=True)
class Whole:
    """One speech for the whole video.

    Parameters
    ----------
    path
        Its file, which is delivered.
    options
        How the mouth moves, and whose.
    """

    path: Path
    options: DubOptions

    @property
    def files(self) -> tuple[Path, ...]:
        """The files it is made of."""
        return (self.path,)

    @property
    def speakers(self) -> tuple[str, ...]:
        """Whom it names, as the user did."""
        return (self.options.speaker,)

    @property
    def key(self) -> tuple[object, ...]:
        """What the mouths depend on, besides the options and the sound that is delivered."""
        return (asked_of(self.options.speaker),)

    @cached_property
    def recording(self) -> Recording:
        """The speech as the network wants it."""
        return load_speech(self.path)

    @property
    def unheard(self) -> int:
        """Damaged packets."""
        return self.recording.damaged

    def check(self) -> None:
        """Raise what is wrong with it."""
        _ = self.recording, asked_of(self.options.speaker)

    def speeches(self, length: Fraction) -> list[Speech]:
        """Return what is said in a video of so many seconds."""
        recording = self.recording
        # What is said after the last frame moves no mouth.
        end = round((length + _AFTER_SECONDS) * recording.rate)
        heard = predict(Audio(recording.samples[:end], recording.rate))
        return [Speech(heard, 0, None, asked_of(self.options.speaker), self.options)]

    def sound(self, video: Path, length: Fraction, folder: Path) -> tuple[Path, tuple[str, ...]]:
        """Return the file to deliver, and what there is to say of it."""
        return self.path, ()


@dataclass(frozen=True)
class Lines:
    """Speech for named seconds; all else of the source's sound stays.

    Parameters
    ----------
    lines
        What is said when, at least one.
    """

    lines: tuple[Line, ...]

    @property
    def files(self) -> tuple[Path, ...]:
        """The files it is made of."""
        return tuple(dict.fromkeys(map(_file, self.lines)))

    @property
    def speakers(self) -> tuple[str, ...]:
        """Whom it names, as the user did."""
        return tuple(dict.fromkeys(line.speaker for line in self.lines))

    @property
    def key(self) -> tuple[object, ...]:
        """What the mouths depend on, besides the options and the sound that is delivered."""
        digests = {path: seen.digest(path) for path in self.files}
        return tuple(
            (digests[_file(line)], asked_of(line.speaker), replace(line, audio=None))
            for line in self.lines
        )

    @cached_property
    def recordings(self) -> dict[Path, Recording]:
        """Each file's speech as the network wants it."""
        return {path: load_speech(path) for path in self.files}

    @property
    def unheard(self) -> int:
        """Damaged packets."""
        return sum(recording.damaged for recording in self.recordings.values())

    def check(self) -> None:
        """Raise what is wrong with it."""
        _ = self.recordings, [asked_of(line.speaker) for line in self.lines]

    def speeches(self, length: Fraction) -> list[Speech]:
        """Return what is said in a video of so many seconds."""
        return [self._speech(line) for line in self.lines]

    def _speech(self, line: Line) -> Speech:
        recording = self.recordings[_file(line)]
        first, end = (round(t * recording.rate) for t in (line.audio_start, line.audio_end))
        heard = predict(Audio(recording.samples[first:end], recording.rate))
        asked = asked_of(line.speaker)
        return Speech(heard, float(line.start), float(line.end), asked, line.options)

    def sound(self, video: Path, length: Fraction, folder: Path) -> tuple[Path, tuple[str, ...]]:
        """Return the file to deliver, and what there is to say of it."""
        pieces = [
            Piece(line.start, line.end, _file(line), line.audio_start, line.audio_end)
            for line in self.lines
        ]
        base: Path | None = video
        try:
            sound_info(video)
        except SpeechError:
            base = None
        out = folder / f"laid{ENDING}"
        peak = lay(pieces, length, out, base)
        loud = f"where sounds add up they clip (peak {peak:.2f} of full scale)"
        return out, (loud,) if peak > 1 else ()


Take: TypeAlias = Whole | Lines


def take_of(
    video: Path,
    source: MediaInfo,
    audio: str | os.PathLike[str] | None,
    options: DubOptions,
    folder: Path,
) -> Take:
    """Return what is to be said.

    Parameters
    ----------
    video, source
        The video, and what is known of it.
    audio
        A file with speech; None where the options name what is said.
    options
        The options.
    folder
        For sounds that are made.

    Raises
    ------
    OptionError
        Nothing is to be said, or several things.
    ReadError, SpeechError, ScriptError
        What is to be said cannot be used.
    """
    if audio is None:
        raise OptionError("nothing to say: give --audio SPEECH")
    take = Whole(Path(audio), options)
    take.check()
    return take


def asked_of(speaker: str) -> str | Boxes:
    """Return whom :attr:`labial.options.DubOptions.speaker` means, a file of boxes read.

    Raises
    ------
    ReadError, OptionError
        The file cannot be read, or holds no boxes.
    """
    return read_boxes(Path(speaker)) if speaker.endswith(".json") else speaker


def _file(line: Line) -> Path:
    assert line.audio is not None
    return line.audio
