from dataclasses import replace

import numpy as np
from synth import make_clip

from labial.clip import SMALL_PIXELS, Clip, verdicts
from labial.metrics.sync import Offset


def said(clip: Clip, offset: Offset | None = None) -> dict[str, bool]:
    return {line: good for good, line in verdicts(clip, offset)}


def test_a_good_clip_gets_good_news_only() -> None:
    lines = said(make_clip(), Offset(0.0, 0.8))
    assert all(lines.values())
    assert "50 of 50 frames can be re-synced" in lines
    assert "The clip's own sound comes with its mouth (80% sure)" in lines


def test_frames_that_stay_are_counted_with_their_reasons() -> None:
    seen = make_clip()
    quality, reasons = seen.quality.copy(), seen.reasons.copy()
    quality[:20], reasons[:15], reasons[15:20] = 0, "no face", "turned away"
    lines = said(replace(seen, quality=quality, reasons=reasons))
    line = "30 of 50 frames can be re-synced; left as they are: 15 no face, 5 turned away"
    assert lines[line] is False


def test_a_shut_mouth_and_a_small_face_are_bad_news() -> None:
    lines = said(make_clip(gap=0.01, scale=SMALL_PIXELS / 2))
    assert [good for line, good in lines.items() if "never opens" in line] == [False]
    assert [good for line, good in lines.items() if "20 px wide" in line] == [False]


def test_a_shot_that_never_opens_is_named() -> None:
    seen = make_clip()
    opening = seen.opening.copy()
    opening[25:] = 0
    assert any(
        "in 1 of 2 tracks it never opens" in line for line in said(replace(seen, opening=opening))
    )


def test_sound_out_of_sync_is_bad_news() -> None:
    for seconds, words in ((0.2, "200 ms after"), (-0.1, "100 ms before")):
        line = f"The clip's own sound comes {words} its mouth (60% sure): it is out of sync"
        assert said(make_clip(), Offset(seconds, 0.6))[line] is False
    assert said(make_clip(), Offset(0.1, 0.6))[
        "The clip's own sound comes 100 ms after its mouth (60% sure)"
    ]


def test_sound_that_says_nothing() -> None:
    assert "no sound of its own" in " ".join(said(replace(make_clip(), loudness=None)))
    assert "is silence" in " ".join(said(replace(make_clip(), loudness=np.full(100, -60.0))))
    assert "offset not known" in " ".join(said(make_clip()))


def test_fields_are_told() -> None:
    assert "7 frames are interlaced and get deinterlaced" in said(
        replace(make_clip(), deinterlaced=7)
    )
    assert "interlaced" not in " ".join(said(make_clip()))


def test_frames_find_their_track() -> None:
    seen = make_clip()
    for index, shot, row in ((0, 0, 0), (24, 0, 24), (25, 1, 0), (49, 1, 24)):
        track, found = seen.track_of(index)
        assert track is seen.tracks[shot] and found == row
    assert seen.seconds == 2.0
