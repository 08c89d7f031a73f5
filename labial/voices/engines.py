"""Every voice engine, as literal rows; third parties add theirs as plug-ins.

A package that brings voices names a function without parameters, which returns a sequence of
:class:`labial.voices.base.Voice`, under the entry point group ``labial.voices``. The entry
point's name is the engine's part of its voices' names::

    [project.entry-points."labial.voices"]
    parrot = "parrot.voices:voices"
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points

from labial.errors import OptionError
from labial.media.tags import two_letters
from labial.voices import piper
from labial.voices.base import Voice, to_install

GROUP = "labial.voices"
DEFAULT = "espeak"
_ENGINES: dict[str, str] = {
    "espeak": "labial.voices.espeak",
    "kokoro": "labial.voices.kokoro",
    "piper": "labial.voices.piper",
}


@dataclass(frozen=True)
class VoiceGroup:
    """Voices that differ in nothing but their names; see :class:`labial.voices.base.Voice`."""

    names: tuple[str, ...]
    engine: str
    languages: tuple[str, ...]
    licence: str
    state: str


def engine_names() -> list[str]:
    """Return the names of all engines: Labial's own, then those of plug-ins."""
    return [*_ENGINES, *sorted(_plug_ins())]


def voices_of(engine: str) -> Sequence[Voice]:
    """Return the voices of one engine, whether they can speak now or not.

    Raises
    ------
    OptionError
        If a plug-in cannot be loaded.
    """
    if engine in _ENGINES:
        found: Sequence[Voice] = import_module(_ENGINES[engine]).voices()
        return found
    point = _plug_ins()[engine]
    try:
        make: Callable[[], Sequence[Voice]] = point.load()
        return make()
    except Exception as error:
        raise OptionError(f"voices of plug-in {engine} ({point.value}) do not load: {error}") from (
            error
        )


def find_voice(name: str = DEFAULT) -> Voice:
    """Return the voice called ``name``.

    Parameters
    ----------
    name
        ``"engine"`` or ``"engine:speaker"``, as ``labial voices`` lists them, or ``"piper:FILE"``
        with the ``.onnx`` file of a Piper voice.

    Raises
    ------
    OptionError
        If there is none; the message lists names that are near.
    """
    engine, _, speaker = name.partition(":")
    known = engine_names()
    if engine == "piper" and speaker.endswith(".onnx"):
        return piper.from_file(speaker)
    if engine in known:
        voices = {voice.name: voice for voice in voices_of(engine)}
        if name in voices:
            return voices[name]
        # An engine alone is its first voice.
        if name == engine and voices:
            return next(iter(voices.values()))
        known = list(voices)
        if commands := {todo for voice in voices.values() if (todo := to_install(voice))}:
            raise OptionError(f"--voice {name}: its engine is not installed; {min(commands)}")
    near = get_close_matches(name, known, 5, 0.5) or known[:5]
    raise OptionError(
        f"--voice {name}: no such voice; did you mean {', '.join(near)}? "
        "'labial voices' lists them all"
    )


def listed(language: str | None = None) -> list[VoiceGroup]:
    """Return all voices, alike ones together, whether they can speak now or not.

    A plug-in that does not load is a group without names, whose state says why.

    Parameters
    ----------
    language
        Only those that speak it. While an engine's languages are not known, its voices stay.
    """
    groups: list[VoiceGroup] = []
    for engine in engine_names():
        try:
            voices = voices_of(engine)
        except OptionError as error:
            groups.append(VoiceGroup((), engine, (), "", str(error)))
            continue
        for voice in voices:
            known = voice.languages
            if language and known and voice.spoken_as(two_letters(language)) is None:
                continue
            row = voice.engine, known, voice.licence, voice.state
            last = groups[-1] if groups else None
            if last and (last.engine, last.languages, last.licence, last.state) == row:
                groups[-1] = VoiceGroup((*last.names, voice.name), *row)
            else:
                groups.append(VoiceGroup((voice.name,), *row))
    return groups


def _plug_ins() -> dict[str, EntryPoint]:
    found = entry_points(group=GROUP)
    return {point.name: point for point in found if point.name not in _ENGINES}
