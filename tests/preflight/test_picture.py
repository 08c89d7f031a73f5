"""Pictures whose every flaw is known."""

from dataclasses import replace

import numpy as np
import pytest
from synth import make_clip

from labial.clip import SMALL_PIXELS, Clip
from labial.metrics.sync import Offset
from labial.preflight.finding import Finding
from labial.preflight.looking import dub_advice
from labial.preflight.picture import picture_findings, stretches


def opened(clip: Clip, gap: float = 0.2) -> Clip:
    """The same, its lips apart in every frame."""
    tracks = []
    for track in clip.tracks:
        landmarks = track.landmarks.copy()
        landmarks[:, 14, 1] = landmarks[:, 13, 1] + gap * track.scale
        tracks.append(replace(track, landmarks=landmarks))
    return replace(clip, tracks=tracks)


def found(clip: Clip, offset: Offset | None = None) -> dict[str, Finding]:
    return {finding.measure: finding for finding in picture_findings(clip, offset)}


def test_a_good_clip() -> None:
    what = found(opened(make_clip()), Offset(0.0, 0.8))
    bad = {name for name, finding in what.items() if finding.severity != "good"}
    assert {"usable frames", "face size", "mouth opening"} <= set(what) - bad
    assert bad == {"cuts"} and what["cuts"].value == 1
    assert what["usable frames"].text == "50 of 50 frames can be re-synced"


def test_frames_that_stay_have_their_reasons_and_seconds() -> None:
    clip = make_clip()
    quality, reasons = clip.quality.copy(), clip.reasons.copy()
    quality[10:20], reasons[10:20] = 0, "turned away"
    quality[20:30], reasons[20:30] = 0.5, "blurred"
    quality[30:33], reasons[30:33] = 0, "mouth covered"
    what = found(replace(clip, quality=quality, reasons=reasons))
    assert what["usable frames"].severity == "warning" and what["usable frames"].value == 74
    assert what["usable frames"].text == (
        "37 of 50 frames can be re-synced; left as they are: 10 turned away, 3 mouth covered"
    )
    assert what["turned away"].severity == "warning"
    assert what["turned away"].where == (pytest.approx((0.4, 0.8), abs=0.02),)
    assert what["blurred"].severity == "hint" and "which fade" in what["blurred"].text
    assert what["mouth covered"].severity == "hint"
    quality[:40] = 0
    lost = found(replace(clip, quality=quality, reasons=reasons))
    assert lost["usable frames"].severity == "problem"


def test_nobody_to_be_seen_is_a_problem() -> None:
    clip, nobody = make_clip(), np.full(50, "no face", object)
    what = found(replace(clip, quality=np.zeros(50), reasons=nobody, which=np.full(50, -1)))
    assert what["no face"].severity == "problem"
    assert what["no face"].where == (pytest.approx((0.0, 2.0), abs=0.02),)
    assert "face size" not in what


def test_a_small_face_and_a_shut_mouth() -> None:
    what = found(make_clip(gap=0.01, scale=SMALL_PIXELS / 2))
    assert what["face size"].severity == "warning" and what["face size"].value == 20
    assert what["mouth opening"].severity == "warning"
    assert "never opens" in what["mouth opening"].text


@pytest.mark.parametrize(("luma", "severity"), [(20, "warning"), (40, "hint"), (100, "good")])
def test_light_is_that_of_the_mouth_as_it_usually_looks(luma: int, severity: str) -> None:
    clip, usual = make_clip(), np.full((4, 4, 3), luma, np.uint8)
    tracks = [replace(track, usual=usual) for track in clip.tracks]
    light = found(replace(clip, tracks=tracks))["light"]
    assert (light.severity, light.value) == (severity, luma)


def test_people_fields_and_damage_are_told() -> None:
    clip = make_clip()
    two = [replace(track, person=k) for k, track in enumerate(clip.tracks)]
    what = found(replace(clip, tracks=two, deinterlaced=7, skipped=3, strangers="no model"))
    assert what["people"].value == 2 and "--speaker" in what["people"].advice
    assert what["interlaced"].value == 7 and what["damage"].severity == "warning"
    assert "no model" in what["people known again"].text


def test_a_track_that_never_opens_is_counted() -> None:
    clip, shut = opened(make_clip()), make_clip(gap=0.01)
    what = found(replace(clip, tracks=[clip.tracks[0], opened(shut, 0.01).tracks[1]]))
    assert what["mouth opening"].severity == "hint"
    assert "never in 1 of 2 tracks" in what["mouth opening"].text


@pytest.mark.parametrize(
    ("seconds", "severity", "words"),
    [
        (0.0, "good", "comes with its mouth (80% sure)"),
        (0.1, "good", "comes 100 ms after its mouth (80% sure)"),
        (0.2, "warning", "comes 200 ms after its mouth (80% sure): out of sync"),
        (-0.1, "warning", "comes 100 ms before its mouth (80% sure): out of sync"),
    ],
)
def test_own_sound_out_of_sync(seconds: float, severity: str, words: str) -> None:
    sync = found(make_clip(), Offset(seconds, 0.8))["own sync"]
    assert sync.severity == severity and sync.text == f"its own sound {words}"


def test_sound_that_says_nothing() -> None:
    clip = make_clip()
    assert "no sound of its own" in found(replace(clip, loudness=None))["own sync"].text
    silence = replace(clip, loudness=np.full(100, -60.0))
    assert "is silence" in found(silence)["own sync"].text
    assert "does not clearly belong" in found(clip)["own sync"].text


def test_advice_of_a_dub_is_what_is_bad_only() -> None:
    good, bad = opened(make_clip()), make_clip(gap=0.01, scale=SMALL_PIXELS / 2)
    assert dub_advice(good.tracks, []) == ()
    lines = dub_advice(bad.tracks, [])
    assert len(lines) == 2 and any("never opens" in line for line in lines)
    hidden = [replace(track, quality=np.zeros(len(track), np.float32)) for track in bad.tracks]
    assert dub_advice(hidden, []) == ()


def test_stretches() -> None:
    rows = np.array([1, 1, 0, 0, 1], bool)
    assert stretches(rows, np.arange(5) / 10) == ((0.0, 0.2), (0.4, 0.5))
    assert stretches(np.zeros(3, bool), np.arange(3) / 10) == ()
