"""What a check says of numbers that are given."""

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from labial.checking.picture import draw_sync
from labial.checking.verdict import SyncReport, clock, judged, late
from labial.metrics.drift import Window

REPORT = SyncReport(
    Path("talk.mp4"), "audio stream 1 (aac)", "noticeable", "", 0.15, 0.0001, 0.0002, False,
    0.93, 60.0, 40.0, (Window(0, 5, 0.15, 0.9), Window(5, 10, 0.4, 0.2)),
)  # fmt: skip


@pytest.mark.parametrize(
    ("ms", "verdict"),
    [
        (0, "in sync"), (125, "in sync"), (-45, "in sync"), (126, "noticeable"),
        (-46, "noticeable"), (185, "noticeable"), (-90, "noticeable"), (186, "out of sync"),
        (-91, "out of sync"),
    ],
)  # fmt: skip
def test_the_limits_are_those_of_the_recommendation(ms: int, verdict: str) -> None:
    assert judged(ms / 1000) == verdict


def test_the_sign_is_said_in_words() -> None:
    assert late(0.12) == "sound 120 ms late"
    assert late(-0.12) == "sound 120 ms early"
    assert late(0.0002) == "sound on time"
    assert clock(65.04) == "1:05.0" and clock(59.96) == "1:00.0"


def test_the_summary_says_what_matters() -> None:
    lines = REPORT.summary().splitlines()
    assert lines[0] == "talk.mp4: sound 150 ms late (93% sure): noticeable"
    assert lines[1] == "measured: audio stream 1 (aac)"
    assert lines[2] == "drift: none that is sure (+6 ± 12 ms a minute)"
    assert "45 ms early or 125 ms late" in lines[3]
    assert lines[4:] == ["  0:00.0 to 0:05.0  sound 150 ms late, 90% sure",
                         "  0:05.0 to 0:10.0  unsure"]  # fmt: skip


def test_a_drift_is_judged_at_its_worse_end() -> None:
    report = replace(REPORT, offset=0.0, drift=0.002, drift_error=0.0001, drifts=True)
    assert report.at(0) == pytest.approx(-0.06) and report.at(60) == pytest.approx(0.06)
    assert report.worst == pytest.approx(-0.06)
    assert "sound 60 ms early at the beginning, sound 60 ms late at the end" in report.headline()
    assert "drift: +120 ± 6 ms a minute" in report.summary()
    unsure = replace(report, drifts=False)
    assert unsure.at(0) == unsure.at(60) == 0


def test_a_vague_drift_is_no_number() -> None:
    report = replace(REPORT, drift=0.004, drift_error=0.005)
    assert "drift: too little to tell (± 300 ms a minute)" in report.summary()
    assert "drift: too little to tell\n" in replace(report, drift_error=math.inf).summary()


def test_what_cannot_be_told_has_a_reason_and_no_numbers() -> None:
    report = replace(
        REPORT, verdict="cannot tell", why="no face is seen", offset=None, drift=None,
        drift_error=0.0, windows=(),
    )  # fmt: skip
    lines = report.summary().splitlines()
    assert lines == ["talk.mp4: cannot tell: no face is seen", "measured: audio stream 1 (aac)"]
    numbers = json.loads(report.numbers())
    assert numbers["why"] == "no face is seen"
    told = [key for key in numbers if "late" in key or "drift_" in key]
    assert told and all(numbers[key] is None for key in told)


def test_an_offset_that_wanders_is_given_as_a_range() -> None:
    apart = (Window(0, 5, -0.1, 0.9), Window(5, 10, 0.3, 0.9), Window(10, 15, 0.5, 0.1))
    report = replace(REPORT, verdict="wanders", windows=apart)
    assert "wanders, from sound 100 ms early to sound 300 ms late" in report.headline()


def test_numbers_are_json() -> None:
    numbers = json.loads(replace(REPORT, drift_error=math.inf).numbers())
    assert numbers["sound_late_ms"] == numbers["sound_late_ms_at_end"] == 150
    assert numbers["drift_ms_per_minute"] == 6 and numbers["drift_error_ms_per_minute"] is None
    assert numbers["windows"][1] == {
        "begin": 5, "end": 10, "sound_late_ms": 400, "confidence": 0.2
    }  # fmt: skip
    assert numbers["limits_ms"] == {"noticed": [-45, 125], "acceptable": [-90, 185]}


def test_many_windows_are_thinned_out() -> None:
    many = tuple(Window(k, k + 5, 0.1, 0.9) for k in range(300))
    lines = replace(REPORT, windows=many).summary().splitlines()
    assert len(lines) == 4 + 12
    assert lines[4].startswith("  0:00.0") and lines[-1].startswith("  4:59.0")


@pytest.mark.parametrize("seconds", [0.15, -0.4, 3.0])
def test_the_picture_shows_a_stretch_at_its_height(seconds: float) -> None:
    """Where the blue dot is, relative to the line of "on time", follows the offset."""
    report = replace(REPORT, offset=seconds, windows=(Window(0, 5, seconds, 0.9),))
    page = draw_sync(report)
    assert page.dtype == np.uint8 and page.shape[1:] == (1400, 3)
    chart = page[110:430, 96:200].astype(int)
    blue = (np.abs(chart - (28, 98, 186)).sum(2) < 30).nonzero()[0]
    assert len(blue)
    rust = (np.abs(page[110:430, 1000:1010].astype(int) - (196, 92, 24)).sum(2) < 60).nonzero()[0]
    assert abs(blue.mean() - rust.mean()) < 3
