"""The process in which one stranger's file is looked at: ``python -m labial.jobs.vetting_child``.

It prints one line of JSON: what the file is, or why it is refused.
"""

from __future__ import annotations

import csv
import json
import os
import re
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from labial.errors import LabialError, ReadError, ScriptError
from labial.jobs import confined
from labial.types import FileRules, Vetted

_TEXT_HEAD = 1 << 12
_LISTS = re.compile(
    r"#EXTM3U|ffconcat|v=0\s|\[playlist\]|\[reference\]|rtsptext|;ffmetadata|# vobsub|rtsp://|<\?|<!|"
    r"<[a-z]|https?://\S+\s*$",
    re.IGNORECASE,
)
_CUE = re.compile(r"(\d+:)?\d{1,2}:\d{2}[,.]\d{1,3}\s*-->\s*(\d+:)?\d{1,2}:\d{2}[,.]\d{1,3}")
_CPU_SECONDS, _FILES, _WRITTEN = 60.0, 64, 1 << 20
_BYTE_ORDERS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")


def main(asked: str) -> int:
    """Look at one file and return the exit code: 0, 2 if it is refused, 4 if it took too much."""
    wanted = json.loads(asked)
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    confined.leave_network()
    confined.give_up_privileges()
    rules = FileRules(**wanted["rules"])
    from labial.media import vetting  # loaded before there are limits

    confined.limit(
        wanted["memory"], _WRITTEN, min(wanted["seconds"], _CPU_SECONDS), _FILES, alone=True
    )
    path = Path(wanted["path"])
    try:
        found = vet_text(path, rules) or vetting.vet_media(path, rules)
    except (MemoryError, RecursionError):
        return 4
    except LabialError as error:
        print(json.dumps({"error": str(error)}), file=out, flush=True)
        return 2
    print(json.dumps(asdict(found)), file=out, flush=True)
    return 0


def vet_text(path: Path, rules: FileRules) -> Vetted | None:
    """Tell what a text is; None where the file is no text.

    Raises
    ------
    ReadError
        It is a text that names files or addresses, or none that can be used.
    """
    from labial.script.decode import read_lines

    with path.open("rb") as file:
        head = file.read(_TEXT_HEAD)
    if not head:
        raise ReadError("it is empty (0 bytes)")
    if b"\0" in head and not head.startswith(_BYTE_ORDERS):
        return None
    large = path.stat().st_size > rules.text
    if large and (b"\0" in head or any(byte < 9 for byte in head)):
        return None
    try:
        if large:
            head.decode("ascii")
            raise ReadError(f"a text of more than {rules.text >> 20} MB is not read")
        lines = read_lines(path)
    except (UnicodeDecodeError, ScriptError):
        return None
    text = "\n".join(lines)
    if _LISTS.match(text.lstrip()):
        raise ReadError("it is a page, or a list that names files or addresses: give the media")
    holds, extension = _kind_of_text(path, text, lines)
    return Vetted(holds, extension, {"lines": len(lines), "characters": len(text)})


def _kind_of_text(path: Path, text: str, lines: list[str]) -> Any:
    if text.lstrip()[:1] in ("[", "{"):
        return _kind_of_json(path, text)
    if text.startswith("WEBVTT"):
        return "script", ".vtt"
    if any(_CUE.search(line) for line in lines[:20]):
        return "script", ".srt"
    for delimiter, extension in ((",", ".csv"), (";", ".csv"), ("|", ".csv"), ("\t", ".tsv")):
        header = next(csv.reader(lines[:1], delimiter=delimiter), [])
        if {"start", "end"} <= {cell.strip().lower() for cell in header}:
            return "segments", extension
    return "script", ".txt"


def _kind_of_json(path: Path, text: str) -> Any:
    from labial.speaking.boxes import read_boxes

    try:
        whole = json.loads(text)
    except (ValueError, RecursionError):
        whole = None
    rows = whole if isinstance(whole, list) else []
    named = whole if isinstance(whole, dict) else {}
    first = rows[0] if rows and isinstance(rows[0], dict) else {}
    if "people" in named or "boxes" in named or "box" in first:
        try:
            read_boxes(path)
        except LabialError as error:
            raise ReadError(str(error).replace(str(path), "boxes")) from None
        return "boxes", ".json"
    if "segments" in named or "start" in first:
        return "segments", ".json"
    if whole is None:
        # As text it may still be what somebody says: (laughs) [sighs].
        return "script", ".txt"
    raise ReadError("it is JSON, but neither segments nor boxes")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
