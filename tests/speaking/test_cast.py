"""Whom to dub, by every way to ask for somebody."""

from dataclasses import replace

import numpy as np
import pytest
from synth import make_info, standing

from labial.errors import FaceError, OptionError
from labial.face.quality import FADE_FRAMES
from labial.media.probe import VideoInfo
from labial.options import DubOptions
from labial.speaking.cast import Cast, cast
from labial.speaking.turns import Turns
from labial.types import FaceTrack

N = 40
TIMES = np.arange(N) / 20


# The second one leaves; the third one comes when the second one has gone.
TRACKS = [
    standing(N, 100.0, scale=60.0),
    standing(20, 300.0, scale=50.0, key=1, person=1),
    standing(20, 500.0, scale=80.0, start=20, key=2, person=2),
]
SPEAKER = np.repeat([0, 1, 0, 2], 10)


@pytest.fixture
def info() -> VideoInfo:
    return make_info(600, 300)


def asked(what: str, info: VideoInfo, tracks: list[FaceTrack] = TRACKS) -> Cast:
    seen = np.zeros((3, N), bool)
    return cast(what, tracks, TIMES, Turns(SPEAKER, seen), info)


def test_the_speaker_alone_is_dubbed_and_fades(info: VideoInfo) -> None:
    chosen = asked("auto", info)
    first, second, third = chosen.tracks
    for track in chosen.tracks:
        np.testing.assert_array_equal(track.quality > 0, SPEAKER[track.rows] == track.person)
        left = track.quality == 0
        assert set(track.reasons[left]) == {"listening"}
        assert np.abs(np.diff(track.quality)).max() <= 1 / FADE_FRAMES + 1e-6
    np.testing.assert_allclose(first.quality[6:10], [1, 0.75, 0.5, 0.25])
    np.testing.assert_allclose(first.quality[20:24], [0.25, 0.5, 0.75, 1])
    assert second.quality.max() == third.quality.max() == 1
    assert chosen.summary(TIMES) == "person 0 (1.0 s), person 1 (0.5 s), person 2 (0.5 s)"


def test_all_changes_nothing(info: VideoInfo) -> None:
    assert asked("all", info).tracks == TRACKS


def test_the_largest_of_each_moment(info: VideoInfo) -> None:
    first, second, third = asked("largest", info).tracks
    np.testing.assert_array_equal(first.quality[:16], 1)
    assert not second.quality.any()
    assert third.quality[-10:].all()
    assert set(second.reasons) == {"not chosen"}


@pytest.mark.parametrize(
    ("what", "person"),
    [
        ("0", 0),
        ("2", 2),
        ("310,160", 1),
        ("310.5,160@0.9", 1),
        ("480,140@1.5", 2),
        ("100,150@2", 0),
    ],
)
def test_somebody(what: str, person: int, info: VideoInfo) -> None:
    chosen = asked(what, info)
    for track in chosen.tracks:
        assert track.quality.all() == track.quality.any() == (track.person == person)
    assert chosen.summary(TIMES).startswith(f"person {person} (")
    assert chosen.summary(TIMES).endswith("; 2 people left alone: not chosen")


def test_a_point_of_the_picture_as_displayed(info: VideoInfo) -> None:
    # Turned by 90 degrees clockwise, stored (x, y) is shown at (300 - y, x).
    turned = replace(info, rotation=90)
    chosen = asked("150,100", turned)
    assert chosen.tracks[0].quality.all()
    assert not chosen.tracks[1].quality.any()


@pytest.mark.parametrize("what", ["3", "17", "580,20", "500,150@0"])
def test_nobody_is_told_with_who_there_is(what: str, info: VideoInfo) -> None:
    with pytest.raises(FaceError) as told:
        asked(what, info)
    line = str(told.value)
    assert line.startswith(f"--speaker {what}: ")
    assert (
        "0 (2.0 s, left, " in line and "1 (1.0 s, middle, " in line and "2 (1.0 s, right, " in line
    )
    assert "\n" not in line
    with pytest.raises(FaceError, match="nobody is seen"):
        asked(what, info, [])


@pytest.mark.parametrize("what", ["", "me", "-1", "1,2@", "1,2,3", "1.5", "people.txt", "1;2"])
def test_what_cannot_be_understood(what: str) -> None:
    with pytest.raises(OptionError, match="--speaker"):
        DubOptions(speaker=what)


def test_one_person_needs_no_words(info: VideoInfo) -> None:
    assert (
        cast("0", TRACKS[:1], TIMES, Turns(SPEAKER, np.zeros((1, N), bool)), info).summary(TIMES)
        == ""
    )
