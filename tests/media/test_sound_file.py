"""Sound goes into a file and comes out again as it was."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from labial.errors import ReadError, SpeechError, WriteError
from labial.media.sound_file import SoundInfo, SoundWriter, sound_blocks, sound_info


def tone(seconds: float, rate: int, channels: int = 1) -> np.ndarray:
    t = np.arange(round(seconds * rate)) / rate
    waves = [0.5 * np.sin(2 * np.pi * (220 + 110 * c) * t) for c in range(channels)]
    return np.stack(waves, 1).astype(np.float32)


def written(path: Path, samples: np.ndarray, rate: int, layout: str) -> Path:
    with SoundWriter(path, rate, layout) as out:
        for block in np.array_split(samples, 7):
            out.write(block)
        assert out.samples == len(samples)
    return path


@pytest.mark.parametrize(("layout", "channels"), [("mono", 1), ("stereo", 2), ("5.1(side)", 6)])
def test_samples_come_back_as_they_were(tmp_path: Path, layout: str, channels: int) -> None:
    samples = tone(0.7, 44100, channels)
    path = written(tmp_path / "a.caf", samples, 44100, layout)
    assert sound_info(path) == SoundInfo(44100, layout, channels)
    back = np.concatenate([*sound_blocks(path)])
    np.testing.assert_array_equal(back, samples)


def test_another_rate_and_layout(tmp_path: Path) -> None:
    path = written(tmp_path / "a.caf", tone(0.5, 44100), 44100, "mono")
    back = np.concatenate([*sound_blocks(path, 16000, "stereo")])
    assert back.shape == (8000, 2)
    np.testing.assert_array_equal(back[:, 0], back[:, 1])


def test_no_container_takes_it_over_as_it_is(tmp_path: Path) -> None:
    from labial.media.containers import CONTAINERS

    path = written(tmp_path / "a.caf", tone(0.1, 48000), 48000, "mono")
    with av.open(str(path)) as file:
        codec = file.streams.audio[0].codec_context.codec.name
    assert not any(container.holds_audio(codec) for container in CONTAINERS.values())


def test_what_breaks_off_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(KeyError), SoundWriter(tmp_path / "a.caf", 8000) as out:
        out.write(tone(0.1, 8000))
        raise KeyError
    assert not [*tmp_path.iterdir()]


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with (
        pytest.raises(WriteError, match="cannot write"),
        SoundWriter(tmp_path / "b" / "a.caf", 8000),
    ):
        pass


def test_files_without_sound(tmp_path: Path) -> None:
    with pytest.raises(ReadError):
        next(sound_blocks(tmp_path / "missing.wav"))
    path = tmp_path / "mute.mkv"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("ffv1", rate=25, width=32, height=32)
        frame = av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), "rgb24")
        frame.pts, frame.time_base = 0, Fraction(1, 25)
        out.mux(stream.encode(frame.reformat(format="yuv420p")))
        out.mux(stream.encode(None))
    with pytest.raises(SpeechError):
        sound_info(path)
