"""A file without its voices."""

from pathlib import Path

import numpy as np
import pytest
from synth_media import write_sound

from labial.errors import WeightsError
from labial.media.sound_file import sound_blocks, sound_info
from labial.soundtrack import background as room
from labial.soundtrack.background import background


class Half:
    """Separation that halves: what is written, and where, is what is tested here."""

    def __init__(self, rate: int) -> None:
        self.rate = rate

    def __call__(self, blocks):
        return (block / 2 for block in blocks)


def test_rate_channels_and_length_are_the_file_s(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "Background", Half)
    sound = np.random.default_rng(0).uniform(-0.5, 0.5, (2, 2 * 22050 + 7)).astype(np.float32)
    path = write_sound(tmp_path / "s.wav", sound, 22050, "pcm_f32le", "stereo")
    told = []
    out = background(path, tmp_path / "b.caf", lambda *what: told.append(what))
    info = sound_info(out)
    assert (info.rate, info.layout) == (22050, "stereo")
    made = np.concatenate(list(sound_blocks(out)))
    np.testing.assert_allclose(made.T, sound / 2, atol=1e-6)
    assert told[-1] == ("separate", 2, None)


def test_without_the_networks_it_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LABIAL_CACHE", str(tmp_path / "none"))
    monkeypatch.setenv("LABIAL_OFFLINE", "1")
    path = write_sound(tmp_path / "s.wav", np.zeros((1, 16000), np.float32), 16000)
    with pytest.raises(WeightsError, match="LABIAL_OFFLINE") as caught:
        background(path, tmp_path / "b.caf")
    assert "\n" not in str(caught.value)
    assert [p.name for p in tmp_path.iterdir()] == ["s.wav"]
