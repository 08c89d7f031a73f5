"""Phones, visemes and words as documents: JSON, Praat TextGrid, and tables of visemes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from labial.exports.curves import viseme_weights
from labial.exports.transcript import Transcript
from labial.speech.visemes import VISEMES

SCHEMA = "labial.visemes/1"
"""Name and version of the JSON document; the number rises when a reader would have to change."""
MPEG4_NAMES = (
    "none", "p b m", "f v", "T D", "t d", "k g", "tS dZ S", "s z", "n l", "r", "A:", "e", "I",
    "Q", "U",
)  # fmt: skip
"""Examples of each MPEG-4 viseme, as the standard gives them."""


def document(transcript: Transcript, viseme_set: str) -> Iterator[str]:
    """Yield a JSON document; ``FORMATS.md`` beside this file describes it.

    Times are seconds to the tenth of a millisecond, confidences 0 to 1.
    """
    head: dict[str, Any] = {
        "schema": SCHEMA,
        "source": str(transcript.source),
        "duration": round(transcript.seconds, 4),
        "viseme_set": viseme_set,
    }
    yield "{\n"
    for key, value in head.items():
        yield f"  {json.dumps(key)}: {json.dumps(value, ensure_ascii=False)},\n"
    parts: dict[str, Iterable[dict[str, Any]]] = {}
    if transcript.words is not None:
        parts["words"] = (
            {"text": w.text, **_times(onset=w.onset, release=w.release), **_sure(w.confidence)}
            for w in transcript.words
        )
    for key, shapes in (
        ("phones", transcript.phones),
        ("visemes", transcript.visemes(viseme_set)),
    ):
        parts[key] = (
            {
                "name": shape.name,
                **_times(onset=shape.onset, peak=shape.peak, release=shape.release),
                **_sure(shape.confidence),
            }
            for shape in shapes
        )
    parts["voice"] = (_times(onset=onset, release=release) for onset, release in transcript.voice)
    for k, (key, rows) in enumerate(parts.items()):
        lines = [f"    {json.dumps(row, ensure_ascii=False)}" for row in rows]
        body = "[\n" + ",\n".join(lines) + "\n  ]" if lines else "[]"
        yield f'  "{key}": {body}{"," if k + 1 < len(parts) else ""}\n'
    yield "}\n"


def textgrid(transcript: Transcript, viseme_set: str) -> Iterator[str]:
    """Yield a Praat TextGrid in the long text format: words when known, phones, visemes."""
    end = f"{transcript.seconds:.4f}"
    tiers: dict[str, list[tuple[float, float, str]]] = {}
    if transcript.words is not None:
        tiers["words"] = [(w.onset, w.release, w.text) for w in transcript.words]
    tiers["phones"] = [(p.onset, p.release, p.name) for p in transcript.phones]
    tiers["visemes"] = [(v.onset, v.release, v.name) for v in transcript.visemes(viseme_set)]
    yield 'File type = "ooTextFile"\nObject class = "TextGrid"\n\n'
    yield f"xmin = 0 \nxmax = {end} \ntiers? <exists> \nsize = {len(tiers)} \nitem []: \n"
    for k, (name, spans) in enumerate(tiers.items(), 1):
        rows = list(_gapless(spans, end))
        yield f'    item [{k}]:\n        class = "IntervalTier" \n        name = "{name}" \n'
        yield f"        xmin = 0 \n        xmax = {end} \n"
        yield f"        intervals: size = {len(rows)} \n"
        for i, (start, stop, text) in enumerate(rows, 1):
            quoted = text.replace('"', '""')
            yield f"        intervals [{i}]:\n            xmin = {start} \n"
            yield f'            xmax = {stop} \n            text = "{quoted}" \n'


def _gapless(spans: Iterable[tuple[float, float, str]], end: str) -> Iterator[tuple[str, str, str]]:
    """Round the times; fill what lies between with empty text; drop what has no length left."""
    before = "0.0000"
    for onset, release, text in spans:
        start, stop = f"{onset:.4f}", f"{release:.4f}"
        if float(start) > float(before):
            yield before, start, ""
            before = start
        if float(stop) > float(before):
            yield before, stop, text
            before = stop
    if float(end) > float(before):
        yield before, end, ""


def oculus_csv(transcript: Transcript, fps: float) -> Iterator[str]:
    """Yield a table of the fifteen visemes' weights ``fps`` times a second; rows sum to 1."""
    times = transcript.frame_times(fps)
    yield f"time,{','.join(VISEMES)}\n"
    frame = 0
    for rows in viseme_weights(transcript.phones, times):
        for row in rows.tolist():
            yield f"{times[frame]:.4f},{','.join([f'{weight:.4f}' for weight in row])}\n"
            frame += 1


def mpeg4_csv(transcript: Transcript) -> Iterator[str]:
    """Yield a table of MPEG-4 visemes: onset, peak, release, number, examples, confidence."""
    yield "onset,peak,release,viseme,phonemes,confidence\n"
    for v in transcript.visemes("mpeg4"):
        name = MPEG4_NAMES[int(v.name)]
        yield f"{v.onset:.4f},{v.peak:.4f},{v.release:.4f},{v.name},{name},{v.confidence:.3f}\n"


def mpeg4_json(transcript: Transcript) -> Iterator[str]:
    """Yield the rows of :func:`mpeg4_csv` as a JSON list of objects."""
    lines = [
        json.dumps(
            {
                **_times(onset=v.onset, peak=v.peak, release=v.release),
                "viseme": int(v.name),
                "phonemes": MPEG4_NAMES[int(v.name)],
                **_sure(v.confidence),
            }
        )
        for v in transcript.visemes("mpeg4")
    ]
    yield "[\n  " + ",\n  ".join(lines) + "\n]\n" if lines else "[]\n"


def _times(**seconds: float) -> dict[str, float]:
    return {name: round(value, 4) for name, value in seconds.items()}


def _sure(confidence: float) -> dict[str, float]:
    return {"confidence": round(confidence, 3)}
