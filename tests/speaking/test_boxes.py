"""Boxes of people: what is written is read again, and what is wrong is told."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from synth import make_info, standing

from labial.errors import FaceError, OptionError
from labial.media.probe import VideoInfo
from labial.speaking.boxes import face_boxes, people_json, read_boxes
from labial.speaking.cast import cast
from labial.speaking.turns import Turns
from labial.types import FaceTrack

N = 40
TIMES = np.arange(N) / 20
NO_TURNS = Turns(np.full(N, -1), np.zeros((3, N), bool))


# The second one leaves, and another one comes to the same place.
TRACKS = [
    standing(N, 100.0, scale=60.0),
    standing(20, 400.0, scale=60.0, key=1, person=1),
    standing(15, 400.0, scale=60.0, start=25, key=2, person=2),
]


def info(rotation: int = 0) -> VideoInfo:
    return make_info(600, 300, rotation)


def around(track: FaceTrack, row: int = 0) -> list[float]:
    return [float(v) for v in face_boxes(track, info())[row]]


@pytest.fixture
def read(tmp_path: Path) -> Callable[[Any], list[list[bool]]]:
    def speaking(data: Any) -> list[list[bool]]:
        path = tmp_path / "boxes.json"
        path.write_text(data if isinstance(data, str) else json.dumps(data))
        return [rows.tolist() for rows in read_boxes(path).speaking(TRACKS, TIMES, info())]

    return speaking


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_what_is_written_is_read_again(rotation: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(rotation)
    speaking = [(rng.random(len(track)) > 0.5).astype(np.float32) for track in TRACKS]
    path = tmp_path / "people.json"
    path.write_text(people_json(TRACKS, speaking, TIMES, info(rotation), "ü.mp4"))
    again = read_boxes(path).speaking(TRACKS, TIMES, info(rotation))
    for said, rows in zip(speaking, again, strict=True):
        np.testing.assert_array_equal(rows, said > 0.5)


def test_what_is_written() -> None:
    speaking = [np.ones(N), np.zeros(20), np.ones(15)]
    data = json.loads(people_json(TRACKS, speaking, TIMES, info(), "a.mp4"))
    assert (data["video"], data["width"], data["height"], data["frames"]) == ("a.mp4", 600, 300, N)
    assert [(p["person"], p["seconds"], p["speaks"]) for p in data["people"]] == [
        (0, 2.0, 2.0), (1, 1.0, 0.0), (2, 0.75, 0.75),
    ]  # fmt: skip
    boxes = data["people"][1]["boxes"]
    assert [entry["frame"] for entry in boxes] == list(range(21))
    assert boxes[20]["box"] is None
    x, y, w, h = boxes[3]["box"]
    oval = TRACKS[1].landmarks[3, :, :2]
    assert x < oval[1, 0] < x + w and y < oval[1, 1] < y + h
    assert boxes[3]["time"] == 0.15


def test_boxes_by_hand(read: Callable[[Any], list[list[bool]]]) -> None:
    there, here = around(TRACKS[1]), around(TRACKS[0])
    loose = [there[0] - 40, there[1] - 40, there[2] + 80, there[3] + 80]
    first, second, third = read([{"frame": 5, "box": loose}, {"time": 1.5, "box": loose}])
    assert not any(first)
    assert second == [k >= 5 for k in range(20)]
    assert third == [25 + k <= 30 for k in range(15)]
    # A box that ends, one in between, and an order that is not that of time.
    first, second, third = read(
        {"boxes": [
            {"time": 1.0, "box": None}, {"time": 0.5, "box": there}, {"frame": 30, "box": here},
            {"frame": 39, "box": here},
        ]}
    )  # fmt: skip
    assert first == [k >= 30 for k in range(N)]
    assert second == [k >= 10 for k in range(20)]
    assert not any(third)


def test_a_box_moves_from_one_entry_to_the_next(read: Callable[[Any], list[list[bool]]]) -> None:
    there, here = around(TRACKS[1]), around(TRACKS[0])
    first, second, _ = read([{"frame": 0, "box": here}, {"frame": 18, "box": there}])
    assert first[:4] == [True] * 4 and not any(first[9:])
    assert not any(second[:9]) and all(second[-4:-1]) and not second[-1]


def test_silence_is_no_speech(read: Callable[[Any], list[list[bool]]]) -> None:
    here = around(TRACKS[0])
    entries = [{"frame": k, "box": here, "speaking": k / 39} for k in range(N)]
    assert read([*entries])[0] == [k / 39 >= 0.5 for k in range(N)]


def test_two_may_speak_at_once(read: Callable[[Any], list[list[bool]]]) -> None:
    people = [
        {"boxes": [{"frame": 0, "box": around(t)}, {"frame": 19, "box": around(t)}]}
        for t in TRACKS[:2]
    ]
    first, second, _ = read({"people": people})
    assert sum(first) == sum(second) == 20


def test_somebody_who_comes_after_the_end_of_a_shorter_cut(
    read: Callable[[Any], list[list[bool]]],
) -> None:
    people = [{"boxes": [{"frame": k, "box": around(TRACKS[0])}]} for k in (0, 900)]
    assert read({"people": people}) == [[k == 0 for k in range(N)], [False] * 20, [False] * 15]


GOOD = {"frame": 0, "box": [1, 2, 3, 4]}


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("{", "no JSON, line 1 column 2"),
        ("7", "no list of boxes"),
        ("[]", "no box in it"),
        ("{}", "no list of boxes"),
        ('{"people": 3}', "people must be a list"),
        ([GOOD, 5], 'box 1: write {"frame": 0, "box": [left, top, width, height]}, not 5'),
        ([{"box": [1, 2, 3, 4]}], 'needs "frame" (a whole number from 0) or "time"'),
        ([GOOD | {"frame": 1.5}], "not 1.5"),
        ([GOOD | {"frame": -1}], "not -1"),
        ([GOOD | {"frame": 10**400}], "not 1000000"),
        ([GOOD | {"box": [1, 2, float("nan"), float("inf")]}], "not [1, 2, NaN, Infinity]"),
        ('[{"frame": ' + "9" * 5000 + ', "box": null}]', "thousands of digits"),
        ("[" * 100_000, "lists in lists"),
        ([{"time": "1:30", "box": [1, 2, 3, 4]}], 'not "1:30"'),
        ([GOOD | {"box": [1, 2, 3]}], "box must be left, top, width and height"),
        ([GOOD | {"box": [1, 2, 0, 4]}], "not [1, 2, 0, 4]"),
        ([GOOD | {"box": "face"}], 'not "face"'),
        ([GOOD | {"speaking": 2}], "speaking must be 0 to 1, not 2"),
        ({"people": [{"boxes": [GOOD]}, {"boxes": [{}]}]}, "person 1, box 0: write"),
        ([{"frame": 0, "box": None}], "no box in it"),
        ([GOOD | {"frame": 900}], "first box is at 45.00 s, and the video ends at 1.95 s"),
    ],
)
def test_what_is_wrong_is_told_in_a_line(
    data: Any, words: str, read: Callable[[Any], list[list[bool]]]
) -> None:
    with pytest.raises(OptionError) as told:
        read(data)
    assert words in str(told.value)
    assert "boxes.json" in str(told.value)
    assert "\n" not in str(told.value)


def test_files_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="No such file"):
        read_boxes(tmp_path / "x.json")
    (tmp_path / "b.json").write_bytes(b"\xff\xfe")
    with pytest.raises(OptionError, match="UTF-8"):
        read_boxes(tmp_path / "b.json")


def test_boxes_without_a_face(tmp_path: Path) -> None:
    path = tmp_path / "boxes.json"
    path.write_text(json.dumps([{"frame": 0, "box": [500, 0, 20, 20]}]))
    with pytest.raises(FaceError, match=r"no face is in the boxes; there are person 0 \(2\.0 s"):
        cast(read_boxes(path), TRACKS, TIMES, NO_TURNS, info())
