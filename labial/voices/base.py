"""What a voice is: it has a name, it speaks, and it says when which phone sounds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from labial.speech.align import Word
from labial.speech.segments import Phone
from labial.types import Audio

_NEAR = 1e-3


@dataclass(frozen=True)
class Utterance:
    """A text as a voice spoke it.

    Parameters
    ----------
    audio
        The sound, at the voice's own rate.
    phones
        The synthesiser's own phones, in order and without gaps from 0 to the sound's end, silence
        included. Their confidence is 1.
    words
        In order, silences between them; empty where the voice does not tell.
    """

    audio: Audio
    phones: list[Phone]
    words: list[Word] = field(default_factory=list)

    def __post_init__(self) -> None:
        edges = [0.0, *(phone.release for phone in self.phones)]
        starts = [*(phone.onset for phone in self.phones), self.audio.seconds]
        for end, start in zip(edges, starts, strict=True):
            if abs(end - start) > _NEAR:
                raise ValueError(f"phones have a gap: {end:.3f} to {start:.3f} s")


@runtime_checkable
class Voice(Protocol):
    """A speaker of a speech synthesiser.

    Third parties add theirs by the entry point group ``labial.voices``; see
    :mod:`labial.voices.engines`.
    """

    @property
    def name(self) -> str:
        """What the user calls it: the engine's name, or ``"engine:speaker"``."""

    @property
    def engine(self) -> str:
        """Name of the synthesiser."""

    @property
    def languages(self) -> tuple[str, ...]:
        """Codes of the languages it speaks, the usual one first; empty while it can't be known."""

    @property
    def licence(self) -> str:
        """Licence of the engine and of the voice, as their sources state it."""

    @property
    def state(self) -> str:
        """``"ready"``, what is fetched on first use, or the command that installs the engine."""

    def spoken_as(self, language: str) -> str | None:
        """Return the one of its languages in which ``language`` is spoken; None for none."""

    def speak(self, text: str, language: str, rate: float = 1.0) -> Utterance:
        """Speak ``text``.

        Parameters
        ----------
        text
            Something speakable, at most a few sentences.
        language
            What :meth:`spoken_as` accepts.
        rate
            Speed; 1 is the voice's usual one, 2 twice as fast.

        Raises
        ------
        SpeechError
            If the engine is not installed, or nothing came out.
        OptionError
            If the voice does not speak ``language``.
        WeightsError
            If its files cannot be fetched.
        """


def to_install(voice: Voice) -> str:
    """Return the command that installs what ``voice`` lacks, "" where it lacks nothing."""
    return voice.state if voice.state.startswith("pip ") else ""
