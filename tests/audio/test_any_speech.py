"""Speech of every kind: a result that is known beforehand, or one clear line."""

import gc
import json
import os
import subprocess
import sys
import wave
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import synth_media as synth
from synth_speech import make_track

from labial import transcribe
from labial.audio.clean import ACTIVE_RMS
from labial.audio.features import RATE, cut
from labial.audio.load import load_speech
from labial.cli import main
from labial.errors import LabialError, WriteError
from labial.media import read_audio, spool
from labial.media.sides import first_sample
from labial.media.sound import open_sound, samples_of, sound
from labial.motion.space import load_basis
from labial.speech.encoder import n_rows
from labial.types import Audio, SpeechTrack

SECONDS = 1.5
ON, OFF = 0.5, 1.0


def tone(rate: int, level: float = 0.5, seconds: float = SECONDS) -> np.ndarray:
    """(n,) silence with half a second of 400 Hz from ``ON`` to ``OFF``."""
    t = np.arange(round(rate * seconds)) / rate
    return np.where((t >= ON) & (t < OFF), level * np.sin(2 * np.pi * 400 * t), 0).astype("f4")


def noise(rate: int, level: float = 0.1) -> np.ndarray:
    rng = np.random.default_rng(0)
    return (level * rng.standard_normal(round(rate * SECONDS))).astype("f4")


def chords(rate: int) -> np.ndarray:
    """Four harmonies, one after the other."""
    t = np.arange(round(rate * SECONDS)) / rate
    root = 220 * 2 ** (np.floor(t * 4 / SECONDS) / 6)
    return (0.1 * sum(np.sin(2 * np.pi * root * k * t) for k in (1, 1.25, 1.5, 2))).astype("f4")


def stacked(*channels: np.ndarray) -> np.ndarray:
    return np.stack(channels).astype("f4")


def write(path: Path, samples: np.ndarray, rate: int, codec: str, layout: str) -> Path:
    """Write (channels, n) float32 samples; PyAV's frames of eight planes are not safe."""
    with av.open(str(path), "w") as out:
        stream = out.add_stream(codec, rate=rate, layout=layout)
        packed = np.ascontiguousarray(samples.T.reshape(1, -1))
        frame = av.AudioFrame.from_ndarray(packed, "flt", layout)
        frame.sample_rate, frame.pts, frame.time_base = rate, 0, Fraction(1, rate)
        out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


def silent_wav(path: Path, samples: int) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(bytes(2 * samples))
    return path


def loud_part(audio: Audio) -> tuple[float, float]:
    """Seconds from when to when there is sound."""
    loud = np.flatnonzero(np.abs(audio.samples) > 0.3 * np.abs(audio.samples).max())
    return loud[0] / audio.rate, loud[-1] / audio.rate


# File name, codec, rate, layout, and the (channels, n) samples.
Case = tuple[str, str, int, str, np.ndarray]
HEARD: dict[str, Case] = {
    "telephone": ("a.wav", "pcm_mulaw", 8000, "mono", stacked(tone(8000))),
    "unsigned 8-bit": ("a.wav", "pcm_u8", 11025, "mono", stacked(tone(11025))),
    "24-bit": ("a.wav", "pcm_s24le", 44100, "stereo", stacked(tone(44100), tone(44100))),
    "float": ("a.wav", "pcm_f32le", 48000, "mono", stacked(tone(48000))),
    "double": ("a.wav", "pcm_f64le", 48000, "mono", stacked(tone(48000))),
    "96 kHz 7.1": ("a.wav", "pcm_s24le", 96000, "7.1", stacked(*[tone(96000)] * 8)),
    "96 kHz 7.1 in planes": ("a.m4a", "aac", 96000, "7.1", stacked(*[tone(96000)] * 8)),
    "clipped": ("a.wav", "pcm_s16le", 16000, "mono", stacked(tone(16000, 8).clip(-1, 1))),
    "very loud": ("a.wav", "pcm_f32le", 16000, "mono", stacked(tone(16000, 1e4))),
    "absurdly loud": ("a.wav", "pcm_f32le", 16000, "mono", stacked(tone(16000, 1e30))),
    "quiet": ("a.wav", "pcm_f32le", 16000, "mono", stacked(tone(16000, 0.003))),
    "one side only": ("a.wav", "pcm_s16le", 16000, "stereo", stacked(tone(16000), 0 * tone(16000))),
    "opposite phase": ("a.flac", "flac", 48000, "stereo", stacked(tone(48000), -tone(48000))),
    "opposite phase in 5.1": (
        "a.wav", "pcm_s16le", 48000, "5.1",
        stacked(tone(48000), -tone(48000), *[0 * tone(48000)] * 4),
    ),
    "offset": ("a.wav", "pcm_s16le", 16000, "mono", stacked(tone(16000, 0.1) + 0.4)),
    "offset of left and right": (
        "a.wav", "pcm_s16le", 16000, "stereo", stacked(tone(16000) + 0.2, tone(16000) - 0.1),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", HEARD)
def test_what_sounds_is_heard_at_its_time_and_at_one_level(tmp_path: Path, name: str) -> None:
    file, codec, rate, layout, samples = HEARD[name]
    audio = load_speech(write(tmp_path / file, samples, rate, codec, layout))
    assert audio.seconds == pytest.approx(SECONDS, abs=0.03)
    assert loud_part(audio) == pytest.approx((ON, OFF), abs=0.01)
    middle = audio.samples[int(0.6 * RATE) : int(0.9 * RATE)]
    assert np.sqrt((middle**2).mean()) == pytest.approx(ACTIVE_RMS, rel=0.05)
    assert abs(middle.mean()) < 0.02 * ACTIVE_RMS
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle))))
    assert spectrum.argmax() * RATE / len(middle) == pytest.approx(400, abs=4)
    assert audio.damaged == audio.silenced == 0


@pytest.mark.parametrize("make", [noise, chords])
def test_what_is_no_speech_comes_to_the_same_level(
    tmp_path: Path, make: Callable[[int], np.ndarray]
) -> None:
    audio = load_speech(synth.write_sound(tmp_path / "a.wav", stacked(make(48000)), 48000))
    assert np.sqrt((audio.samples**2).mean()) == pytest.approx(ACTIVE_RMS, rel=0.1)


@pytest.mark.parametrize("level", [0, 1e-4, 1e-3])
def test_silence_stays_silence(tmp_path: Path, level: float) -> None:
    path = synth.write_sound(tmp_path / "a.wav", stacked(tone(48000, level)), 48000, "pcm_f32le")
    assert np.abs(load_speech(path).samples).max() == pytest.approx(level, abs=1e-5 + level / 10)


@pytest.mark.parametrize("samples", [40, 150, 240, 480])
def test_a_moment_is_enough(tmp_path: Path, samples: int) -> None:
    path = synth.write_sound(tmp_path / "a.wav", np.full((1, samples), 0.3, "f4"), 8000)
    audio = load_speech(path)
    assert len(audio.samples) == max(2 * samples, RATE // 50)
    assert np.isfinite(audio.samples).all()


def test_phase_may_change_on_the_way(tmp_path: Path) -> None:
    rate = 16000
    t = np.arange(6 * rate) / rate
    voice = 0.5 * np.sin(2 * np.pi * 400 * t)
    other = np.where((t >= 2) & (t < 4), -voice, voice)
    path = write(tmp_path / "a.wav", stacked(voice, other), rate, "pcm_s16le", "stereo")
    audio = read_audio(path)
    power = np.sqrt((audio.samples.reshape(-1, rate // 10) ** 2).mean(1))
    quiet = np.flatnonzero(power < 0.3)
    # Only where it changes: until the sum of left and right is known to be nothing.
    assert len(quiet) <= 18 and set(quiet // 20) <= {1, 2}


@pytest.mark.parametrize("channels", [3, 8, 16])
def test_channels_without_names(tmp_path: Path, channels: int) -> None:
    path = tmp_path / "a.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((channels, 2, 16000, 0, "NONE", ""))
        file.writeframes((np.repeat(tone(16000)[:, None], channels, 1) * 32767).astype("<i2"))
    assert loud_part(load_speech(path)) == pytest.approx((ON, OFF), abs=0.01)


# ----------------------------------------------------------------------------------------- time 0


def clip(path: Path, picture: float, voice: float, codec: str = "pcm_s16le") -> Path:
    """A second and a half of picture from one time on, and of :func:`tone` from another."""
    rate, base = 48000, Fraction(1, 1000)
    with av.open(str(path), "w", container_options={"avoid_negative_ts": "disabled"}) as out:
        video = out.add_stream("ffv1", rate=25, width=32, height=32, time_base=base)
        video.pix_fmt = "yuv420p"
        audio = out.add_stream(codec, rate=rate, layout="mono")
        for i in range(38):
            frame = synth.smooth_frame("yuv420p", 32, 32, i)
            frame.pts, frame.time_base = round(1000 * picture) + 40 * i, base
            out.mux(video.encode(frame))
        for k, block in enumerate(np.array_split(tone(rate), 75)):
            frame = synth.audio_frame(block[None], rate, "mono")
            frame.pts = round(voice * rate) + k * len(block)
            out.mux(audio.encode(frame))
        out.mux(video.encode(None))
        out.mux(audio.encode(None))
    return path


@pytest.mark.parametrize(
    ("picture", "voice"),
    [(0, 0), (0, 0.7), (2, 2), (2, 2.3), (0.3, 0), (1, 0.61), (0, 90)],
)
def test_a_video_begins_with_its_first_frame(tmp_path: Path, picture: float, voice: float) -> None:
    path = clip(tmp_path / "a.mkv", picture, voice)
    audio = load_speech(path)
    assert loud_part(audio)[0] == pytest.approx(ON + voice - picture, abs=0.005)
    assert audio.seconds == pytest.approx(SECONDS + voice - picture, abs=0.005)
    assert audio.silenced == 0
    # What places the speech in the output goes by the same beginning.
    container, stream = open_sound(path)
    with container:
        assert float(first_sample(container, stream)) == pytest.approx(picture, abs=1e-6)


@pytest.mark.parametrize("start", [0, 7])
def test_sound_alone_begins_with_its_first_sample(tmp_path: Path, start: int) -> None:
    path = tmp_path / "a.mka"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("pcm_s16le", rate=16000, layout="mono")
        frame = synth.audio_frame(tone(16000)[None], 16000, "mono")
        frame.pts = start * 16000
        out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    audio = load_speech(path)
    assert loud_part(audio)[0] == pytest.approx(ON, abs=0.005)
    assert audio.seconds == pytest.approx(SECONDS, abs=0.005)


def test_the_main_track_is_the_one_marked(tmp_path: Path) -> None:
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as out:
        streams = [out.add_stream("pcm_s16le", rate=16000, layout="mono") for _ in range(3)]
        for k, stream in enumerate(streams):
            stream.disposition = av.stream.Disposition.default if k == 1 else 0
        for k, stream in enumerate(streams):
            level = 0.5 if k == 1 else 0.0
            frame = synth.audio_frame(tone(16000, level)[None], 16000, "mono")
            out.mux(stream.encode(frame))
            out.mux(stream.encode(None))
    assert loud_part(load_speech(path)) == pytest.approx((ON, OFF), abs=0.01)


# ----------------------------------------------------------------------------------------- damage


def clicks(path: Path, codec: str, rate: int = 48000) -> Path:
    """Six seconds of faint noise with a loud 10 ms each second, in packets of one frame."""
    rng = np.random.default_rng(1)
    samples = 0.01 * rng.standard_normal(6 * rate)
    for second in range(6):
        at = int((second + 0.5) * rate)
        samples[at : at + rate // 100] = 0.9 * np.sin(np.arange(rate // 100) * 0.3)
    return synth.write_sound(path, stacked(samples), rate, codec)


@pytest.mark.parametrize(
    ("name", "codec"),
    [("a.flac", "flac"), ("a.mka", "flac"), ("a.m4a", "aac"), ("a.ogg", "libopus")],
)
def test_damage_keeps_its_length_and_is_counted(tmp_path: Path, name: str, codec: str) -> None:
    path = clicks(tmp_path / name, codec)
    whole = read_audio(path)
    assert whole.damaged == whole.silenced == 0
    data = bytearray(path.read_bytes())
    middle = slice(int(0.48 * len(data)), int(0.56 * len(data)))
    data[middle] = np.random.default_rng(0).bytes(middle.stop - middle.start)
    path.write_bytes(data)
    hurt = read_audio(path)
    assert hurt.seconds == pytest.approx(whole.seconds, abs=0.03)
    assert hurt.damaged or hurt.silenced
    for second in (0, 1, 5):
        part = slice(int((second + 0.4) * RATE), int((second + 0.6) * RATE))
        peak = np.abs(hurt.samples[part]).argmax() / RATE
        assert peak == pytest.approx(0.105, abs=0.01)


class Packets:
    """Stands in for a stream whose packets come at given times, each of 20 ms."""

    start_time, time_base, duration = 0, Fraction(1, 1000), 10**12
    streams = type("Streams", (), {"video": ()})


@pytest.mark.parametrize(
    ("times", "seconds", "silenced"),
    [
        ([0, 20, 40, 60], 0.08, 0),
        ([0, None, None, 60], 0.08, 0),
        ([0, 20, "damaged", 60], 0.08, 0.02),
        (["damaged", 20, 40, 60], 0.08, 0.02),
        ([0, 20, "damaged", "damaged", "damaged", 100], 0.12, 0.06),
        ([0, 35, 50, 60, 80], 0.1, 0),  # shaky
        ([0, 30, 60, 90, 120, 150, 180, 210], 0.23, 0.05),  # a little missing each time
        ([0, 20, 90_040, 90_060], 90.08, 90),
        ([5_000_000, 5_000_020, 0, 20, 40], 0.1, 0),  # joined
    ],
)
def test_times(
    monkeypatch: pytest.MonkeyPatch, times: list, seconds: float, silenced: float
) -> None:
    def frames(container: object, stream: object):
        for time in times:
            if time == "damaged":
                yield None
                continue
            frame = synth.audio_frame(np.zeros((1, 320), "f4"), 16000, "mono")
            frame.pts = time
            frame.time_base = Fraction(1, 1000)
            yield frame

    from labial.media import sound as module

    monkeypatch.setattr(module, "decoded", frames)
    lost = module.Losses()
    total = sum(frame.samples for frame in sound(Packets, Packets, lost))
    assert total / 16000 == pytest.approx(seconds, abs=0.0201 if silenced == 0.05 else 1e-6)
    assert float(lost.seconds) == pytest.approx(silenced, abs=0.0201 if silenced == 0.05 else 1e-6)
    assert lost.packets == times.count("damaged")


@pytest.mark.parametrize("layout", ["mono", "stereo", "7.1"])
@pytest.mark.parametrize("fmt", ["u8", "s16p", "fltp"])
def test_frames_of_eight_planes_are_safe(layout: str, fmt: str) -> None:
    from labial.media.sound import frame_like

    like = av.AudioFrame(fmt, layout, 4)
    like.sample_rate = 48000
    channels = like.layout.nb_channels
    dtype = {"u8": "u1", "s16p": "i2", "fltp": "f4"}[fmt]
    samples = np.arange(5 * channels, dtype=dtype).reshape(5, channels)
    frame = frame_like(like, samples)
    assert (frame.format.name, frame.layout.name, frame.samples) == (fmt, layout, 5)
    frame.pts = 7
    np.testing.assert_array_equal(samples_of(frame), samples)
    assert frame.pts == 7


# ----------------------------------------------------------------------------------------- memory


def test_much_sound_lies_in_a_file_that_vanishes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = synth.write_sound(tmp_path / "a.wav", stacked(tone(16000) + 0.1), 16000)
    few = load_speech(path)
    assert not isinstance(few.samples, np.memmap)
    room = tmp_path / "room"
    room.mkdir()
    monkeypatch.setattr(spool, "HELD_BYTES", 4000)
    monkeypatch.setenv("TMPDIR", str(room))
    monkeypatch.setattr("tempfile.tempdir", None)
    many = load_speech(path)
    assert isinstance(many.samples, np.memmap)
    np.testing.assert_array_equal(many.samples, few.samples)
    np.testing.assert_array_equal(cut(many.samples, -5, 9000), cut(few.samples, -5, 9000))
    if os.name == "posix":
        assert list(room.iterdir()) == []
    del many
    gc.collect()
    assert list(room.iterdir()) == []


def test_no_room_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = synth.write_sound(tmp_path / "a.wav", stacked(tone(16000)), 16000)
    monkeypatch.setattr(spool, "HELD_BYTES", 4000)
    monkeypatch.setattr(spool, "large_folder", lambda: str(tmp_path / "not there"))
    with pytest.raises(WriteError, match=r"no room for the sound of .*a\.wav in .*not there: .*"):
        load_speech(path)


@pytest.mark.skipif(os.name != "posix", reason="needs limits on the size of files")
def test_a_full_disk_is_one_line(tmp_path: Path) -> None:
    path = synth.write_sound(tmp_path / "a.wav", stacked(tone(16000)), 16000)
    code = (
        "import resource, sys; from labial.media import spool, read_audio;"
        "from labial.errors import WriteError;"
        "spool.HELD_BYTES = 4000; resource.setrlimit(resource.RLIMIT_FSIZE, (9000, 9000))\n"
        "try: read_audio(sys.argv[1])\n"
        "except WriteError as error: print(error)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True
    )
    assert "no room for the sound of" in done.stdout and "make room" in done.stdout
    assert done.stdout.count("\n") == 1


# --------------------------------------------------------------------------------- wrong, one line


def with_value(path: Path, value: float) -> Path:
    samples = tone(16000)
    samples[8000] = value
    return write(path, samples[None], 16000, "pcm_f32le", "mono")


def written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


WRONG: dict[str, tuple[Callable[[Path], Path], str]] = {
    "NaN": (lambda d: with_value(d / "a.wav", np.nan), r"1 samples are not numbers .*0\.50 s"),
    "infinite": (lambda d: with_value(d / "a.wav", -np.inf), r"not numbers"),
    "one sample": (lambda d: silent_wav(d / "a.wav", 1), r"holds no sound"),
    "nothing": (lambda d: written(d / "a.wav", b""), r"is empty \(0 bytes\)"),
    "no samples": (lambda d: silent_wav(d / "a.wav", 0), r"holds no sound"),
    "text": (lambda d: written(d / "a.wav", b"Good morning, everybody.\n" * 9), r"not media"),
    "cut-off head": (lambda d: written(d / "a.wav", b"RIFF\x24\0\0\0WAVEfm"), "not media|no sound"),
    "picture only": (lambda d: synth.write_video(d / "a.mp4", n=2), r"no audio stream"),
    "missing": (lambda d: d / "a.wav", r"cannot read .*: No such file"),
    "folder": (lambda d: d, r"is a directory"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
@pytest.mark.parametrize("command", ["visemes", "dub"])
def test_wrong_speech_is_one_line_and_leaves_nothing(
    tmp_path: Path, name: str, command: str, capsys
) -> None:
    make, line = WRONG[name]
    speech = make(tmp_path)
    home = tmp_path / "out"
    home.mkdir()
    if command == "dub":
        video = synth.write_video(tmp_path / "video.mp4", n=3)
        arguments = ["dub", str(video), "--audio", str(speech), "-o", str(home / "out.mp4")]
    else:
        arguments = ["visemes", str(speech), "-o", str(home / "out.json")]
    with pytest.raises(LabialError, match=line):
        load_speech(speech)
    assert main(arguments) == 2
    err = capsys.readouterr().err.splitlines()
    assert err[-1].startswith("labial: error: ") and str(speech) in err[-1]
    assert sum("error" in row for row in err) == 1
    assert list(home.iterdir()) == []


class Network:
    """Hears silence in everything."""

    def __call__(self, audio: Audio) -> SpeechTrack:
        rows = n_rows(len(audio.samples))
        return make_track([("sil", rows / 50)], width=len(load_basis()))


@pytest.mark.parametrize("name", ["telephone", "96 kHz 7.1", "opposite phase", "offset"])
def test_visemes_of_any_speech(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transcribe, "SpeechEncoder", Network)
    file, codec, rate, layout, samples = HEARD[name]
    path = write(tmp_path / file, samples, rate, codec, layout)
    assert main(["visemes", str(path), "-o", str(tmp_path / "out.json")]) == 0
    found = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    assert found["duration"] == pytest.approx(SECONDS, abs=0.03)
