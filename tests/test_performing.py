"""Several people say several things, each at their own time."""

from fractions import Fraction

import numpy as np
import pytest
from synth import make_info, standing

from labial.analysis import Analysis
from labial.motion.space import load_basis
from labial.options import DubOptions
from labial.performing import Performance, Speech, idling, perform
from labial.speech.phones import PHONE_INDEX, PHONES
from labial.timeline import Timeline, timeline
from labial.types import MouthMotion, SpeechTrack

BASIS = load_basis()
OPENING = BASIS.aperture(np.eye(len(BASIS), dtype=np.float32))
N = 80
OPTIONS = DubOptions(expression=0, rest=False, onset=False)


def said(gap: float, seconds: float, phone: str = "a") -> SpeechTrack:
    """A vowel with lips ``gap`` apart."""
    n = round(seconds * 50) + 1
    motion = np.repeat((gap * OPENING / (OPENING @ OPENING))[None], n, 0).astype(np.float32)
    phones = np.eye(len(PHONES), dtype=np.float32)[np.full(n, PHONE_INDEX[phone])]
    return SpeechTrack(MouthMotion(motion), phones)


def two_people() -> Analysis:
    tracks = [standing(N, 100.0, scale=60.0), standing(N, 300.0, scale=50.0, key=1, person=1)]
    return Analysis(tracks, [], np.arange(N), Fraction(1, 20), Fraction(N, 20))


def played(*speeches: Speech) -> Performance:
    return perform(two_people(), speeches, make_info(600, 300))


def gaps(performance: Performance, k: int) -> np.ndarray:
    return np.asarray(BASIS.aperture(performance.mouths[k]))


def test_only_the_named_seconds_of_the_named_person_change() -> None:
    done = played(Speech(said(0.1, 1), 1.0, 2.0, "1", OPTIONS))
    first, second = done.analysis.tracks
    assert not first.quality.any()
    assert set(first.reasons[:20]) == {"outside of the segments"}
    assert set(first.reasons[20:40]) == {"not chosen"}
    inside = np.zeros(N, bool)
    inside[20:40] = True
    np.testing.assert_array_equal(second.quality > 0, inside)
    assert set(second.reasons[~inside]) == {"outside of the segments"}
    np.testing.assert_allclose(gaps(done, 1)[24:36], 0.1, atol=1e-3)


def test_two_people_speak_at_once_and_one_of_them_twice() -> None:
    done = played(
        Speech(said(0.1, 1), 1.0, 2.0, "0", OPTIONS),
        Speech(said(0.05, 1, "i"), 1.5, 2.5, "1", OPTIONS),
        Speech(said(0.15, 1), 3.0, 4.0, "0", OPTIONS),
    )
    first, second = done.analysis.tracks
    speaking = np.zeros((2, N), bool)
    speaking[0, 20:40] = speaking[0, 60:] = speaking[1, 30:50] = True
    np.testing.assert_array_equal(first.quality > 0, speaking[0])
    np.testing.assert_array_equal(second.quality > 0, speaking[1])
    np.testing.assert_allclose(gaps(done, 0)[24:36], 0.1, atol=1e-3)
    np.testing.assert_allclose(gaps(done, 0)[64:], 0.15, atol=1e-3)
    np.testing.assert_allclose(gaps(done, 1)[34:46], 0.05, atol=1e-3)
    # The vowel of each is seen on their own face, also while the other one speaks.
    assert (done.visemes[0][34:38].argmax(1) != done.visemes[1][34:38].argmax(1)).all()
    assert done.cast.summary(done.analysis.times) == "person 0 (2.0 s), person 1 (1.0 s)"


def test_speech_begins_where_its_segment_does() -> None:
    rising = said(0.1, 2)
    rising.motion.coefficients[:] *= np.linspace(0, 1, len(rising))[:, None].astype(np.float32)
    done = played(Speech(rising, 1.0, 3.0, "0", OPTIONS))
    np.testing.assert_allclose(gaps(done, 0)[20:60], np.arange(40) / 40 * 0.1, atol=2e-3)


def test_without_times_all_of_it_is_dubbed() -> None:
    done = played(Speech(said(0.1, 4), 0, None, "all", OPTIONS))
    assert all((track.quality == 1).all() for track in done.analysis.tracks)


@pytest.mark.parametrize("options", [DubOptions(articulation=0.5), DubOptions(articulation=1.5)])
def test_each_segment_has_options_of_its_own(options: DubOptions) -> None:
    whole = Speech(said(0.1, 2), 0.0, 2.0, "0", DubOptions(expression=0))
    other = Speech(said(0.1, 2), 2.0, 4.0, "0", options)
    done = gaps(played(whole, other), 0)
    ratio = done[50:70].mean() / done[10:30].mean()
    assert ratio == pytest.approx(options.articulation, rel=0.1)


def held(seconds: float, end: float | None) -> tuple[Performance, Timeline]:
    video = two_people()
    line = timeline(video, Fraction(seconds), "hold")
    speech = Speech(said(0.1, seconds), 0, end, "1", OPTIONS)
    return perform(video, [speech], make_info(600, 300), line), line


def test_mouths_go_on_in_a_held_frame() -> None:
    done, line = held(6, None)
    assert len(line) == 120
    assert [len(track) for track in done.analysis.tracks] == [120, 120]
    assert (done.analysis.tracks[1].quality == 1).all()
    np.testing.assert_allclose(gaps(done, 1)[4:116], 0.1, atol=1e-3)
    assert all(len(rows) == 120 for rows in (*done.mouths, *done.visemes))


def test_who_spoke_last_speaks_in_a_held_frame_and_the_other_only_lives() -> None:
    done, line = held(6, 3.0)
    first, second = done.analysis.tracks
    assert not first.quality.any()
    assert not second.quality[70:N].any()
    assert (np.diff(second.quality[N - 1 : N + 6]) >= 0).all()
    assert (second.quality[N + 5 :] == 1).all()
    assert set(second.reasons[N:]) == {""}
    moves = idling(done.analysis, line, said(0.1, 6), np.full(300, -20, np.float32))
    assert sorted(moves) == [first.key, second.key]
    for motion in moves.values():
        assert len(motion) == len(line) - N
        assert np.abs(motion.turn[0]).max() < 0.2
    assert np.abs(moves[first.key].turn - moves[second.key].turn).max() > 0.3


def test_nobody_moves_their_head_where_no_frame_is_held() -> None:
    video = two_people()
    line = timeline(video, Fraction(6), "bounce")
    shown = perform(video, [Speech(said(0.1, 6), 0, None, "1", OPTIONS)], make_info(600, 300), line)
    assert idling(shown.analysis, line, said(0.1, 6), np.full(300, -20, np.float32)) == {}
