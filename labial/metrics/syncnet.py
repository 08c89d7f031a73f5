"""LSE-C and LSE-D, by the network that papers judge lip sync with, where a user has its weights.

SyncNet of Chung and Zisserman, "Out of time: automated lip sync in the wild", ACCV workshops 2016;
the scores are those of Prajwal et al., "A lip sync expert is all you need for speech to lip
generation in the wild", ACM MM 2020. Labial brings no weights of it: its makers offer
``syncnet_v2.model`` for research.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from labial.errors import OptionError
from labial.types import FloatArray

if TYPE_CHECKING:
    from torch import Tensor, nn

SIZE, RATE = 224, 25
"""Pixels of a side, and frames a second, that the network sees."""
SHIFT = 15
"""Frames by which sound and mouth are shifted against each other, either way."""
_FRAMES, _SOUND_ROWS, _ROWS_A_FRAME = 5, 20, 4
_BATCH = 20
_CLOSE = 1e-6
# (in, out, kernel, stride, padding), and of what is pooled after it (kernel, stride, padding).
_SOUND: tuple[tuple[Any, ...], ...] = (
    (1, 64, (3, 3), 1, 1, ((1, 1), (1, 1), 0)),
    (64, 192, (3, 3), 1, 1, ((3, 3), (1, 2), 0)),
    (192, 384, (3, 3), 1, 1, None),
    (384, 256, (3, 3), 1, 1, None),
    (256, 256, (3, 3), 1, 1, ((3, 3), (2, 2), 0)),
    (256, 512, (5, 4), 1, 0, None),
)
_LIPS: tuple[tuple[Any, ...], ...] = (
    (3, 96, (5, 7, 7), (1, 2, 2), 0, ((1, 3, 3), (1, 2, 2), 0)),
    (96, 256, (1, 5, 5), (1, 2, 2), (0, 1, 1), ((1, 3, 3), (1, 2, 2), (0, 1, 1))),
    (256, 256, (1, 3, 3), 1, (0, 1, 1), None),
    (256, 256, (1, 3, 3), 1, (0, 1, 1), None),
    (256, 256, (1, 3, 3), 1, (0, 1, 1), ((1, 3, 3), (1, 2, 2), 0)),
    (256, 512, (1, 6, 6), 1, 0, None),
)


@dataclass(frozen=True)
class LipSyncError:
    """What SyncNet makes of a video.

    Parameters
    ----------
    distance
        LSE-D, 0 and up: mean distance of mouth and sound at their best shift.
    confidence
        LSE-C, 0 and up: median of the distances over all shifts, less the best one.
    offset
        Frames of 25 a second by which the sound is late at the best shift.
    """

    distance: float
    confidence: float
    offset: int


class SyncNet:
    """The network, with weights of the user's.

    Parameters
    ----------
    path
        A checkpoint of PyTorch: the state of the original model, ``syncnet_v2.model``.

    Raises
    ------
    OptionError
        PyTorch is missing, or the file is no such checkpoint.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        try:
            import torch
        except ImportError as error:
            raise OptionError(
                "--syncnet needs PyTorch: install it with pip install 'labial[eval]'"
            ) from error
        if not Path(path).is_file():
            raise OptionError(f"--syncnet {path}: there is no such file")
        try:
            state = torch.load(path, map_location="cpu", weights_only=True)
        except Exception as error:  # whatever a file of any kind makes the loader say
            raise OptionError(f"--syncnet {path}: this is no checkpoint of PyTorch") from error
        self._parts = network()
        _fill(self._parts, state, path)
        self._parts.eval()

    def lips(self, frames: npt.NDArray[np.uint8]) -> FloatArray:
        """Return (n - 4, 1024) for (n, 224, 224, 3) uint8 BGR faces at 25 frames a second."""
        return self._run("lip", self._lip_windows(frames), len(frames) - _FRAMES + 1)

    def sounds(self, rows: FloatArray) -> FloatArray:
        """Return (n, 1024) for (4 n + 16, 13) rows of :func:`labial.metrics.mfcc.mfcc`."""
        count = (len(rows) - _SOUND_ROWS) // _ROWS_A_FRAME + 1
        return self._run("aud", self._sound_windows(rows), count)

    def _lip_windows(self, frames: npt.NDArray[np.uint8]) -> Iterator[Tensor]:
        import torch

        x = torch.from_numpy(np.ascontiguousarray(frames.transpose(3, 0, 1, 2))).float()
        for k in range(len(frames) - _FRAMES + 1):
            yield x[:, k : k + _FRAMES]

    def _sound_windows(self, rows: FloatArray) -> Iterator[Tensor]:
        import torch

        x = torch.from_numpy(np.ascontiguousarray(rows.T)).float()
        for first in range(0, x.shape[1] - _SOUND_ROWS + 1, _ROWS_A_FRAME):
            yield x[None, :, first : first + _SOUND_ROWS]

    def _run(self, kind: str, windows: Iterator[Tensor], count: int) -> FloatArray:
        import torch

        found = []
        with torch.inference_mode():
            for first in range(0, count, _BATCH):
                batch = [next(windows) for _ in range(min(_BATCH, count - first))]
                seen = self._parts[f"netcnn{kind}"](torch.stack(batch))
                found.append(self._parts[f"netfc{kind}"](seen.flatten(1)).numpy())
        return np.concatenate(found) if found else np.zeros((0, 1024), np.float32)


def score(
    network: SyncNet, frames: Iterable[npt.NDArray[np.uint8]], sound: FloatArray
) -> LipSyncError | None:
    """Return LSE-C and LSE-D; None for less than a quarter of a second.

    Parameters
    ----------
    network
        SyncNet.
    frames
        Faces (224, 224, 3) uint8 BGR, 25 a second; they are taken one after the other.
    sound
        (m, 13) rows of :func:`labial.metrics.mfcc.mfcc`, the first with the first frame.

    Notes
    -----
    The protocol of the makers: five frames against twenty rows, both beginning together; shifts
    of up to 15 frames, beyond the ends against zeros; the last five frames are left out.
    """
    bound = max(len(sound) // _ROWS_A_FRAME, 0)
    total, count = np.zeros(2 * SHIFT + 1), 0
    heard = _Heard(network, sound, bound)
    for first, block in _blocks(frames, bound):
        seen = network.lips(block)
        for row, face in enumerate(seen, first):
            near = heard.around(row)
            total += np.linalg.norm(face - near + _CLOSE, axis=1)
            count += 1
    if not count:
        return None
    mean = total / count
    best = int(mean.argmin())
    return LipSyncError(float(mean[best]), float(np.median(mean) - mean[best]), best - SHIFT)


def _blocks(
    frames: Iterable[npt.NDArray[np.uint8]], most: int
) -> Iterator[tuple[int, npt.NDArray[np.uint8]]]:
    """First window, and frames for a batch of them; the window of the last frames is left out."""
    held: list[npt.NDArray[np.uint8]] = []
    first = 0
    for number, frame in enumerate(frames):
        if number >= most:
            break
        held.append(frame)
        # One frame is held back, for it may be the last.
        if len(held) == _BATCH + _FRAMES:
            yield first, np.stack(held[:-1])
            held = held[_BATCH:]
            first += _BATCH
    if len(held) > _FRAMES:
        yield first, np.stack(held[:-1])


class _Heard:
    """What the network hears, a little ahead of and behind where it is asked."""

    def __init__(self, network: SyncNet, rows: FloatArray, count: int) -> None:
        self._network, self._rows = network, rows
        self._count = max(count - _FRAMES, 0)
        self._first, self._known = 0, np.zeros((0, 1024), np.float32)

    def around(self, row: int) -> FloatArray:
        """(2 SHIFT + 1, 1024) from ``row - SHIFT`` on; zeros beyond the ends."""
        low, high = max(row - SHIFT, 0), min(row + SHIFT + 1, self._count)
        while self._first + len(self._known) < high:
            begin = self._first + len(self._known)
            end = min(begin + _BATCH, self._count)
            part = self._rows[_ROWS_A_FRAME * begin : _ROWS_A_FRAME * (end - 1) + _SOUND_ROWS]
            drop = max(low - self._first, 0)
            self._known = np.concatenate([self._known[drop:], self._network.sounds(part)])
            self._first += drop
        near = self._known[low - self._first : high - self._first]
        before = low - (row - SHIFT)
        return np.pad(near, ((before, 2 * SHIFT + 1 - before - len(near)), (0, 0)))


def network() -> nn.ModuleDict:
    """Return the architecture, its names those of the makers' checkpoint, with chance weights."""
    from torch import nn

    def tower(rows: tuple[tuple[Any, ...], ...], conv: Any, norm: Any, pool: Any) -> nn.Sequential:
        layers: list[nn.Module] = []
        for before, after, kernel, stride, padding, pooled in rows:
            layers += [
                conv(before, after, kernel, stride, padding), norm(after), nn.ReLU(inplace=True),
            ]  # fmt: skip
            if pooled is not None:
                layers.append(pool(*pooled))
        return nn.Sequential(*layers)

    def ends() -> nn.Sequential:
        return nn.Sequential(
            nn.Linear(512, 512), nn.BatchNorm1d(512), nn.ReLU(), nn.Linear(512, 1024)
        )

    return nn.ModuleDict({
        "netcnnaud": tower(_SOUND, nn.Conv2d, nn.BatchNorm2d, nn.MaxPool2d),
        "netfcaud": ends(),
        "netcnnlip": tower(_LIPS, nn.Conv3d, nn.BatchNorm3d, nn.MaxPool3d),
        "netfclip": ends(),
    })  # fmt: skip


def _fill(parts: nn.ModuleDict, state: Any, path: str | os.PathLike[str]) -> None:
    """Take the weights over; checkpoints of old PyTorch do not count batches."""
    wanted = parts.state_dict()
    if not isinstance(state, dict):
        raise OptionError(f"--syncnet {path}: this is no state of SyncNet")
    for name, into in wanted.items():
        if name.endswith("num_batches_tracked"):
            continue
        value = state.get(name)
        if value is None or tuple(getattr(value, "shape", ())) != tuple(into.shape):
            raise OptionError(
                f"--syncnet {path}: this is no state of SyncNet ({name} is missing or has another "
                "shape); give the makers' syncnet_v2.model"
            )
        into.copy_(value)
