"""SyncNet with chance weights of the right shapes, and its protocol on rows that mean something."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from labial.errors import OptionError
from labial.metrics.syncnet import SHIFT, LipSyncError, SyncNet, network, score

torch = pytest.importorskip("torch")


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint as the makers write it, without the counts of newer versions."""
    torch.manual_seed(0)
    state = {k: v for k, v in network().state_dict().items() if "num_batches" not in k}
    path = tmp_path_factory.mktemp("syncnet") / "syncnet_v2.model"
    torch.save(state, path)
    return path


def test_shapes_and_names(weights: Path) -> None:
    net = SyncNet(weights)
    rng = np.random.default_rng(0)
    lips = net.lips(rng.integers(0, 256, (6, 224, 224, 3), np.uint8))
    assert lips.shape == (2, 1024)
    sounds = net.sounds(rng.standard_normal((28, 13)).astype(np.float32))
    assert sounds.shape == (3, 1024)
    names = set(network().state_dict())
    # As in the makers' file, layer by layer.
    assert {"netcnnaud.15.weight", "netcnnlip.18.bias", "netfclip.3.weight"} <= names
    assert network().state_dict()["netcnnlip.0.weight"].shape == (96, 3, 5, 7, 7)
    assert network().state_dict()["netcnnaud.18.weight"].shape == (512, 256, 5, 4)


def test_weights_are_taken_over(weights: Path) -> None:
    state = torch.load(weights, weights_only=True)
    changed = {k: v * 0 if k.startswith("netfclip.3") else v for k, v in state.items()}
    path = weights.with_name("other.model")
    torch.save(changed, path)
    assert not SyncNet(path).lips(np.zeros((5, 224, 224, 3), np.uint8)).any()


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", None, {"a": 1}, [1, 2]])
def test_what_is_no_checkpoint_is_one_line(content: Any, tmp_path: Path) -> None:
    path = tmp_path / "w.model"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        torch.save(content, path)
    with pytest.raises(OptionError, match=r"--syncnet .*w\.model: th") as raised:
        SyncNet(path)
    assert "\n" not in str(raised.value)


class Known:
    """In place of the network: a mouth and a sound are rows of what they show."""

    def lips(self, frames: np.ndarray) -> np.ndarray:
        return self._row(frames[: len(frames) - 4, 0, 0, 0].astype(int))

    def sounds(self, rows: np.ndarray) -> np.ndarray:
        return self._row(np.rint(rows[:-16:4, 0]).astype(int))

    @staticmethod
    def _row(what: np.ndarray) -> np.ndarray:
        rng = np.random.default_rng(7)
        return rng.standard_normal((400, 1024)).astype(np.float32)[what]


def judged(late: int, n: int = 120) -> LipSyncError:
    frames = (np.full((1, 1, 3), 50 + i, np.uint8) for i in range(n))
    rows = np.zeros((4 * n, 13), np.float32)
    rows[:, 0] = 50 + np.arange(4 * n) // 4 - late
    found = score(Known(), frames, rows)  # type: ignore[arg-type]
    assert found is not None
    return found


@pytest.mark.parametrize("late", [0, 3, -4, 15, -15])
def test_an_offset_is_found(late: int) -> None:
    found = judged(late)
    assert found.offset == late
    # Beyond the ends there is silence, at the length of a row.
    assert found.distance == pytest.approx(abs(late) / 115 * 32, abs=0.2)
    assert found.confidence > 30


def test_what_does_not_belong_together_is_not_sure() -> None:
    assert judged(40).confidence < 8 < 30 < judged(0).confidence


def test_all_at_once_and_in_batches_are_the_same() -> None:
    """The mean over all windows and shifts, as one table."""
    n, late = 60, 2
    made = judged(late, n)
    count = n - 5
    face = Known._row(50 + np.arange(count))
    heard = Known._row(50 + np.arange(count) - late)
    padded = np.pad(heard, ((SHIFT, SHIFT), (0, 0)))
    table = np.array([
        [np.linalg.norm(face[i] - padded[i + k] + 1e-6) for k in range(2 * SHIFT + 1)]
        for i in range(count)
    ]).mean(0)  # fmt: skip
    assert made.distance == pytest.approx(table.min(), rel=1e-6)
    assert made.confidence == pytest.approx(np.median(table) - table.min(), rel=1e-6)
    assert made.offset == table.argmin() - SHIFT


def test_too_short() -> None:
    nothing = np.zeros((100, 13), np.float32)
    frames = [np.zeros((1, 1, 3), np.uint8)] * 5
    assert score(Known(), frames, nothing) is None  # type: ignore[arg-type]
    assert score(Known(), frames * 9, nothing[:8]) is None  # type: ignore[arg-type]
