"""What a dub into several languages at once may ask for, and how its outputs are called."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from labial.errors import OptionError
from labial.media.containers import sounding_container
from labial.media.tags import two_letters
from labial.options import DubOptions

MARK = "{lang}"
"""Stands for the language in the name of an output."""

# What changes nothing where the pictures stay as they are.
_OF_PICTURES = ("codec", "crf", "lossless", "hardware")


def check_languages(languages: Iterable[str], out: str, options: DubOptions) -> None:
    """Refuse outputs that would overwrite one another, and options that would have no effect.

    Parameters
    ----------
    languages
        As the user calls them.
    out
        The output's name.
    options
        As of :func:`labial.dubbing.dub_each`.

    Raises
    ------
    OptionError, WriteError
    """
    known: dict[str, str] = {}
    for language in languages:
        same = known.setdefault(two_letters(language), language)
        if same is not language:
            raise OptionError(f"--audio: {same} and {language} are one language: give it once")
    if options.mux == "off" and len(known) == 1:
        return
    if options.mux == "off":
        if MARK not in out:
            raise OptionError(
                f"-o {out}: several languages need {MARK} in the name, such as out/{MARK}.mp4, or "
                "--mux for one file"
            )
        for option, name in (("report", options.report), ("preview", options.preview)):
            if name is not None and MARK not in name:
                raise OptionError(f"--{option} {name}: several languages need {MARK} in the name")
        return
    if MARK in out:
        raise OptionError(f"-o {out}: --mux makes one file: leave {MARK} out of its name")
    sounding_container(Path(out))
    if options.mux == "source":
        usual = DubOptions()
        idle = [name for name in _OF_PICTURES if getattr(options, name) != getattr(usual, name)]
        if idle:
            named = " and ".join(f"--{name.replace('_', '-')}" for name in idle)
            raise OptionError(f"--mux source keeps the picture as it is: leave out {named}")


def for_language(language: str, out: str, options: DubOptions) -> tuple[str, DubOptions]:
    """Return the name of a language's output, and the options of its dub."""

    def named(name: str | None) -> str | None:
        return None if name is None else name.replace(MARK, language)

    mine = replace(
        options, language=language, report=named(options.report), preview=named(options.preview)
    )
    return out.replace(MARK, language), mine
