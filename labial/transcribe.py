"""Speech to phones, visemes and face curves, from its sound alone or along a known text."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from labial.audio.load import load_speech
from labial.exports.formats import check_target, format_of, settings_of, write
from labial.exports.transcript import Transcript
from labial.media.spool import enough_room
from labial.motion.space import load_basis
from labial.options import VisemeOptions
from labial.script.given import given_text
from labial.speech.align import align
from labial.speech.encoder import SpeechEncoder
from labial.speech.pronounce import Spoken, pronounce
from labial.speech.segments import extended, segments, voiced
from labial.types import Hook


@enough_room()
def visemes(
    speech: str | os.PathLike[str],
    out: str | os.PathLike[str],
    options: VisemeOptions | None = None,
    *,
    hook: Hook | None = None,
    **overrides: Any,
) -> Transcript:
    """Write what is said in ``speech``, and how the mouth looks with it, to ``out``.

    Parameters
    ----------
    speech
        Any audio file, or a video whose sound is used.
    out
        File to write; its extension chooses the format unless ``options.format`` does. ``"-"`` is
        standard output. Written beside itself and renamed when it is complete.
    options
        See :class:`labial.options.VisemeOptions`; single ones may be given as keywords instead.
    hook
        Called as ``hook(stage, done, total)`` after each step.

    Returns
    -------
    Transcript
        What was written, whatever the format shows of it.

    Raises
    ------
    ReadError, SpeechError, OptionError, WriteError
        With one line that says what is wrong and what to do.
    """
    options = replace(options or VisemeOptions(), **overrides)
    form = format_of(out, options.format)
    settings = settings_of(form, options.viseme_set, options.fps)
    words, inputs = None, [speech]
    if options.text is not None:
        text, file = given_text(options.text)
        inputs += [file] if file is not None else []
        words = pronounce(text, options.language)
    check_target(out, inputs)
    transcript = transcribe(speech, words, hook=hook)
    write(form.lines(transcript, *settings), out)
    return transcript


def transcribe(
    speech: str | os.PathLike[str],
    words: list[Spoken] | None = None,
    *,
    hook: Hook | None = None,
) -> Transcript:
    """Return what is said in ``speech``; with ``words``, when each of them is said.

    Raises
    ------
    ReadError, SpeechError
        With one line that says what is wrong and what to do.
    """
    tell = hook or (lambda stage, done, total: None)
    audio = load_speech(speech)
    track = SpeechEncoder()(audio)
    tell("listen", 1, 1)
    basis = load_basis()
    aperture = basis.aperture(track.motion.coefficients)
    if words is None:
        phones, found = segments(track, aperture), None
    else:
        aligned = align(track, words, aperture)
        phones, found = aligned.phones, aligned.words
        tell("align", 1, 1)
    return Transcript(
        Path(speech),
        audio.seconds,
        extended(phones, audio.seconds),
        voiced(track),
        aperture,
        basis.width(track.motion.coefficients),
        track.motion.rate,
        found,
    )
