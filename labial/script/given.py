"""A text that was given on a command line, or the name of its file."""

from __future__ import annotations

from pathlib import Path

from labial.errors import OptionError
from labial.script.decode import read_lines

_LONGEST_NAME = 255


def given_text(text: str) -> tuple[str, Path | None]:
    """Return the words that ``text`` is, or those in the file it names, and that file.

    Raises
    ------
    OptionError
        It names a text file that is not there.
    ReadError, ScriptError
        The file cannot be read, or is no text.
    """
    if "\n" in text or len(text) > _LONGEST_NAME:
        return text, None
    path = Path(text)
    if not path.is_file():
        if path.suffix.lower() in (".txt", ".text"):
            raise OptionError(f"--text {text}: there is no such file")
        return text, None
    return "\n".join(read_lines(path)), path
