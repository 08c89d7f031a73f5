"""From what is heard to the wanted mouth of every frame, on synthetic faces."""

from dataclasses import replace

import numpy as np
import pytest
from synth import closed_mesh, make_track

from labial.motion.retarget import own_motion
from labial.motion.space import load_basis
from labial.motion.speaker import study
from labial.motion.style import Style, average, without_opening
from labial.motion.wanted import frame_mouths, study_all, wanted_motion
from labial.options import DubOptions
from labial.speech.phones import PHONE_INDEX, PHONES
from labial.types import FaceTrack, MouthMotion, SpeechTrack

BASIS = load_basis()
OPENING = BASIS.aperture(np.eye(len(BASIS), dtype=np.float32))
PLAIN = DubOptions(expression=0)
SMILE = without_opening(
    (BASIS.width(np.eye(len(BASIS), dtype=np.float32)) * 40)[None], BASIS
)[0]  # fmt: skip


def heard_in(names: str, rows: int = 10, open_by: float = 0.1) -> SpeechTrack:
    """One-hot phones of ``rows`` each; "_" is silence. The mouth moves a little all the time."""
    hard = np.repeat([0 if c == "_" else PHONE_INDEX[c] for c in names], rows)
    phones = np.eye(len(PHONES), dtype=np.float32)[hard]
    wave = 1 + 0.5 * np.sin(np.arange(len(hard)) / 3)
    motion = wave[:, None] * open_by * OPENING / (OPENING @ OPENING)
    return SpeechTrack(MouthMotion(motion.astype(np.float32)), phones)


def filmed(own: np.ndarray, **how: object) -> FaceTrack:
    shapes = closed_mesh() + BASIS.displacement(own.astype(np.float32))
    return make_track(shapes, closed_mesh(), **how)  # type: ignore[arg-type]


def mouths_of(
    tracks: list[FaceTrack], times: np.ndarray, speech: SpeechTrack, options: DubOptions
) -> list[np.ndarray]:
    studied = study_all(tracks, times, BASIS, None, dict.fromkeys(range(4), speech))
    return frame_mouths(tracks, times, speech, studied, BASIS, options)


def test_own_motion_is_what_was_filmed() -> None:
    own = np.random.default_rng(0).normal(0, 0.5, (30, len(BASIS)))
    present = np.arange(30) != 7
    track = filmed(own, present=present)
    track.landmarks[7] = np.nan
    got = own_motion(track, BASIS)
    assert not got[7].any()
    np.testing.assert_allclose(got[present], own[present], atol=0.01)


def test_shots_without_a_face_are_at_rest() -> None:
    nobody = filmed(np.ones((20, len(BASIS))), present=np.zeros(20, bool), quality=np.zeros(20))
    assert not own_motion(nobody, BASIS).any()
    someone = filmed(np.repeat(SMILE[None], 20, 0), start=20)
    mouths = mouths_of([nobody, someone], np.arange(40) / 25, heard_in("_____"), DubOptions())
    assert not mouths[0].any()
    assert mouths[1].any()


def test_articulation_moves_more_and_lips_still_meet() -> None:
    speech = heard_in("_aba_" * 4)
    style = average(BASIS)
    openings = []
    for articulation in (0.5, 1.0, 1.5):
        options = DubOptions(articulation=articulation, expression=0)
        wanted = wanted_motion(speech, style, BASIS, options).motion
        openings.append(BASIS.aperture(wanted.coefficients))
    spoken = speech.phones[:, PHONE_INDEX["a"]] > 0
    assert openings[0][spoken].std() < openings[1][spoken].std() < openings[2][spoken].std()
    closed = speech.phones[:, PHONE_INDEX["b"]] > 0
    for opening in openings:
        assert opening[closed].max() < 0.005


def test_the_rules_can_be_switched_off() -> None:
    speech = heard_in("___aba___")
    off = DubOptions(expression=0, closures=False, rest=False, onset=False)
    got = wanted_motion(speech, average(BASIS), BASIS, off).motion.coefficients
    np.testing.assert_allclose(got, speech.motion.coefficients, atol=1e-5)


def test_rest_is_kept_before_between_and_after() -> None:
    speech = heard_in("______aaa______")
    rest = (0.5 * SMILE + 0.02 * OPENING / (OPENING @ OPENING)).astype(np.float32)
    style = replace(average(BASIS), rest=rest)
    wanted = wanted_motion(speech, style, BASIS, PLAIN)
    times = np.array([-3.0, 0.2, len(speech) / 50 - 0.2, len(speech) / 50 + 3])
    np.testing.assert_allclose(wanted.at(times), np.repeat(rest[None], 4, 0), atol=1e-5)
    # The whole expression already holds the smile: only the parted lips are left to the rest.
    wanted = wanted_motion(speech, style, BASIS, DubOptions(expression=1))
    np.testing.assert_allclose(wanted.rest, rest - 0.5 * SMILE, atol=1e-5)
    off = wanted_motion(speech, style, BASIS, DubOptions(rest=False))
    assert not off.rest.any()


def test_round_and_shut_lips_have_less_room_for_a_smile() -> None:
    wanted = wanted_motion(heard_in("iiuuiibbii"), average(BASIS), BASIS, PLAIN)
    room = wanted.room.coefficients[:, 0]
    assert room[10] == pytest.approx(1)
    assert room[30] == pytest.approx(0.3, abs=1e-5)
    assert room[70] == pytest.approx(0.3, abs=1e-5)
    assert np.abs(np.diff(room)).max() < 0.2


def test_a_slow_smile_stays_and_never_parts_the_lips() -> None:
    own = np.repeat((SMILE + OPENING / (OPENING @ OPENING) * 0.1)[None], 200, 0)
    track = filmed(own)
    times = np.arange(200) / 25
    speech = heard_in("_" * 40)
    assert study_all([track], times, BASIS, None, {0: speech}).styles[0].evidence == 0
    (mouths,) = mouths_of([track], times, speech, DubOptions(expression=1))
    np.testing.assert_allclose(mouths, np.repeat(SMILE[None], 200, 0), atol=0.05)
    np.testing.assert_allclose(BASIS.aperture(mouths), 0, atol=1e-4)
    (half,) = mouths_of([track], times, speech, DubOptions(expression=0.5))
    np.testing.assert_allclose(half, mouths / 2, atol=1e-4)
    assert not mouths_of([track], times, speech, PLAIN)[0].any()


def test_own_words_are_no_expression() -> None:
    speech = heard_in("aiueo" * 8)
    motion = speech.motion.coefficients + 0.3 * SMILE * np.sin(np.arange(len(speech)) / 4)[:, None]
    heard = SpeechTrack(MouthMotion(motion.astype(np.float32)), speech.phones)
    times = np.arange(len(speech) // 2) / 25
    speaker = study([filmed(motion[::2])], times, BASIS, heard, None)
    assert speaker.style.matched == 1
    assert np.abs(speaker.expression(slice(0, len(times)), 25.0)).max() < 0.1 * np.abs(motion).max()


def test_faces_seen_badly_have_no_say() -> None:
    own = np.repeat(SMILE[None], 100, 0)
    own[40:60] = -3
    quality = np.ones(100)
    quality[40:60] = 0.1
    speaker = study([filmed(own, quality=quality)], np.arange(100) / 25, BASIS, None, None)
    got = speaker.expression(slice(0, 100), 25.0)
    np.testing.assert_allclose(got, np.repeat(SMILE[None], 100, 0), atol=0.1)


def test_shots_do_not_mix() -> None:
    tracks = [filmed(np.repeat(SMILE[None] * k, 50, 0), start=s) for k, s in ((1, 0), (-1, 50))]
    times = np.arange(100) / 25
    mouths = mouths_of(tracks, times, heard_in("_" * 20), DubOptions(expression=1))
    side = np.sign(np.concatenate(mouths) @ SMILE)
    np.testing.assert_array_equal(side, np.repeat([1, -1], 50))


def test_a_lively_speaker_moves_more() -> None:
    speech = heard_in("a" * 20)
    base = average(BASIS)
    lively = Style(1.6, 1.0, base.rest, 0.3, 20.0, 1.0)
    a, b = (
        BASIS.aperture(wanted_motion(speech, s, BASIS, PLAIN).motion.coefficients).max()
        for s in (base, lively)
    )
    assert b > 1.3 * a
