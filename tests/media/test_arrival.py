from fractions import Fraction

import pytest
from synth_media import BURST_SECONDS, sound_onset, write_video

from labial.media.arrival import Arrivals
from labial.media.read import VideoReader
from labial.media.sound import read_audio

N = 12


@pytest.mark.parametrize(("name", "fmt"), [("a.avi", "yuv420p"), ("a.mxf", "yuv422p10le")])
def test_reordered_pictures_come_one_a_packet(tmp_path, name, fmt):
    path = write_video(
        tmp_path / name,
        fmt=fmt,
        n=N,
        options={"bf": "3", "b-adapt": "0"},
        time_base=Fraction(1, 25),
    )
    with VideoReader(path) as reader:
        frames = list(reader.frames())
        assert [frame.time for frame in frames] == [Fraction(i, 25) for i in range(N)]
        assert reader.skipped == 0
        assert not reader.straight, "nothing is copied by times that are not the file's"
        # The ramp moves by two columns a frame.
        firsts = [int(frame.planes[0][10, 0]) for frame in frames]
        assert firsts == sorted(firsts)


def test_sound_keeps_its_distance_to_the_picture(tmp_path):
    path = write_video(tmp_path / "a.avi", n=N, options={"bf": "3"}, sound="pcm_s16le")
    samples = read_audio(path).samples
    assert abs(abs(samples).argmax() / 16000 - BURST_SECONDS) < 0.02
    straight = write_video(tmp_path / "b.mkv", n=N, sound="pcm_s16le", time_base=Fraction(1, 1000))
    assert sound_onset(straight) == pytest.approx(BURST_SECONDS, abs=0.01)


class Packet:
    def __init__(self, dts):
        self.dts = dts


def test_a_packet_without_a_picture_takes_its_time_along():
    class Picture:
        pts = None

    arrivals, shown = Arrivals("avi"), []

    def decoder():
        for dts, lost in ((0, False), (1, True), (2, False)):
            arrivals.sent(Packet(dts))
            yield None if lost else Picture()

    for picture in arrivals.placed(decoder()):
        shown.append(picture and picture.pts)
    assert shown == [0, None, 2]
