import json
import re
import xml.etree.ElementTree as ET
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from synth_speech import Sound, make_transcript

from labial.exports.flipbook import moho, mouth_cues, rhubarb_json, rhubarb_tsv, rhubarb_xml

HI: list[Sound] = [("sil", 0.05), ("h", 0.05), ("a", 0.2), ("ɪ", 0.12), ("sil", 0.054)]
MUMBLE: list[Sound] = [
    ("sil", 0.2), ("m", 0.08), ("ɑ", 0.3), ("m", 0.02), ("u", 0.3), ("l", 0.1), ("v", 0.1),
    ("ɛ", 0.2), ("u", 0.3), ("sil", 0.2),
]  # fmt: skip


def test_tsv_is_laid_out_as_rhubarb_does() -> None:
    text = "".join(rhubarb_tsv(make_transcript(HI)))
    assert re.fullmatch(r"(\d+\.\d\d\t[A-HX]\n)+", text)
    rows = [line.split("\t") for line in text.splitlines()]
    assert rows[0] == ["0.00", "X"] and rows[-1] == ["0.47", "X"]
    assert [value for _, value in rows] == ["X", "B", "C", "D", "C", "B", "X", "X"]


def test_json_is_laid_out_as_rhubarb_does() -> None:
    text = "".join(rhubarb_json(make_transcript([("sil", 0.1), ("m", 0.2)], source='a "b" ü.wav')))
    name = json.dumps(str(Path('a "b" ü.wav').absolute()), ensure_ascii=False)
    assert text == (
        "{\n"
        '  "metadata": {\n'
        f'    "soundFile": {name},\n'
        '    "duration": 0.30\n'
        "  },\n"
        '  "mouthCues": [\n'
        '    { "start": 0.00, "end": 0.10, "value": "X" },\n'
        '    { "start": 0.10, "end": 0.30, "value": "A" }\n'
        "  ]\n"
        "}\n"
    )
    assert json.loads(text)["metadata"]["duration"] == 0.3


def test_xml_is_laid_out_as_rhubarb_does() -> None:
    text = "".join(rhubarb_xml(make_transcript([("sil", 0.1), ("m", 0.2)], source="a<&>\x01.wav")))
    assert text.splitlines()[1:] == [
        "<rhubarbResult>",
        "  <metadata>",
        "    <soundFile>a&lt;&amp;&gt;?.wav</soundFile>",
        "    <duration>0.30</duration>",
        "  </metadata>",
        "  <mouthCues>",
        '    <mouthCue start="0.00" end="0.10">X</mouthCue>',
        '    <mouthCue start="0.10" end="0.30">A</mouthCue>',
        "  </mouthCues>",
        "</rhubarbResult>",
    ]
    root = ET.fromstring(text)
    assert root.findtext("metadata/soundFile") == "a<&>?.wav"


def test_all_three_tell_the_same() -> None:
    said = make_transcript(MUMBLE)
    cues = [(c.start / 100, c.end / 100, c.value) for c in mouth_cues(said)]
    listed = json.loads("".join(rhubarb_json(said)))["mouthCues"]
    assert [(c["start"], c["end"], c["value"]) for c in listed] == cues
    root = ET.fromstring("".join(rhubarb_xml(said)))
    assert [(float(c.get("start", "")), float(c.get("end", "")), c.text)
            for c in root.iter("mouthCue")] == cues  # fmt: skip
    lines = "".join(rhubarb_tsv(said)).splitlines()[:-1]
    assert [(float(a), b) for a, b in (line.split("\t") for line in lines)] == [
        (start, value) for start, _, value in cues
    ]


def test_wide_mouths_are_reached_by_way_of_others() -> None:
    cues = mouth_cues(make_transcript(MUMBLE))
    assert [cue.value for cue in cues] == list("XACDCAFHGCEFX")
    # The closure of 20 ms was too short to be seen.
    assert min(cue.end - cue.start for cue in cues) >= 4


@pytest.mark.parametrize("seed", range(10))
def test_cues_have_no_gaps(seed: int) -> None:
    rng = np.random.default_rng(seed)
    names = rng.choice(["sil", "m", "ɑ", "f", "s", "u", "ɔ"], 50)
    said = make_transcript([(str(n), float(rng.exponential(0.08))) for n in names])
    cues = mouth_cues(said)
    assert cues[0].start == 0 and cues[-1].end == int(said.seconds * 100 + 1e-6)
    for a, b in pairwise(cues):
        assert a.end == b.start and a.start < a.end


def test_moho_counts_frames_from_one() -> None:
    lines = "".join(moho(make_transcript(MUMBLE), 24)).splitlines()
    assert lines[0] == "MohoSwitch1" and lines[1] == "1 rest"
    rows = [line.split(" ") for line in lines[1:]]
    frames = [int(frame) for frame, _ in rows]
    assert frames == sorted(set(frames)) and frames[-1] == 1 + int(1.8 * 24)
    assert [name for _, name in rows] == [
        "rest", "MBP", "AI", "MBP", "U", "L", "FV", "E", "U", "rest", "rest"
    ]  # fmt: skip
    assert frames[1] == 1 + int(0.2 * 24)


def test_moho_by_letters_and_closures_at_low_rates() -> None:
    text = "".join(moho(make_transcript(MUMBLE), 10, "rhubarb"))
    assert {line.split()[1] for line in text.splitlines()[1:]} <= set("ABCDEFGHX")
    assert text.count(" A\n") == 2


def test_nothing_was_said() -> None:
    empty = make_transcript([])
    assert "".join(rhubarb_tsv(empty)) == "0.00\tX\n"
    assert json.loads("".join(rhubarb_json(empty)))["mouthCues"][0]["value"] == "X"
    assert "".join(moho(empty, 24)) == "MohoSwitch1\n1 rest\n"
