"""What is to be said, at hand as sound: a file of speech, or pieces for named seconds."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import TypeAlias

from labial import seen
from labial.analysis import Analysis
from labial.audio.load import load_speech
from labial.audio.separate import check_networks
from labial.errors import OptionError, SpeechError
from labial.media.probe import show
from labial.media.sound import Recording
from labial.media.sound_file import ENDING, sound_info
from labial.motion.head import HeadMotion, loudness_rows
from labial.motion.predict import predict
from labial.options import DubOptions
from labial.performing import Speech, idling
from labial.planning import Line, Sound, aloud, plan
from labial.script.segments import parse_cast, segments_and_problems
from labial.soundtrack.background import background
from labial.soundtrack.lay import Piece, lay
from labial.soundtrack.level import limited
from labial.soundtrack.stretch import check_stretching, factor_for
from labial.soundtrack.stretch import stretched as stretch
from labial.speaking.boxes import Boxes, read_boxes
from labial.speech.rows import phone_rows
from labial.speech.segments import Phone
from labial.spoken import spoken_script
from labial.timeline import Part, Timeline, part_of, timeline
from labial.types import Audio, SpeechTrack

# The network and the rules of a mouth look ahead by less.
_AFTER_SECONDS = 5
# No speech is stretched by less.
_HEARD_SECONDS = 0.005
_NO_BACKGROUND = "the source has no sound: no background is kept"

CUE_FILES, TEXT_FILES = (".srt", ".vtt"), (".txt", ".text")
"""Names of scripts, which are spoken, end like this."""
SEGMENT_FILES = (".json", ".csv", ".tsv")
"""Names of files that can only be segments end like this."""


@dataclass(frozen=True)
class Whole:
    """One speech for the whole video.

    Parameters
    ----------
    path
        Its file, which is delivered.
    options
        How the mouth moves, and whose.
    phones
        What a synthesiser says of its own speech; empty where the sound alone is known.
    notes
        What there is to say of it, one phrase each.
    lost
        Damaged packets of the file that it was made from.
    """

    path: Path
    options: DubOptions
    phones: tuple[Phone, ...] = ()
    notes: tuple[str, ...] = ()
    lost: int = 0

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
        return _wanted(self.options.speaker), self.phones

    @cached_property
    def recording(self) -> Recording:
        """The speech as the network wants it."""
        return load_speech(self.path, self.options.denoise)

    @property
    def unheard(self) -> int:
        """Damaged packets."""
        return self.lost + self.recording.damaged

    def check(self) -> None:
        """Raise what is wrong with it."""
        _ = self.recording, asked_of(self.options.speaker)
        if self.options.stretch_audio != 1:
            check_stretching()
        if self.options.keep_background:
            check_networks()

    @property
    def seconds(self) -> Fraction:
        """Its length."""
        return Fraction(len(self.recording.samples), self.recording.rate)

    def cut_off(self, length: Fraction) -> Fraction:
        """Return the seconds of it that a video of so many seconds cuts off."""
        return max(self.seconds - length, Fraction(0))

    def place(self, part: Part) -> Fraction:
        """Return the second of the video at which it begins."""
        asked = self.options.speech_at
        return part.start if asked is None else Fraction(str(asked))

    def stretched(self, part: Part, folder: Path) -> Whole:
        """Return the same speech as much longer as is asked for, for a part of a video."""
        length = part.length
        if self.options.speech_at is not None:
            length = max(part.whole - self.place(part), Fraction(0))
        factor = factor_for(self.options.stretch_audio, self.seconds, length)
        if abs(factor - 1) * self.seconds < _HEARD_SECONDS:
            return self
        path = folder / f"stretched{ENDING}"
        stretch(self.path, factor, path)
        said = f"speech {factor:.3f} times as long"
        phones = tuple(
            replace(p, onset=p.onset * factor, peak=p.peak * factor, release=p.release * factor)
            for p in self.phones
        )
        return replace(self, path=path, phones=phones, notes=(*self.notes, said), lost=self.unheard)

    def line(self, analysis: Analysis) -> Timeline:
        """Return which frame of a video is shown when."""
        part, known = part_of(analysis, self.options.part), self.options.speech_at is not None
        place = self.place(part)
        until = max(place - part.start + self.seconds, Fraction(0))
        if known and not part.is_whole:
            # What the dub of the whole video says after it is not lost.
            until = min(until, part.length)
        line = timeline(analysis, until, self.options.sync_mode, part)
        if line.window is None:
            return replace(line, begins=place - part.start, heard=line.length)
        heard = part.whole if known else part.start + line.length
        return replace(line, begins=place, heard=heard)

    def idle(self, shown: Analysis, line: Timeline, speech: Speech) -> dict[int, HeadMotion]:
        """Return how heads move in a frame that is held, by the keys of their tracks."""
        if line.held >= len(line):
            return {}
        return idling(shown, line, speech.heard, loudness_rows(self.recording))

    def speeches(self, until: Fraction, begins: Fraction = Fraction(0)) -> list[Speech]:
        """Return what is said in a video, in seconds of it: up to when, and from when on."""
        recording = self.recording
        # What is said after the last frame moves no mouth.
        end = max(round((until - begins + _AFTER_SECONDS) * recording.rate), 0)
        heard = predict(Audio(recording.samples[:end], recording.rate))
        heard = _as_told(heard, self.phones)
        asked = asked_of(self.options.speaker)
        return [Speech(heard, float(begins), None, asked, self.options)]

    def listened(self, speeches: Sequence[Speech]) -> list[tuple[Audio, SpeechTrack]]:
        """Return what was recorded, with what was heard in it; not what a synthesiser made."""
        return [] if self.phones else [(self.recording, speech.heard) for speech in speeches]

    def sound(self, video: Path, part: Part, folder: Path) -> tuple[Path, tuple[str, ...]]:
        """Return the file to deliver with a part of a video, and what there is to say of it.

        ``folder`` is for what is made, the one above it for what other takes of this video share.
        """
        notes, under = (*self.notes, *filter(None, [self.recording.note])), None
        late = self.place(part) - part.start
        if self.options.keep_background:
            under = _background(video, part, folder)
            notes += (_NO_BACKGROUND,) if under is None else ()
        if under is None and late == 0:
            return self.path, notes
        # Where pictures go on for longer speech, what is said goes on too.
        length = max(part.length, late + self.seconds)
        if self.options.speech_at is not None and not part.is_whole:
            length = part.length
        piece = Piece(max(late, Fraction(0)), length, self.path, max(-late, Fraction(0)))
        path, loud = _laid([piece], length, None, under, folder)
        return path, (*notes, *loud)


@dataclass(frozen=True)
class Lines:
    """Speech for named seconds; all else of the source's sound stays.

    Parameters
    ----------
    lines
        What is said when, at least one.
    notes
        What there is to say of it, one phrase each.
    """

    lines: tuple[Line, ...]
    notes: tuple[str, ...] = ()

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
            (
                digests[_file(line)],
                _wanted(line.speaker),
                replace(line, audio=None, speaker="", options=lasting(line.options)),
            )
            for line in self.lines
        )

    @cached_property
    def recordings(self) -> dict[Path, Recording]:
        """Each file's speech as the network wants it."""
        how = {_file(line): line.options.denoise for line in self.lines}
        return {path: load_speech(path, how[path]) for path in self.files}

    @property
    def unheard(self) -> int:
        """Damaged packets."""
        return sum(recording.damaged for recording in self.recordings.values())

    def check(self) -> None:
        """Raise what is wrong with it."""
        _ = self.recordings, [asked_of(line.speaker) for line in self.lines]
        if any(line.options.keep_background for line in self.lines):
            check_networks()

    def cut_off(self, length: Fraction) -> Fraction:
        """Return the seconds of it that a video cuts off: none."""
        return Fraction(0)

    def stretched(self, part: Part, folder: Path) -> Lines:
        """Return the same: pieces fit their seconds."""
        return self

    def line(self, analysis: Analysis) -> Timeline:
        """Return which frame of a video is shown when: each at its own time."""
        part = part_of(analysis, self.lines[0].options.part)
        return timeline(analysis, part.length, "silence", part)

    def idle(self, shown: Analysis, line: Timeline, speech: Speech) -> dict[int, HeadMotion]:
        """Return how heads move in a frame that is held: there is none."""
        return {}

    def speeches(self, until: Fraction, begins: Fraction = Fraction(0)) -> list[Speech]:
        """Return what is said in a video: all that there is, each at its own time."""
        return [self._speech(line) for line in self.lines]

    def listened(self, speeches: Sequence[Speech]) -> list[tuple[Audio, SpeechTrack]]:
        """Return what was recorded, with what was heard in it; not what a synthesiser made."""
        every = zip(self.lines, speeches, strict=True)
        return [(self._audio(line), one.heard) for line, one in every if not line.phones]

    def _audio(self, line: Line) -> Audio:
        recording = self.recordings[_file(line)]
        first, end = (round(t * recording.rate) for t in (line.audio_start, line.audio_end))
        return Audio(recording.samples[first:end], recording.rate)

    def _speech(self, line: Line) -> Speech:
        heard = predict(self._audio(line))
        heard = _as_told(heard, line.phones)
        asked = asked_of(line.speaker)
        return Speech(heard, float(line.start), float(line.end), asked, line.options)

    def sound(self, video: Path, part: Part, folder: Path) -> tuple[Path, tuple[str, ...]]:
        """Return the file to deliver with a part of a video, and what there is to say of it."""
        pieces = [
            _moved(
                Piece(line.start, line.end, _file(line), line.audio_start, line.audio_end),
                part.start,
            )
            for line in self.lines
        ]
        base = _own(video, part, folder) if _sounds(video) else None
        under, notes = None, self.notes
        if any(line.options.keep_background for line in self.lines):
            under = _background(video, part, folder)
            notes += (_NO_BACKGROUND,) if under is None else ()
        path, loud = _laid(pieces, part.length, base, under, folder)
        heard = dict.fromkeys(recording.note for recording in self.recordings.values())
        return path, (*notes, *filter(None, heard), *loud)


Take: TypeAlias = Whole | Lines


def whole_of(
    audio: str | os.PathLike[str] | None,
    options: DubOptions,
    folder: Path,
    until: Fraction | None = None,
) -> Whole:
    """Return the one speech that is to be said.

    Parameters
    ----------
    audio
        A file with speech, or a script; None where the options name what is said.
    options
        ``srt``, ``text``, ``voice`` and ``language`` count, and how the mouth moves.
    folder
        For sounds that are made.
    until
        Seconds after which nothing of a script can be said; None for no such end.

    Raises
    ------
    OptionError
        Nothing is to be said, or several things.
    ReadError, SpeechError, ScriptError
        What is to be said cannot be used.
    """
    expect_words(audio, options)
    named = "" if audio is None else os.fspath(audio)
    ending = Path(named).suffix.lower()
    srt = named if ending in CUE_FILES else options.srt
    text = named if ending in TEXT_FILES else options.text
    if srt is not None or text is not None:
        spoken = spoken_script(srt, text or "", options, folder, until)
        take = Whole(spoken.path, options, spoken.phones, spoken.notes)
    else:
        take = Whole(Path(named), options)
    take.check()
    return take


def expect_words(audio: str | os.PathLike[str] | None, options: DubOptions) -> None:
    """Raise OptionError unless exactly one thing is to be said, or a file of segments."""
    if audio is not None and Path(audio).suffix.lower() in SEGMENT_FILES:
        raise OptionError(f"--audio {audio}: that is no speech; a dub takes it as --segments")
    if options.segments is not None:
        return
    given = sum(one is not None for one in (audio, options.srt, options.text))
    if given > 1:
        raise OptionError("give one of --audio, --srt and --text: only one of them can be said")
    if not given:
        raise OptionError(
            "nothing to say: give --audio SPEECH, --segments FILE, --srt FILE, or --text TEXT"
        )


class SegmentsOf:
    """A file of segments, checked as far as that goes without a look at the video.

    Parameters
    ----------
    video
        The video.
    options
        ``segments``, ``cast``, ``voice`` and ``language`` count, and how mouths move.
    audio
        The sound of segments that name none.

    Raises
    ------
    ReadError, OptionError
        The file cannot be read.
    ScriptError
        All that is wrong with it and with the sounds it names.
    """

    def __init__(
        self, video: Path, options: DubOptions, audio: str | os.PathLike[str] | None
    ) -> None:
        assert options.segments is not None
        self._video, self._options = video, options
        self._name = show(Path(options.segments))
        self._segments, problems = segments_and_problems(
            options.segments, audio, parse_cast(options.cast)
        )
        self._sounds: dict[Path, Sound | str] = {}
        plan(
            video, self._segments, options,
            name=self._name, problems=problems, sounds=self._sounds,
        )  # fmt: skip

    def take(self, analysis: Analysis, folder: Path) -> Lines:
        """Return what is to be said, given what was seen, and a folder for what is spoken.

        Raises
        ------
        ScriptError
            Somebody who is to speak is not there, or speaks already; a text cannot be spoken.
        """
        planned = plan(
            self._video, self._segments, self._options,
            name=self._name, analysis=analysis, speak=aloud(self._options, folder),
            sounds=self._sounds,
        )  # fmt: skip
        take = Lines(planned.lines, planned.warnings)
        take.check()
        return take


def lasting(options: DubOptions) -> DubOptions:
    """Return the options that pieces of the output depend on.

    Files that they name may lie elsewhere: what is in them counts, as :attr:`Whole.key`,
    :attr:`Lines.key` and the sound tell.
    """
    return replace(
        options, resume=False, cache=True, preview=None, report=None, threads=0, mux="off",
        speaker="auto", srt=None, text=None, segments="-" if options.segments else None,
    )  # fmt: skip


def asked_of(speaker: str) -> str | Boxes:
    """Return whom :attr:`labial.options.DubOptions.speaker` means, a file of boxes read.

    Raises
    ------
    ReadError, OptionError
        The file cannot be read, or holds no boxes.
    """
    return read_boxes(Path(speaker)) if speaker.endswith(".json") else speaker


def _wanted(speaker: str) -> object:
    """Whom a speaker means, wherever a file of boxes may lie."""
    asked = asked_of(speaker)
    return asked.people if isinstance(asked, Boxes) else asked


def _laid(
    pieces: Sequence[Piece], length: Fraction, base: Path | None, under: Path | None, folder: Path
) -> tuple[Path, tuple[str, ...]]:
    """A file in which pieces are laid, and what was done where that would be too loud."""
    out = folder / f"laid{ENDING}"
    peak = lay(pieces, length, out, base, under)
    if peak <= 1:
        return out, ()
    calm = folder / f"limited{ENDING}"
    seconds = limited(out, calm).limited
    what = f"where sounds add up they would clip (peak {peak:.2f} of full scale)"
    return calm, (f"{what}: limited for {seconds:.1f} s",)


def _moved(piece: Piece, start: Fraction) -> Piece:
    """A piece as much earlier as a part of a video begins later than the video."""
    late = max(start - piece.start, Fraction(0))
    return replace(
        piece,
        start=max(piece.start - start, Fraction(0)),
        end=max(piece.end - start, Fraction(0)),
        path_start=piece.path_start + late,
    )


def _background(video: Path, part: Part, folder: Path) -> Path | None:
    """What is heard in a part of a video besides voices; None where it has no sound."""
    out = folder.parent / f"background{ENDING}"
    if not out.exists() and _sounds(video):
        background(_own(video, part, folder), out)
    return out if out.exists() else None


def _own(video: Path, part: Part, folder: Path) -> Path:
    """A file with the sound of a part of a video."""
    if part.is_whole:
        return video
    out = folder.parent / f"own{ENDING}"
    if not out.exists():
        lay([Piece(Fraction(0), part.length, video, part.start)], part.length, out)
    return out


def _sounds(video: Path) -> bool:
    try:
        sound_info(video)
    except SpeechError:
        return False
    return True


def _as_told(heard: SpeechTrack, phones: tuple[Phone, ...]) -> SpeechTrack:
    """What is heard, with a synthesiser's own phones where there are any."""
    if not phones:
        return heard
    return replace(heard, phones=phone_rows(phones, len(heard), heard.motion.rate))


def _file(line: Line) -> Path:
    assert line.audio is not None
    return line.audio
