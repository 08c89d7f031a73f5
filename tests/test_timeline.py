"""Which frame is shown when, for each way to deal with speech of another length."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import synth_media
from synth import make_track, mesh, standing

from labial.analysis import Analysis
from labial.errors import OptionError
from labial.media import VideoReader
from labial.media.gops import Gops
from labial.media.pieces import Stretch
from labial.options import SyncMode
from labial.rendering import Wanted, rendered
from labial.timeline import part_of, retimed, timeline
from labial.types import FaceTrack

MODES: tuple[SyncMode, ...] = ("silence", "cut_off", "loop", "bounce", "hold", "remap")
GOING_ON: tuple[SyncMode, ...] = ("loop", "bounce", "hold", "remap")
N = 10
BASES = {25: Fraction(1, 12800), 60: Fraction(1, 60000), 24: Fraction(1001, 24000)}


def seen(n: int = N, fps: int = 25, tracks: list[FaceTrack] | None = None) -> Analysis:
    """A video of ``n`` frames that begins at another time than 0."""
    base = BASES[fps]
    step = 1 if fps == 24 else round(1 / (fps * base))
    return Analysis(tracks or [], [], 7 * step + step * np.arange(n), base, n * step * base)


def uneven() -> Analysis:
    """Times as a phone writes them, in ms."""
    pts = np.array([100, 133, 167, 200, 300, 333, 367, 467, 500, 533])
    return Analysis([], [], pts, Fraction(1, 1000), Fraction(467, 1000))


def rows(analysis: Analysis, speech: float | Fraction, mode: SyncMode) -> list[int]:
    return timeline(analysis, Fraction(speech), mode).rows.tolist()


@pytest.mark.parametrize("n", [1, 2, 3, 10])
@pytest.mark.parametrize("fps", BASES)
@pytest.mark.parametrize("mode", MODES)
def test_lengths_are_exact_to_a_frame_and_times_go_on_evenly(
    mode: SyncMode, fps: int, n: int
) -> None:
    analysis = seen(n, fps)
    step = analysis.length / n
    for ratio in (Fraction(1, 100), Fraction(1, 2), Fraction(1), Fraction(17, 10), Fraction(20)):
        speech = analysis.length * ratio
        line = timeline(analysis, speech, mode)
        if mode == "silence" or (mode == "cut_off" and ratio >= 1):
            assert line.same
            assert line.length == analysis.length
        else:
            assert speech - step / 40 <= line.length < speech + step
        assert line.length == len(line) * step
        assert line.pts[0] == analysis.pts[0]
        assert set(np.diff(line.pts)) <= {int(step / analysis.time_base)}
        assert line.rows.min() >= 0
        assert line.rows.max() < n
        assert not line.same or np.array_equal(line.rows, np.arange(n))


def test_orders() -> None:
    six = Fraction(6, 25) - Fraction(1, 100)
    four, twentysix = Fraction(4, 25), Fraction(26, 25)
    video, there = seen(), list(range(N))
    for mode in ("cut_off", "loop", "bounce", "hold"):
        assert rows(video, six, mode) == there[:6]
    for mode in ("silence", "cut_off"):
        assert rows(video, twentysix, mode) == there
    assert rows(video, twentysix, "loop") == [*there, *there, *there[:6]]
    assert rows(video, twentysix, "bounce") == [*there, *there[-2::-1], *there[1:8]]
    assert rows(video, twentysix, "hold") == [*there, *[9] * 16]
    assert rows(video, Fraction(20, 25), "remap") == [k // 2 for k in range(20)]
    assert rows(video, four, "remap") == [1, 3, 6, 8]
    assert rows(seen(4), Fraction(6, 25), "remap") == [0, 1, 1, 2, 3, 3]
    assert rows(seen(1), Fraction(3, 25), "bounce") == [0, 0, 0]


def test_a_hair_more_speech_adds_no_frame_and_a_frame_less_is_no_remap() -> None:
    video = seen()
    for mode in GOING_ON:
        assert timeline(video, video.length + Fraction(1, 2000), mode).same
    assert timeline(video, video.length - Fraction(1, 50), "remap").same
    assert not timeline(video, video.length - Fraction(1, 20), "remap").same


def test_varying_rates_stay_where_the_picture_is_not_retimed() -> None:
    video = uneven()
    own = video.pts - 100
    bounce = timeline(video, Fraction(2), "bounce")
    assert bounce.rows[:22].tolist() == [*range(10), *range(8, -1, -1), 1, 2, 3]
    mirrored = [*own, *(866 - own[8::-1]), *(866 + own[1:4])]
    assert (bounce.pts[:22] - 100).tolist() == mirrored
    loop = timeline(video, Fraction(1), "loop")
    assert (loop.pts[:20] - 100).tolist() == [*own, *(467 + own)]
    assert loop.length == Fraction(467 * 2 + 67, 1000)
    hold = timeline(video, Fraction(1), "hold")
    assert (hold.pts[:12] - 100).tolist() == [*own, 466, 499]
    cut = timeline(video, Fraction(3, 10), "cut_off")
    assert (cut.pts - 100).tolist() == own[:7].tolist()
    assert cut.length == Fraction(367, 1000)


def test_rounded_times_keep_their_mean_rate() -> None:
    pts = np.array([round(k * 1000 / Fraction(30000, 1001)) for k in range(300)])
    video = Analysis([], [], pts, Fraction(1, 1000), Fraction(10010, 1000))
    hold = timeline(video, Fraction(100), "hold")
    assert abs(len(hold) - 100 * Fraction(30000, 1001)) <= 1.5
    assert np.abs(hold.pts - np.arange(len(hold)) * 1001 / 30).max() < 10


@pytest.mark.parametrize("mode", GOING_ON)
def test_tracks_follow_their_frames(mode: SyncMode) -> None:
    """Two shots, the second with two people, one of whom comes late."""
    shapes = np.repeat(mesh()[None], N, 0) + np.arange(N)[:, None, None] / 100
    tracks = [
        make_track(shapes[:4], mesh(), key=0, person=0),
        make_track(shapes[4:], mesh(), key=1, person=1, start=4),
        standing(3, 300.0, key=2, person=2, start=6),
    ]
    video = seen(N, 25, tracks)
    line = timeline(video, Fraction(27, 25), mode)
    out = retimed(video, line)
    assert out.length == line.length
    assert [t.start for t in out.tracks] == sorted(t.start for t in out.tracks)
    assert [t.key for t in out.tracks] == list(range(len(out.tracks)))
    for before in tracks:
        shown = np.zeros(len(line), bool)
        for track in out.tracks:
            filmed = out.filmed[track.key]
            if filmed.track is not before:
                continue
            assert track.person == before.person
            np.testing.assert_array_equal(filmed.frames, line.rows[track.rows])
            np.testing.assert_array_equal(track.landmarks, before.landmarks[filmed.rows])
            np.testing.assert_array_equal(track.translation, before.translation[filmed.rows])
            steps = np.diff(filmed.frames)
            assert (np.abs(steps) <= (1 if mode != "remap" else 3)).all()
            assert not shown[track.rows].any()
            shown[track.rows] = True
        inside = (line.rows >= before.start) & (line.rows < before.end)
        np.testing.assert_array_equal(shown, inside)


def test_a_track_goes_on_through_a_turn_and_ends_where_the_video_begins_again() -> None:
    video = seen(N, 25, [standing(N, 300.0)])
    bounce = retimed(video, timeline(video, Fraction(26, 25), "bounce"))
    assert [(t.start, t.end) for t in bounce.tracks] == [(0, 26)]
    loop = retimed(video, timeline(video, Fraction(26, 25), "loop"))
    assert [(t.start, t.end) for t in loop.tracks] == [(0, 10), (10, 20), (20, 26)]
    hold = retimed(video, timeline(video, Fraction(26, 25), "hold"))
    assert [(t.start, t.end) for t in hold.tracks] == [(0, 26)]


def test_many_rows_lie_in_a_temporary_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("labial.timeline._HELD_BYTES", 1)
    shapes = np.repeat(mesh()[None], N, 0) + np.arange(N)[:, None, None] / 100
    video = seen(N, 25, [make_track(shapes, mesh())])
    line = timeline(video, Fraction(26, 25), "bounce")
    (track,) = retimed(video, line).tracks
    assert isinstance(track.landmarks, np.memmap)
    np.testing.assert_array_equal(track.landmarks, video.tracks[0].landmarks[line.rows])


def test_what_was_done_is_said() -> None:
    video = seen()
    assert timeline(video, Fraction(1, 5), "silence").summary() == ""
    lost = timeline(video, Fraction(7, 5), "silence")
    assert "1.0 s lost" in lost.summary()
    assert "hold" in lost.summary()
    assert "stretch" not in lost.summary()
    little = timeline(seen(100), Fraction(43, 10), "silence")
    assert "so does --stretch-audio auto" in little.summary()
    assert "stretch" not in little.summary(may_stretch=False)
    assert (lost.kept, lost.limit) == (None, video.length)
    slow = timeline(video, Fraction(4, 5), "remap")
    assert slow.summary() == "picture at 0.50 of its speed, which can be seen"
    assert (slow.kept, slow.limit) == (0, None)
    assert "0.2 s left out" in timeline(video, Fraction(1, 5), "hold").summary()
    again = timeline(video, Fraction(4, 5), "loop")
    assert "0.4 s longer, played again" in again.summary()
    assert again.kept == video.length


def numbered(fmt: str, width: int, height: int, index: int) -> av.VideoFrame:
    frame = av.VideoFrame(width, height, fmt)
    for plane in frame.planes:
        np.frombuffer(plane, np.uint8)[:] = 20 + 4 * index
    return frame


@pytest.mark.parametrize("mode", GOING_ON)
def test_rendering_shows_the_frames_of_the_timeline(mode: SyncMode, tmp_path: Path) -> None:
    path = synth_media.write_video(
        tmp_path / "a.mp4", n=N, options={"qp": "0", "g": "4"}, make=numbered
    )
    with VideoReader(path) as reader:
        pts = np.array([frame.pts for frame in reader.frames()], np.int64)
        base, gops = reader.info.time_base, reader.gops(pts)
    video = Analysis([], [], pts, base, Fraction(N, 25), gops=gops, shots=np.array([4]))
    line = timeline(video, Fraction(26, 25), mode)
    shown = retimed(video, line)
    later = line.rows >= 4
    turns = [k for k in range(1, 26) if later[k] != later[k - 1] or k in line.joints]
    assert shown.shots.tolist() == turns
    assert len(shown.gops.first) == len(Gops.none().first)
    parts = [Stretch(0, 8, False), Stretch(9, 26, False)]
    wanted = Wanted([], [])
    frames = [d.frame for d in rendered(path, shown, wanted, lambda *_: None, parts)]
    places = [*range(8), *range(9, 26)]
    assert [frame.index for frame in frames] == places
    assert [frame.pts for frame in frames] == line.pts[places].tolist()
    lights = [int(frame.planes[0][0, 0]) for frame in frames]
    assert [(light - 20) // 4 for light in lights] == line.rows[places].tolist()
    assert frames[-1].time + frames[-1].duration * base == line.length + pts[0] * base


@pytest.mark.parametrize("fps", BASES)
def test_a_part_begins_and_ends_with_a_frame(fps: int) -> None:
    video = seen(N, fps)
    step = video.length / N
    third, almost = 3 * step, Fraction(1, 3000)
    for start, end, frames in (
        (Fraction(0), None, range(N)),
        (third, 6 * step, range(3, 6)),
        (third - almost, 6 * step + almost, range(3, 6)),
        (third + step / 2, 6 * step + step / 2, range(4, 7)),
        (Fraction(0), 99 * step, range(N)),
    ):
        part = part_of(video, (start, end))
        assert part.frames == frames
        assert (part.start, part.length) == (frames.start * step, len(frames) * step)
        assert part.is_whole == (len(frames) == N)
    with pytest.raises(OptionError, match="no frame"):
        part_of(video, (third + step / 4, third + step / 2))


@pytest.mark.parametrize("mode", MODES)
def test_of_a_part_frames_are_shown_as_of_a_video(mode: SyncMode) -> None:
    video, step = seen(N), Fraction(1, 25)
    part = part_of(video, (2 * step, 7 * step))
    for count in (3, 5, 8):
        alone = timeline(seen(5), count * step, mode)
        line = timeline(video, count * step, mode, part)
        assert line.rows.tolist() == [2 + row for row in alone.rows.tolist()]
        assert line.pts.tolist() == alone.pts.tolist() and line.length == alone.length
        assert not line.same and line.kept == (alone.length if alone.same else alone.kept)
        straight = np.array_equal(line.rows, np.arange(2, 2 + len(line))) and line.kept != 0
        assert line.window == (range(2, 2 + len(line)) if straight else None)
