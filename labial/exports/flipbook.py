"""Mouths that switch: Rhubarb Lip Sync's own three formats, and Moho's switch data."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

from labial.exports.transcript import Transcript
from labial.speech.visemes import CLOSED, VISEME_SETS, held

TWEEN_SECONDS = 0.06
# Rhubarb Lip Sync's manual asks for these in-betweens: from a shape to another, by way of.
_TWEENS = {
    **{(a, "D"): "C" for a in "ABGX"}, **{("D", a): "C" for a in "ABG"},
    **{(a, "F"): "E" for a in "CD"}, **{("F", a): "E" for a in "CD"},
}  # fmt: skip
_WIDE = "DF"
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")


@dataclass(frozen=True)
class Cue:
    """One mouth from ``start`` to ``end`` in hundredths of a second."""

    start: int
    end: int
    value: str


def mouth_cues(transcript: Transcript, viseme_set: str = "rhubarb") -> list[Cue]:
    """Return mouths without gaps from 0 to the speech's end, truncated to 0.01 s.

    None is too short to be seen; with the set ``rhubarb``, wide and puckered mouths are reached
    and left by way of an in-between.
    """
    shapes = held(transcript.visemes(viseme_set), CLOSED[viseme_set])
    end = int(transcript.seconds * 100 + 1e-6)
    cues: list[Cue] = []
    for shape in shapes:
        start, stop = (min(round(t * 100), end) for t in (shape.onset, shape.release))
        if stop > start:
            cues.append(Cue(start, stop, shape.name))
    if cues:
        cues[0] = Cue(0, cues[0].end, cues[0].value)
        cues[-1] = Cue(cues[-1].start, end, cues[-1].value)
    return _tweened(cues) if viseme_set == "rhubarb" else cues


def _tweened(cues: list[Cue]) -> list[Cue]:
    found: list[Cue] = []
    for k, cue in enumerate(cues):
        start, end = cue.start, cue.end
        before = cues[k - 1].value if k else ""
        after = cues[k + 1].value if k + 1 < len(cues) else ""
        # The in-between takes its time from the wide or puckered mouth, at most a third.
        lasts = min(round(TWEEN_SECONDS * 100), (end - start) // 3)
        if cue.value in _WIDE and lasts >= 3:
            into, out = _TWEENS.get((before, cue.value)), _TWEENS.get((cue.value, after))
            if into is not None:
                found.append(Cue(start, start + lasts, into))
                start += lasts
            if out is not None:
                end -= lasts
            found.append(Cue(start, end, cue.value))
            if out is not None:
                found.append(Cue(end, end + lasts, out))
        else:
            found.append(cue)
    return found


def rhubarb_tsv(transcript: Transcript) -> Iterator[str]:
    """Yield lines ``start<TAB>mouth``; the last one is the end, with the mouth at rest."""
    cues = mouth_cues(transcript)
    for cue in cues:
        yield f"{cue.start / 100:.2f}\t{cue.value}\n"
    yield f"{int(transcript.seconds * 100 + 1e-6) / 100:.2f}\tX\n"


def rhubarb_json(transcript: Transcript) -> Iterator[str]:
    """Yield the JSON document of Rhubarb Lip Sync, in its layout."""
    name = json.dumps(str(Path(transcript.source).absolute()), ensure_ascii=False)
    yield f'{{\n  "metadata": {{\n    "soundFile": {name},\n'
    yield f'    "duration": {_end(transcript)}\n  }},\n  "mouthCues": [\n'
    lines = [
        f'    {{ "start": {start}, "end": {end}, "value": "{value}" }}'
        for start, end, value in _listed(transcript)
    ]
    yield ",\n".join(lines)
    yield "\n  ]\n}\n"


def rhubarb_xml(transcript: Transcript) -> Iterator[str]:
    """Yield the XML document of Rhubarb Lip Sync, in its layout."""
    yield '<?xml version="1.0" encoding="utf-8"?>\n<rhubarbResult>\n  <metadata>\n'
    name = _NOT_XML.sub("?", str(transcript.source))
    yield f"    <soundFile>{escape(name)}</soundFile>\n"
    yield f"    <duration>{_end(transcript)}</duration>\n  </metadata>\n  <mouthCues>\n"
    for start, end, value in _listed(transcript):
        yield f'    <mouthCue start="{start}" end="{end}">{value}</mouthCue>\n'
    yield "  </mouthCues>\n</rhubarbResult>\n"


def moho(transcript: Transcript, fps: float, viseme_set: str = "preston-blair") -> Iterator[str]:
    """Yield Moho switch data: frames counted from 1 and the mouth that is switched to.

    Frames number as Rhubarb Lip Sync numbers them; where two mouths fall into one frame, closed
    lips win, else the first.
    """
    closed, rest = CLOSED[viseme_set], VISEME_SETS[viseme_set]["sil"]
    mouths: dict[int, str] = {}
    for cue in mouth_cues(transcript, viseme_set):
        frame = 1 + int(cue.start / 100 * fps + 1e-6)
        if frame not in mouths or cue.value == closed:
            mouths[frame] = cue.value
    last = 1 + int(transcript.seconds * fps + 1e-6)
    mouths[max(last, max(mouths, default=0) + 1)] = rest
    yield "MohoSwitch1\n"
    for frame, value in mouths.items():
        yield f"{frame} {value}\n"


def _end(transcript: Transcript) -> str:
    return f"{int(transcript.seconds * 100 + 1e-6) / 100:.2f}"


def _listed(transcript: Transcript) -> Iterator[tuple[str, str, str]]:
    """The cues as their files show them; one without length where there are none."""
    for cue in mouth_cues(transcript) or [Cue(0, 0, "X")]:
        yield f"{cue.start / 100:.2f}", f"{cue.end / 100:.2f}", cue.value
