import time
from dataclasses import replace

import numpy as np
import pytest
from synth_speech import Sound, make_transcript

from labial.exports.arkit import BLENDSHAPES, ROTATIONS, face_curves, live_link_face, timecode
from labial.exports.curves import CHUNK_FRAMES, viseme_weights
from labial.exports.transcript import Transcript
from labial.speech.phones import PHONES
from labial.speech.visemes import VISEMES, viseme_of

HI: list[Sound] = [
    ("sil", 0.3), ("h", 0.06), ("a", 0.12), ("ɪ", 0.09), ("m", 0.08), ("ɑ", 0.14), ("m", 0.07),
    ("u", 0.16), ("f", 0.1), ("s", 0.1), ("θ", 0.1), ("o", 0.13), ("sil", 0.5),
]  # fmt: skip


def weights(transcript: Transcript, times: np.ndarray) -> np.ndarray:
    return np.concatenate(list(viseme_weights(transcript.phones, times)))


def face(transcript: Transcript, fps: float = 100) -> dict[str, np.ndarray]:
    rows = np.concatenate(list(face_curves(transcript, fps)))
    return dict(zip(BLENDSHAPES, rows.T, strict=True))


def at(transcript: Transcript, phone: str, which: int = 0) -> int:
    peaks = [p.peak for p in transcript.phones if p.name == phone]
    return round(peaks[which] * 100)


def test_weights_sum_to_one_and_peak_with_their_phones() -> None:
    said = make_transcript(HI)
    rows = weights(said, said.frame_times(60))
    assert rows.shape == (int(said.seconds * 60) + 1, 15)
    assert np.allclose(rows.sum(1), 1) and rows.min() >= 0
    peaks = weights(said, np.array([phone.peak for phone in said.phones]))
    assert [VISEMES[k] for k in peaks.argmax(1)] == [viseme_of(p.name) for p in said.phones]


def test_sounds_reach_beyond_their_own_time() -> None:
    """The lips round for a vowel while the consonant before it still sounds."""
    round_ = make_transcript([("sil", 0.3), ("t", 0.1), ("u", 0.2), ("sil", 0.3)])
    spread = make_transcript([("sil", 0.3), ("t", 0.1), ("i", 0.2), ("sil", 0.3)])
    k = at(round_, "t")
    assert face(round_)["MouthPucker"][k] > 0.12 > 0.03 > face(spread)["MouthPucker"][k]


def test_curves_are_smooth_whatever_the_rate() -> None:
    said = make_transcript(HI)
    fast = weights(said, said.frame_times(1000))
    assert np.abs(np.diff(fast, axis=0)).max() < 0.05
    assert np.allclose(fast[::10], weights(said, said.frame_times(100)))


def test_lips_meet_where_they_must() -> None:
    said = make_transcript(HI)
    curves = face(said)
    for which in (0, 1):
        k = at(said, "m", which)
        assert curves["MouthClose"][k] >= 0.9 * curves["JawOpen"][k] > 0
        assert curves["MouthPressLeft"][k] > 0.15
    k = at(said, "ɑ")
    assert curves["JawOpen"][k] > 0.3 and curves["MouthClose"][k] < 0.05
    assert (curves["MouthClose"] <= curves["JawOpen"] + 1e-9).all()


def test_each_shape_shows_where_it_belongs() -> None:
    said = make_transcript(HI)
    curves = face(said)
    for phone, shape in (("u", "MouthPucker"), ("o", "MouthFunnel"), ("f", "MouthRollLower"),
                         ("θ", "TongueOut")):  # fmt: skip
        near = np.abs(np.arange(len(curves[shape])) - at(said, phone)) <= 6
        assert curves[shape][near].max() == curves[shape].max() > 0.1, (phone, shape)


def test_values_are_in_range_and_symmetric() -> None:
    rng = np.random.default_rng(0)
    said = make_transcript(
        [(str(p), float(rng.uniform(0.03, 0.3))) for p in rng.permutation(PHONES)]
    )
    n = int(said.seconds * 50) + 1
    moving = replace(
        said,
        aperture=rng.normal(0, 0.3, n).astype(np.float32),
        width=rng.normal(0, 0.3, n).astype(np.float32),
    )
    for transcript in (said, moving):
        rows = np.concatenate(list(face_curves(transcript, 60)))
        assert rows.shape[1] == 52 and rows.min() >= 0 and rows.max() <= 1
    curves = face(moving)
    for name in BLENDSHAPES:
        if name.startswith("Mouth") and name.endswith("Left") and name != "MouthLeft":
            assert np.array_equal(curves[name], curves[name.replace("Left", "Right")])
        if not name.startswith(("Jaw", "Mouth", "Tongue")):
            assert not curves[name].any()


def test_silence_is_rest() -> None:
    curves = face(make_transcript([("sil", 2.0)]))
    assert max(curve.max() for curve in curves.values()) < 1e-6
    after = face(make_transcript([*HI, ("sil", 1.0)]))
    assert max(curve[-50:].max() for curve in after.values()) < 0.01


def test_the_jaw_follows_the_mouth() -> None:
    said = make_transcript(HI)
    n = int(said.seconds * 50) + 1
    wide, narrow = (
        replace(said, aperture=np.full(n, size, np.float32), width=np.zeros(n, np.float32))
        for size in (0.15, 0.0)
    )
    k = at(said, "ɑ")
    assert face(wide)["JawOpen"][k] > face(narrow)["JawOpen"][k] + 0.2


def test_the_file_of_live_link_face() -> None:
    said = make_transcript(HI)
    lines = "".join(live_link_face(said, 60)).splitlines()
    head = lines[0].split(",")
    assert head[:3] == ["Timecode", "BlendshapeCount", "EyeBlinkLeft"]
    assert len(set(head)) == len(head) == 63 and head[-9:] == list(ROTATIONS)
    assert {"JawOpen", "MouthClose", "TongueOut"} <= set(head)
    assert len(lines) == 1 + int(said.seconds * 60) + 1
    for k, line in enumerate(lines[1:]):
        cells = line.split(",")
        hours, minutes, seconds, frames = cells[0].split(":")
        assert (int(hours) * 3600 + int(minutes) * 60 + int(seconds)) * 60 + float(frames) == k
        assert cells[1] == "61" and len(cells) == 63
        assert all(0 <= float(cell) <= 1 for cell in cells[2:])


@pytest.mark.parametrize(
    ("frame", "fps", "code"),
    [
        (0, 60, "00:00:00:00.000"),
        (61, 60, "00:00:01:01.000"),
        (59, 29.97, "00:00:01:29.000"),
        (25 * 3600 * 2 + 25 * 61, 25, "02:01:01:00.000"),
    ],
)
def test_timecode(frame: int, fps: float, code: str) -> None:
    assert timecode(frame, fps) == code


def test_chunks_join_and_long_speech_is_quick() -> None:
    said = make_transcript([("m", 0.1), ("ɑ", 0.15)] * 1200)
    times = said.frame_times(60)
    assert len(times) > 4 * CHUNK_FRAMES
    began = time.process_time()
    rows = weights(said, times)
    assert time.process_time() - began < 3
    some = slice(CHUNK_FRAMES - 5, CHUNK_FRAMES + 5)
    assert np.allclose(rows[some], weights(said, times[some]))


def test_nothing_was_said() -> None:
    empty = make_transcript([])
    assert face(empty)["JawOpen"].tolist() == [0]
    assert weights(empty, np.zeros(1))[0].argmax() == 0
