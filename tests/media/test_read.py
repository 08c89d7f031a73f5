import itertools
from fractions import Fraction

import av
import numpy as np
import pytest
import synth_media as synth

from labial.errors import ReadError, SpeechError
from labial.media import VideoReader, read_audio
from labial.media.formats import layout, planes_of, rearranged, to_av
from labial.types import Frame

# What FFmpeg itself makes of a packed frame, sample for sample.
LOSSLESS = {
    "nv12": "yuv420p",
    "nv21": "yuv420p",
    "nv16": "yuv422p",
    "nv24": "yuv444p",
    "yuyv422": "yuv422p",
    "uyvy422": "yuv422p",
    "yvyu422": "yuv422p",
    "rgb24": "gbrp",
    "bgr24": "gbrp",
    "rgb0": "gbrp",
    "bgr0": "gbrp",
    "0rgb": "gbrp",
    "0bgr": "gbrp",
    "rgba": "gbrap",
    "bgra": "gbrap",
    "argb": "gbrap",
    "abgr": "gbrap",
    "rgb48le": "gbrp16le",
    "rgb48be": "gbrp16le",
    "bgr48le": "gbrp16le",
    "rgba64le": "gbrap16le",
    "yuv420p10be": "yuv420p10le",
    "yuv422p16be": "yuv422p16le",
    "gray16be": "gray16le",
    "vuya": "yuva444p",
    "vuyx": "yuv444p",
    "ayuv64le": "yuva444p16le",
    "xv48le": "yuv444p16le",
    "pal8": "gbrp",
}
PLANAR = [
    "yuv420p",
    "yuv422p",
    "yuv440p",
    "yuv411p",
    "yuv444p",
    "yuva420p",
    "yuv420p10le",
    "yuv422p12le",
    "yuva444p10le",
    "gray",
    "gray10le",
    "gbrp",
    "gbrap",
    "gbrp10le",
]


@pytest.mark.parametrize("fmt", LOSSLESS)
def test_rearranging_is_lossless(fmt):
    packed = synth.noise_frame(fmt, 22, 14, seed=1)
    fmt_read, planes = planes_of(packed)
    assert fmt_read.name == LOSSLESS[fmt]
    reference = packed.reformat(format=fmt_read.name, threads=1)
    for got, plane in zip(planes, reference.planes, strict=True):
        dtype = np.uint16 if fmt_read.bits > 8 else np.uint8
        words = plane.line_size // np.dtype(dtype).itemsize
        want = np.frombuffer(plane, dtype).reshape(-1, words)[: got.shape[0], : got.shape[1]]
        np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize(
    ("fmt", "name", "shift"),
    [
        ("p010le", "yuv420p10le", 6),
        ("p010be", "yuv420p10le", 6),
        ("p012le", "yuv420p12le", 4),
        ("p016le", "yuv420p16le", 0),
        ("p210le", "yuv422p10le", 6),
        ("p410le", "yuv444p10le", 6),
        ("nv20le", "yuv422p10le", 0),
    ],
)
def test_samples_in_high_bits_move_down(fmt, name, shift):
    target = layout(name).format
    rng = np.random.default_rng(5)
    want = [
        rng.integers(0, 1 << target.bits, target.plane_shape(i, 14, 22), np.uint16)
        for i in range(3)
    ]
    frame = av.VideoFrame(22, 14, fmt)
    words = ">u2" if fmt.endswith("be") else "<u2"
    luma, chroma = (np.frombuffer(p, words).reshape(p.height, -1) for p in frame.planes)
    luma[:, :22] = want[0] << shift
    chroma[:, 0 : 2 * want[1].shape[1] : 2] = want[1] << shift
    chroma[:, 1 : 2 * want[2].shape[1] : 2] = want[2] << shift
    got_format, got = planes_of(frame)
    assert got_format == target
    for a, b in zip(got, want, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("fmt", ["x2rgb10le", "x2bgr10le", "xv30le", "v30xle", "y210le", "xv36le"])
def test_words_with_fields(fmt):
    """FFmpeg packs known planes; reading gives them back, up to its own rounding."""
    planar = {"x2": "gbrp10le", "y2": "yuv422p10le", "xv36": "yuv444p12le"}
    name = next((planar[k] for k in (fmt[:4], fmt[:2]) if k in planar), "yuv444p10le")
    source = synth.noise_frame(name, 22, 14, seed=2)
    fmt_read, planes = planes_of(source.reformat(format=fmt, threads=1))
    assert fmt_read.name == name
    for got, want in zip(planes, planes_of(source)[1], strict=True):
        assert np.abs(got.astype(int) - want.astype(int)).max() <= 1


@pytest.mark.parametrize("fmt", PLANAR)
@pytest.mark.parametrize("size", [(22, 14), (21, 13)])
def test_planar_in_and_out(fmt, size):
    fmt_read, planes = planes_of(synth.noise_frame(fmt, *size, seed=3))
    assert fmt_read.name == fmt
    frame = Frame(planes, fmt_read, 7, Fraction(1, 90000), 5)
    again = to_av(frame)
    assert (again.pts, again.time_base, again.duration) == (7, Fraction(1, 90000), 5)
    for got, want in zip(planes_of(again)[1], planes, strict=True):
        np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("fmt", ["bgr0", "bgra", "rgb48le", "rgba64le", "nv12", "p010le", "ya8"])
def test_rearranged_undoes_planes_of(fmt):
    fmt_read, planes = planes_of(synth.noise_frame(fmt, 21, 13, seed=4))
    frame = Frame(planes, fmt_read, 0, Fraction(1, 25))
    for got, want in zip(planes_of(rearranged(frame, fmt))[1], planes, strict=True):
        np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("fmt", ["rgb565le", "monob", "gbrpf32le", "rgb4_byte"])
def test_rare_formats_are_read(fmt):
    _, planes = planes_of(synth.smooth_frame("rgb24", 22, 14, 0).reformat(format=fmt, threads=1))
    assert planes[0].shape == (14, 22)


def test_frames_are_kept_safe_and_read_only(tmp_path):
    path = synth.write_video(tmp_path / "a.mp4", n=60)
    with VideoReader(path) as reader:
        frames = list(reader.frames())
        copies = [frame.planes[0].copy() for frame in reader.frames()]
    assert [frame.index for frame in frames] == list(range(60))
    for frame, copy in zip(frames, copies, strict=True):
        np.testing.assert_array_equal(frame.planes[0], copy)
    with pytest.raises(ValueError, match="read-only"):
        frames[0].planes[0][0, 0] = 1


def test_full_range_jpeg_formats(tmp_path):
    path = synth.write_video(tmp_path / "a.mov", codec="mjpeg", fmt="yuvj422p", n=2)
    frame = next(VideoReader(path).frames())
    assert frame.format.name == "yuv422p"
    assert frame.color.full_range


def test_times_are_exact(tmp_path):
    pts = [0, 1001, 2002, 5005, 5506, 9009]
    path = synth.write_video(
        tmp_path / "a.mp4", pts=pts, rate=Fraction(24000, 1001), time_base=Fraction(1, 24000)
    )
    frames = list(VideoReader(path).frames())
    assert [frame.time for frame in frames] == [Fraction(t, 24000) for t in pts]


def test_missing_times_are_filled_in(tmp_path):
    raw = tmp_path / "a.h264"
    synth.write_video(raw, n=8, options={"bf": "0"})
    times = [frame.time for frame in VideoReader(raw).frames()]
    assert len(times) == 8
    assert len({b - a for a, b in itertools.pairwise(times)}) == 1
    assert times[1] > times[0]


class Picture:
    """Stands in for a decoded frame where only times matter."""

    def __init__(self, pts, duration=512):
        self.pts, self.dts, self.duration = pts, None, duration


@pytest.mark.parametrize(
    ("given", "want", "skipped"),
    [
        ([0, 512, 512, 1024], [0, 512, 1024], 1),
        ([0, 512, 300, 1024], [0, 512, 1024], 1),
        ([None, None, None], [0, 512, 1024], 0),
        ([0, None, 1024], [0, 512, 1024], 0),
        ([100_000, 100_512, 0, 512], [100_000, 100_512, 101_024, 101_536], 0),
    ],
)
def test_times_always_increase(tmp_path, given, want, skipped):
    reader = VideoReader(synth.write_video(tmp_path / "a.mp4", n=2))
    got = [pts for _, pts in reader._timed(iter([Picture(pts) for pts in given]))]
    assert got == want
    assert reader.skipped == skipped


def damage(path, fraction=0.5, size=600):
    data = bytearray(path.read_bytes())
    middle = int(len(data) * fraction)
    data[middle : middle + size] = np.random.default_rng(0).bytes(size)
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("codec", "name", "fmt"),
    [
        ("png", "a.mov", "rgb24"),
        ("ffv1", "a.mkv", "yuv420p"),
        ("libx264", "a.mp4", "yuv420p"),
    ],
)
def test_damage_in_the_middle_is_skipped(tmp_path, codec, name, fmt):
    path = synth.write_video(tmp_path / name, codec=codec, fmt=fmt, n=30, make=synth.noise_frame)
    damage(path)
    reader = VideoReader(path)
    frames = list(reader.frames())
    assert 20 <= len(frames) <= 30
    assert frames[-1].time == Fraction(29, 25)
    assert reader.skipped >= 30 - len(frames)


def test_cut_off_file_gives_what_is_there(tmp_path):
    path = synth.write_video(tmp_path / "a.mkv", codec="ffv1", n=30, make=synth.noise_frame)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    assert 10 <= len(list(VideoReader(path).frames())) <= 20


def test_nothing_decodes(tmp_path):
    path = synth.write_video(tmp_path / "a.mov", codec="png", fmt="rgb24", n=3)
    data = path.read_bytes()
    path.write_bytes(data.replace(b"IHDR", b"JUNK").replace(b"\x89PNG", b"JUNK"))
    with pytest.raises(ReadError, match="not one frame"):
        list(VideoReader(path).frames())


def test_size_change_is_scaled_to_the_first(tmp_path):
    parts = [
        synth.write_video(tmp_path / f"{n}.h264", size=size, n=5, options={"bf": "0"})
        for n, size in enumerate([(64, 48), (96, 64)])
    ]
    path = tmp_path / "joined.h264"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    reader = VideoReader(path)
    frames = list(reader.frames())
    assert {frame.planes[0].shape for frame in frames} == {(48, 64)}
    assert len(frames) >= 9
    assert reader.resized >= 4


def test_closing_early(tmp_path):
    path = synth.write_video(tmp_path / "a.mp4", n=30)
    with VideoReader(path) as reader:
        frames = reader.frames()
        first = next(frames)
    assert list(frames) == []
    assert first.planes[0].shape == (48, 64)


@pytest.mark.parametrize(
    ("name", "codec", "rate"),
    [
        ("a.wav", "pcm_s16le", 48000),
        ("a.wav", "pcm_f32le", 44100),
        ("a.wav", "pcm_u8", 8000),
        ("a.flac", "flac", 96000),
        ("a.m4a", "aac", 44100),
        ("a.mp3", "libmp3lame", 48000),
        ("a.opus", "libopus", 48000),
    ],
)
def test_sound_keeps_its_time_and_level(tmp_path, name, codec, rate):
    path = synth.write_sound(tmp_path / name, synth.burst(rate, 1.5), rate, codec)
    audio = read_audio(path)
    assert audio.rate == 16000
    assert audio.seconds == pytest.approx(1.5, abs=0.03)
    loud = np.flatnonzero(np.abs(audio.samples) > 0.3)
    assert loud[0] / 16000 == pytest.approx(synth.BURST_SECONDS, abs=0.002)
    assert np.abs(audio.samples).max() == pytest.approx(0.8, abs=0.12)


def tone(rate, gains):
    t = np.arange(rate)
    return np.array(gains, np.float32)[:, None] * np.sin(2 * np.pi * 440 * t / rate)[None].astype(
        np.float32
    )


@pytest.mark.parametrize(
    ("layout", "gains", "level"),
    [
        ("stereo", (0.8, 0.8), 0.8),
        ("stereo", (0.8, 0.0), 0.4),
        ("stereo", (0.8, -0.8), 0.8),
        ("5.1", (0, 0, 0.8, 0, 0, 0), 0.235),
        ("5.1", (0.8,) * 6, 0.8),
    ],
)
def test_channels_are_averaged(tmp_path, layout, gains, level):
    path = synth.write_sound(tmp_path / "a.flac", tone(16000, gains), 16000, "flac", layout)
    peak = np.abs(read_audio(path).samples[1000:-1000]).max()
    assert peak == pytest.approx(level, abs=0.04)


def wav_of(samples, rate=16000, channels=1):
    data = samples.astype("<f4").tobytes()
    width = 4 * channels
    head = b"WAVEfmt " + (16).to_bytes(4, "little") + (3).to_bytes(2, "little")
    head += channels.to_bytes(2, "little") + rate.to_bytes(4, "little")
    head += (rate * width).to_bytes(4, "little") + width.to_bytes(2, "little")
    head += (32).to_bytes(2, "little") + b"data" + len(data).to_bytes(4, "little")
    return b"RIFF" + (len(head) + len(data)).to_bytes(4, "little") + head + data


def test_unnamed_channels_are_averaged(tmp_path):
    path = tmp_path / "a.wav"
    path.write_bytes(wav_of(tone(16000, (0.9, 0.6, 0.3, 0, 0, 0, 0)).T.ravel(), channels=7))
    peak = np.abs(read_audio(path).samples).max()
    assert peak == pytest.approx(1.8 / 7, abs=0.06)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_samples_that_are_not_numbers(tmp_path, value):
    samples = tone(16000, (0.5,))[0]
    samples[8000] = value
    path = tmp_path / "a.wav"
    path.write_bytes(wav_of(samples))
    with pytest.raises(SpeechError, match=r"not numbers.*0\.50 s"):
        read_audio(path)


def test_no_audio_stream(tmp_path):
    path = synth.write_video(tmp_path / "a.mp4", n=2)
    with pytest.raises(SpeechError, match=r"no audio stream in .*a\.mp4: give a file with speech"):
        read_audio(path)


def test_no_samples(tmp_path):
    path = tmp_path / "a.wav"
    path.write_bytes(wav_of(np.zeros(0)))
    with pytest.raises(SpeechError, match="holds no sound"):
        read_audio(path)


def test_a_gap_becomes_silence(tmp_path):
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("pcm_s16le", rate=16000, layout="mono")
        for start in (0, 32000):
            frame = synth.audio_frame(tone(16000, (0.5,)), 16000, "mono")
            frame.pts = start
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    audio = read_audio(path)
    assert audio.seconds == pytest.approx(3, abs=0.01)
    assert np.abs(audio.samples[17000:31000]).max() < 1e-3
    assert np.abs(audio.samples[33000:]).max() > 0.4


def test_a_format_change_is_converted_to_the_first(tmp_path):
    parts = [
        synth.write_video(
            tmp_path / f"{fmt}.ts",
            fmt=fmt,
            options={"bf": "0"},
            pts=[512 * (5 * n + i) for i in range(5)],
        )
        for n, fmt in enumerate(["yuv420p", "yuv422p"])
    ]
    path = tmp_path / "joined.ts"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    reader = VideoReader(path)
    assert {frame.format.name for frame in reader.frames()} == {"yuv420p"}
    assert (reader.resized, reader.skipped) == (5, 0)
    assert not reader.straight, "its packets are not what the output says they are"
