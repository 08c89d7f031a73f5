"""The command that lists the voices that can speak a script."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass

from labial.errors import OptionError


@dataclass(frozen=True)
class Voices:
    """List the voices that speak a script: their languages, licences, and what they still need."""

    language: str | None = None
    """Only voices that speak this language, such as en-us, de or cmn."""

    def run(self) -> None:
        """Print a block for each kind of voice."""
        from labial.voices import listed

        groups = listed(self.language)
        if not groups:
            raise OptionError(
                f"--language {self.language}: no voice speaks it; 'labial voices' lists all"
            )
        for group in groups:
            first, *others = group.names or (group.engine,)
            print(f"{first:24} {group.state}")
            _print_wrapped(f"{group.engine}, licence: {group.licence}")
            known = self.language or ", ".join(group.languages) or "known once it is installed"
            _print_wrapped(f"languages: {known}")
            if others:
                _print_wrapped(f"other speakers: {', '.join(others)}")


def _print_wrapped(text: str) -> None:
    indent = " " * 25
    wrapped = textwrap.TextWrapper(100, indent, indent, break_on_hyphens=False)
    print(wrapped.fill(text))
