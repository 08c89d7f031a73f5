import csv
import json
import re

import numpy as np
import pytest
from synth_speech import Sound, make_transcript

from labial.exports.documents import (
    MPEG4_NAMES,
    document,
    mpeg4_csv,
    mpeg4_json,
    oculus_csv,
    textgrid,
)
from labial.speech.align import Word
from labial.speech.visemes import VISEME_SETS, VISEMES

SOUNDS: list[Sound] = [("sil", 0.25), ("m", 0.1), ("ɑ", 0.2), ("t", 0.1), ("sil", 0.35)]
WORDS = [Word('say "ma"', 0.25, 0.55, 0.8), Word("t’", 0.55, 0.65, 0.7)]


def parse_textgrid(text: str) -> dict[str, list[tuple[float, float, str]]]:
    """Read a long TextGrid the way Praat does: values in order, names ignored."""
    assert text.startswith('File type = "ooTextFile"\nObject class = "TextGrid"\n\nxmin = ')
    body = re.sub(r"\[\d*\]", "", text)
    values = re.findall(r'"(?:[^"]|"")*"|(?<![\w.])\d+(?:\.\d+)?(?![\w.])|<exists>', body)
    it = iter(values[2:])
    low, high, exists, size = float(next(it)), float(next(it)), next(it), int(next(it))
    assert exists == "<exists>"
    tiers = {}
    for _ in range(size):
        assert next(it) == '"IntervalTier"'
        name = next(it).strip('"')
        assert (float(next(it)), float(next(it))) == (low, high)
        rows = []
        for _ in range(int(next(it))):
            start, stop, label = float(next(it)), float(next(it)), next(it)
            rows.append((start, stop, label[1:-1].replace('""', '"')))
        tiers[name] = rows
    assert not list(it)
    return tiers


def test_json() -> None:
    said = make_transcript(SOUNDS, words=WORDS, source="ü.wav")
    found = json.loads("".join(document(said, "oculus")))
    assert found["schema"] == "labial.visemes/1" and found["source"] == "ü.wav"
    assert found["duration"] == 1.0 and found["viseme_set"] == "oculus"
    assert [phone["name"] for phone in found["phones"]] == [name for name, _ in SOUNDS]
    assert [v["name"] for v in found["visemes"]] == ["sil", "PP", "aa", "DD", "sil"]
    assert found["words"][0] == {
        "text": 'say "ma"', "onset": 0.25, "release": 0.55, "confidence": 0.8
    }  # fmt: skip
    assert found["voice"][0] == {"onset": 0.25, "release": 0.35}
    assert found["phones"][1] == {
        "name": "m", "onset": 0.25, "peak": 0.3, "release": 0.35, "confidence": 0.9
    }  # fmt: skip


def test_json_without_a_text_has_no_words() -> None:
    assert "words" not in json.loads("".join(document(make_transcript(SOUNDS), "rhubarb")))
    found = json.loads("".join(document(make_transcript([]), "oculus")))
    assert found["phones"] == found["visemes"] == found["voice"] == []


@pytest.mark.parametrize("viseme_set", VISEME_SETS)
def test_textgrid_round_trip(viseme_set: str) -> None:
    tiers = parse_textgrid("".join(textgrid(make_transcript(SOUNDS, words=WORDS), viseme_set)))
    assert list(tiers) == ["words", "phones", "visemes"]
    for rows in tiers.values():
        edges = [0.0, *(stop for _, stop, _ in rows)]
        assert [start for start, _, _ in rows] == edges[:-1] and edges[-1] == 1.0
        assert all(start < stop for start, stop, _ in rows)
    assert [text for *_, text in tiers["words"]] == ["", 'say "ma"', "t’", ""]
    assert [text for *_, text in tiers["phones"]] == [name for name, _ in SOUNDS]
    assert [row[2] for row in tiers["visemes"]] == [VISEME_SETS[viseme_set][n] for n, _ in SOUNDS]


def test_textgrid_without_words_and_with_nothing() -> None:
    assert list(parse_textgrid("".join(textgrid(make_transcript(SOUNDS), "oculus")))) == [
        "phones",
        "visemes",
    ]
    assert parse_textgrid("".join(textgrid(make_transcript([]), "oculus")))["phones"] == []


def test_oculus_table() -> None:
    rows = list(csv.reader("".join(oculus_csv(make_transcript(SOUNDS), 30)).splitlines()))
    assert rows[0] == ["time", *VISEMES] and len(rows) == 1 + 31
    table = np.array(rows[1:], float)
    assert np.allclose(table[:, 0], np.arange(31) / 30, atol=1e-4)
    assert np.allclose(table[:, 1:].sum(1), 1, atol=1e-3)
    assert VISEMES[table[9, 1:].argmax()] == "PP" and VISEMES[table[13, 1:].argmax()] == "aa"


def test_mpeg4() -> None:
    said = make_transcript(SOUNDS)
    rows = list(csv.DictReader("".join(mpeg4_csv(said)).splitlines()))
    assert [int(row["viseme"]) for row in rows] == [0, 1, 10, 4, 0]
    assert [row["phonemes"] for row in rows] == ["none", "p b m", "A:", "t d", "none"]
    listed = json.loads("".join(mpeg4_json(said)))
    assert [row["viseme"] for row in listed] == [0, 1, 10, 4, 0]
    assert float(rows[1]["onset"]) == listed[1]["onset"] == 0.25
    assert json.loads("".join(mpeg4_json(make_transcript([])))) == []
    assert len(MPEG4_NAMES) == 15
