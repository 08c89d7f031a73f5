"""Voices are taken out of a sound, and only they."""

import io
import pickle
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest
from synth import sample_file

from labial import weights
from labial.audio import separate
from labial.audio.separate import Background, shapes
from labial.errors import WeightsError
from labial.media.sound_file import sound_blocks


def checkpoint(path: Path, values: object) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("net/data.pkl", pickle.dumps(values, 2))
        archive.writestr("net/version", "3\n")
    return path


def small(seed: int) -> dict[str, np.ndarray]:
    """Weights of the right shapes whose networks say something between 0 and 1."""
    rng = np.random.default_rng(seed)
    values = {name: rng.standard_normal(shape) * 0.02 for name, shape in shapes().items()}
    for name, value in values.items():
        if name.endswith("running_var"):
            value[:] = 1
    return {name: value.astype(np.float32) for name, value in values.items()}


class Fixed:
    """A network that answers the same share everywhere."""

    def __init__(self, share: Callable[[np.ndarray], np.ndarray]) -> None:
        self.share, self.rows = share, []

    def run(self, _: None, feeds: dict[str, np.ndarray]) -> list[np.ndarray]:
        self.rows.append(feeds["magnitude"].shape[2])
        return [self.share(feeds["magnitude"]).astype(np.float32)]


@pytest.fixture
def networks(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Fixed]]:
    """Voice and rest; what is above 1 kHz is the voice."""
    high = np.arange(separate._BANDS) > 93
    voice = Fixed(lambda x: np.broadcast_to(high, x.shape))
    rest = Fixed(lambda x: np.broadcast_to(~high, x.shape))
    waiting = [voice, rest]
    monkeypatch.setattr(separate.weights, "path", Path)
    monkeypatch.setattr(separate, "_network", lambda _: waiting.pop(0))
    yield [voice, rest]


def tones(rate: int, seconds: float, *hertz: float) -> np.ndarray:
    t = np.arange(round(rate * seconds)) / rate
    return sum(np.sin(2 * np.pi * h * t) for h in hertz).astype(np.float32) * 0.2


@pytest.mark.parametrize("rate", [16000, 44100, 48000])
def test_what_is_the_voice_s_goes_and_the_rest_stays(rate: int, networks: list[Fixed]) -> None:
    # Longer than one look, so that the seam between two is in it.
    low, high = tones(rate, 26, 440), tones(rate, 26, 3000)
    sound = np.stack([low + high, low], 1)
    blocks = np.array_split(sound, [5, 1000, 30_000, 30_001, 300_000])
    made = np.concatenate(list(Background(rate)(blocks)))
    assert made.shape == sound.shape
    inner = slice(rate // 5, -rate // 5)
    for channel in range(2):
        np.testing.assert_allclose(made[inner, channel], low[inner], atol=2e-3)
    assert len(networks[0].rows) >= 3 and max(networks[0].rows) == 256


def test_one_channel_and_six(networks: list[Fixed]) -> None:
    sound = np.stack([tones(44100, 1, 300 + 50 * k) for k in range(6)], 1)
    made = np.concatenate(list(Background(44100)([sound])))
    np.testing.assert_allclose(made[9000:-9000], sound[9000:-9000], atol=2e-3)


@pytest.mark.parametrize("seconds", [0.001, 0.5, 12.0])
def test_any_length(seconds: float, networks: list[Fixed]) -> None:
    sound = tones(16000, seconds, 200)[:, None]
    made = np.concatenate(list(Background(16000)([sound])))
    assert made.shape == sound.shape
    if seconds > 0.1:
        np.testing.assert_allclose(made, sound, atol=0.02)


def test_nothing_becomes_nothing(networks: list[Fixed]) -> None:
    assert not list(Background(16000)([]))


def test_weights_are_put_into_the_graph_by_name(tmp_path: Path) -> None:
    values = small(0)
    network = separate._network(checkpoint(tmp_path / "w.ckpt", values))
    x = np.abs(np.random.default_rng(1).standard_normal((1, 2, 64, 1024))).astype(np.float32)
    (share,) = network.run(None, {"magnitude": x})
    assert share.shape == x.shape and 0 < share.min() < share.max() < 1
    values["up7.0.bias"] += 10
    moved = separate._network(checkpoint(tmp_path / "v.ckpt", values))
    assert moved.run(None, {"magnitude": x})[0].min() > 0.99
    assert isinstance(network, ort.InferenceSession)


class Harm:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return io.open, ("harm",)


def test_a_checkpoint_is_arrays_and_nothing_else(tmp_path: Path) -> None:
    with pytest.raises(pickle.UnpicklingError, match="is no array"):
        separate._network(checkpoint(tmp_path / "h.ckpt", {"x": Harm()}))
    values = small(0)
    values["up7.0.bias"] = np.zeros(3, np.float32)
    with pytest.raises(WeightsError, match=r"up7\.0\.bias"):
        separate._network(checkpoint(tmp_path / "s.ckpt", values))


def test_speech_is_taken_from_under_a_tune() -> None:
    """With the real networks, which are large, where somebody has fetched them."""
    if any(
        weights.state(name) != "ready" for name in ("spleeter_vocals", "spleeter_accompaniment")
    ):
        pytest.skip("the networks of the separation are not cached")
    voice = np.concatenate(list(sound_blocks(sample_file("speech_short"), 44100, "stereo")))
    voice = voice[: 6 * 44100]
    t = np.arange(len(voice)) / 44100
    chord = sum(
        np.sin(2 * np.pi * h * t) * np.exp(-2 * (t % 0.5)) for h in (220, 277.2, 329.6, 660)
    )
    tune = np.repeat(chord[:, None], 2, 1) * float(np.sqrt((voice**2).mean()))
    made = np.concatenate(list(Background(44100)([(voice + tune).astype(np.float32)])))
    left = float(((made - tune) ** 2).sum() / (voice**2).sum())
    assert 10 * np.log10(left) < -5
