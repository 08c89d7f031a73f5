"""Sound moved against pictures that stay what they were, packet for packet."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import synth_media as synth

from labial.errors import WriteError
from labial.media.moving import Move
from labial.media.probe import audio_streams, probe
from labial.media.remux import Remuxed, remux

LATE = [Fraction(ms, 1000) for ms in (0, 120, -120, 400, -400)]


def packets(path: Path, kind: str, index: int = 0) -> list[tuple[Fraction, bytes]]:
    with av.open(str(path)) as container:
        stream = getattr(container.streams, kind)[index]
        return [(p.pts * p.time_base, bytes(p)) for p in container.demux(stream) if p.size]


def moved(source: Path, target: Path, late: Fraction, drift: Fraction = Fraction(0)) -> Remuxed:
    media = probe(source)
    assert media.audio is not None
    return remux(media, target, {media.audio.index: Move(late, drift)})


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Films with B-frames, a tone at half a second, in three containers."""
    home = tmp_path_factory.mktemp("films")
    options = {"bf": "3", "x264-params": "b-pyramid=normal:keyint=20"}
    return {
        name: synth.write_video(home / f"a.{name}", n=50, sound="aac", options=options)
        for name in ("mp4", "mov", "mkv")
    }


@pytest.mark.parametrize("origin", ["mp4", "mov", "mkv"])
@pytest.mark.parametrize("name", ["out.mp4", "out.mov", "out.mkv"])
@pytest.mark.parametrize("late", LATE)
def test_packets_are_the_same_and_only_the_sound_moves(films, tmp_path, origin, name, late) -> None:
    source, target = films[origin], tmp_path / name
    assert moved(source, target, late) == Remuxed()
    assert packets(target, "video") == packets(source, "video")
    # Matroska counts in milliseconds.
    assert synth.sound_onset(target) == pytest.approx(0.5 - float(late), abs=0.0011)
    kept, given = packets(target, "audio"), packets(source, "audio")
    assert [data for _, data in kept] == [data for _, data in given][len(given) - len(kept) :]
    assert [p.name for p in tmp_path.iterdir()] == [name]


def test_in_mp4_it_is_exact_to_the_sample(films, tmp_path) -> None:
    late = Fraction(5777, 48000)
    moved(films["mp4"], tmp_path / "out.mp4", late)
    for (at, _), (before, _) in zip(
        reversed(packets(tmp_path / "out.mp4", "audio")),
        reversed(packets(films["mp4"], "audio")), strict=False,
    ):  # fmt: skip
        assert at == before - late


@pytest.mark.parametrize("name", ["out.mp4", "out.mkv"])
@pytest.mark.parametrize("late", LATE)
def test_no_player_is_left_with_much_sound_before_the_picture(films, tmp_path, name, late) -> None:
    moved(films["mp4"], tmp_path / name, late)
    first = packets(tmp_path / name, "audio")[0][0]
    assert first >= (Fraction(-1, 8) if name.endswith("mp4") else 0)


@pytest.mark.parametrize("codec", ["pcm_s16le", "flac"])
@pytest.mark.parametrize("late", [Fraction(1, 7), Fraction(-1, 7)])
@pytest.mark.parametrize("drift", [Fraction(1, 1000), Fraction(-1, 400)])
def test_a_drift_is_taken_out_to_the_sample(tmp_path, codec, late, drift) -> None:
    """Tones at known times; lossless sound stays lossless."""
    rate, seconds = 48000, 8
    source = synth.write_video(tmp_path / "a.mkv", n=25 * seconds, sound=codec, sound_rate=rate)
    tones = sum(synth.burst(rate, seconds, 2, at=at) for at in (1.0, 4.0, 7.0))
    source = with_sound(source, tmp_path / "b.mkv", codec, tones, rate)
    report = moved(source, tmp_path / "out.mkv", late, drift)
    assert report.recoded == (1,) and probe(tmp_path / "out.mkv").audio.codec == codec
    assert packets(tmp_path / "out.mkv", "video") == packets(source, "video")
    heard = samples(tmp_path / "out.mkv")
    for at in (1.0, 4.0, 7.0):
        want = (at - late) / (1 + drift)
        near = slice(round((want - 0.1) * rate), round((want + 0.1) * rate))
        loud = np.abs(heard[near]) > 0.02
        assert near.start + loud.argmax() == pytest.approx(want * rate, abs=4)
    length = (seconds - late) / (1 + drift)
    assert len(heard) == pytest.approx(length * rate, abs=100)


def test_the_tone_of_a_stretched_sound_is_a_clean_one(tmp_path) -> None:
    """Nothing but the tone: what a coarse resampler adds would be 60 dB below it."""
    rate = 48000
    at = np.arange(4 * rate) / rate
    tone = 0.5 * np.sin(2 * np.pi * 3000 * at)[None].repeat(2, 0).astype(np.float32)
    film = synth.write_video(tmp_path / "a.mkv", n=100, sound="pcm_f32le")
    film = with_sound(film, tmp_path / "b.mkv", "pcm_f32le", tone, rate)
    moved(film, tmp_path / "out.mkv", Fraction(0), Fraction(8, 10000))
    heard = samples(tmp_path / "out.mkv")[rate : rate + rate * 2]
    clock = np.arange(len(heard)) / rate
    carrier = 2 * np.pi * 3000 * 1.0008 * clock
    basis = np.stack([np.sin(carrier), np.cos(carrier)], 1)
    rest = heard - basis @ np.linalg.lstsq(basis, heard, rcond=None)[0]
    assert rest.std() < heard.std() * 10 ** (-80 / 20)


def with_sound(film: Path, target: Path, codec: str, sound: np.ndarray, rate: int) -> Path:
    """The film's pictures beside other sound."""
    with av.open(str(film)) as source, av.open(str(target), "w") as out:
        stream = out.add_stream_from_template(source.streams.video[0])
        voice = out.add_stream(codec, rate=rate, layout="stereo")
        if codec != "pcm_f32le":
            voice.format = "s16"
        for packet in source.demux(video=0):
            if packet.size:
                packet.stream = stream
                out.mux(packet)
        frame = synth.audio_frame(sound.astype(np.float32), rate, "stereo")
        resampler = av.AudioResampler(voice.format.name, "stereo", rate)
        for part in resampler.resample(frame):
            out.mux(voice.encode(part))
        out.mux(voice.encode(None))
    return target


def samples(path: Path) -> np.ndarray:
    """(n,) of the left channel, in -1..1."""
    with av.open(str(path)) as container:
        flat = av.AudioResampler("fltp", "stereo", 48000)
        return np.concatenate([
            part.to_ndarray()[0] for frame in container.decode(audio=0)
            for part in flat.resample(frame)
        ])  # fmt: skip


def test_everything_else_goes_along(tmp_path) -> None:
    def setup(out, stream) -> None:
        stream.set_display_rotation(90)
        stream.metadata["language"] = "swe"
        out.metadata.update({"title": "T", "comment": "C"})
        out.set_chapters([{
            "id": 1, "start": 0, "end": 1000, "time_base": Fraction(1, 1000),
            "metadata": {"title": "one"},
        }])  # fmt: skip
        context = stream.codec_context
        context.color_primaries, context.color_trc, context.colorspace = 9, 16, 9

    source = synth.write_video(
        tmp_path / "a.mp4", n=40, sound="aac", languages=("eng", "deu"), setup=setup
    )
    told: list[Fraction] = []
    media = probe(source)
    report = remux(
        media, tmp_path / "b.mp4", {media.audio.index: Move(Fraction(1, 4))}, told.append
    )
    assert report == Remuxed() and len(told) == 40
    after = probe(tmp_path / "b.mp4")
    assert after.video.display_matrix == media.video.display_matrix
    assert after.video.rotation == media.video.rotation != 0
    assert after.video.color == media.video.color
    assert (after.n_audio, after.n_chapters) == (2, 1)
    with av.open(str(tmp_path / "b.mp4")) as container, av.open(str(source)) as before:
        assert container.metadata["title"] == "T" and container.metadata["comment"] == "C"
        for one, other in zip(container.streams, before.streams, strict=True):
            assert one.language == other.language
            assert one.disposition == other.disposition
        assert container.chapters()[0]["metadata"] == {"title": "one"}
    # The other track stays.
    assert packets(tmp_path / "b.mp4", "audio", 1) == packets(source, "audio", 1)
    assert audio_streams(source) == (1, 2)


def test_variable_frame_rates_keep_their_times(tmp_path) -> None:
    pts = [0, 512, 700, 2000, 2048, 5000, 9000, 9001, 12800, 25600]
    source = synth.write_video(tmp_path / "a.mp4", pts=pts, sound="aac", options={"bf": "0"})
    moved(source, tmp_path / "b.mp4", Fraction(1, 10))
    assert packets(tmp_path / "b.mp4", "video") == packets(source, "video")


@pytest.mark.parametrize("name", ["b.mp4", "b.mkv"])
@pytest.mark.parametrize("first", [0, 2560])
def test_pictures_may_begin_later(tmp_path, name, first) -> None:
    source = synth.write_video(
        tmp_path / "a.mp4", pts=[first + 512 * k for k in range(40)], sound="aac",
        options={"bf": "0"},
    )  # fmt: skip
    before = synth.sound_onset(source)
    for late in (Fraction(1, 5), Fraction(-1, 5)):
        moved(source, tmp_path / name, late)
        assert synth.sound_onset(tmp_path / name) == pytest.approx(before - late, abs=0.0011)


def test_sound_the_container_cannot_hold_is_encoded_to_the_sample(tmp_path) -> None:
    source = synth.write_video(tmp_path / "a.mkv", n=30, sound="pcm_s16le")
    report = moved(source, tmp_path / "b.mp4", Fraction(1, 10))
    assert report.recoded == (1,)
    assert synth.sound_onset(tmp_path / "b.mp4") == pytest.approx(0.4, abs=0.001)


def test_pcm_is_cut_inside_of_its_packets_and_loses_nothing(tmp_path) -> None:
    """The film's sound is one packet, two seconds long."""
    rate, late = 48000, Fraction(1, 8)
    noise = np.random.default_rng(0).uniform(-0.9, 0.9, (2, 2 * rate)).astype(np.float32)
    film = synth.write_video(tmp_path / "a.mkv", n=50, sound="pcm_s16le")
    film = with_sound(film, tmp_path / "b.mkv", "pcm_s16le", noise, rate)
    assert moved(film, tmp_path / "out.mkv", late).recoded == (1,)
    np.testing.assert_array_equal(samples(tmp_path / "out.mkv"), samples(film)[rate // 8 :])
    assert moved(film, tmp_path / "later.mkv", -late) == Remuxed()


def test_what_cannot_be_written_leaves_nothing(tmp_path) -> None:
    source = synth.write_video(tmp_path / "a.mkv", codec="ffv1", n=5, sound="pcm_s16le")
    with pytest.raises(WriteError, match=r"webm cannot hold this file's ffv1 .* \.mkv"):
        moved(source, tmp_path / "b.webm", Fraction(1, 10))
    with pytest.raises(WriteError, match="must end in one of"):
        moved(source, tmp_path / "b.avi", Fraction(1, 10))
    with pytest.raises(WriteError, match="pictures alone have no sound"):
        moved(source, tmp_path / "b" / "%05d.png", Fraction(1, 10))
    with pytest.raises(WriteError, match="No such file"):
        moved(source, tmp_path / "none" / "b.mkv", Fraction(1, 10))
    assert [p.name for p in tmp_path.iterdir()] == ["a.mkv"]


def test_avi_counts_in_packets_and_is_moved_by_less(tmp_path) -> None:
    """A packet of MP3 takes 26 ms."""
    source = synth.write_video(
        tmp_path / "a.avi", codec="mpeg4", n=50, time_base=Fraction(1, 25), sound="libmp3lame",
        sound_rate=44100,
    )  # fmt: skip
    before = synth.sound_onset(source)
    for name in ("b.mp4", "b.mkv"):
        moved(source, tmp_path / name, Fraction(-3, 10))
        assert synth.sound_onset(tmp_path / name) == pytest.approx(before + 0.3, abs=0.0011)
