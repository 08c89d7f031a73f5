"""Everything but the voices: Spleeter's two U-Nets say which share of each moment is whose.

R. Hennequin et al., "Spleeter: a fast and efficient music source separation tool with pre-trained
models", JOSS 5(50), 2020. The weights are fetched; the graph is ours (``training/spleeter_graph``).
"""

from __future__ import annotations

import pickle
import zipfile
from collections.abc import Iterable, Iterator
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime as ort

from labial import weights
from labial.errors import WeightsError
from labial.types import FloatArray

Complex = npt.NDArray[np.complex64]

_RATE, _HOP, _WINDOW = 44_100, 1024, 4096
_BANDS = 1024
# Frames that are looked at together, and those by which one look overlaps the next.
_ROWS, _SHARED = 256, 32
# What is above 11 kHz goes with the highest bands below.
_TOP = 128
_FLOOR = 1e-10
_GRAPH = "spleeter.onnx"
_REBUILD = "_reconstruct"
_VOICE, _REST = "spleeter_vocals", "spleeter_accompaniment"


class Background:
    """Takes the voices out of sound that arrives block by block, at any rate.

    Windows are as long in seconds as those that the networks learned from, so nothing is
    resampled. It looks ahead by 6 s; its memory does not grow. Left and right are heard together,
    other channels each alone. Opening it fetches 118 MB the first time.

    Parameters
    ----------
    rate
        Samples a second.

    Raises
    ------
    WeightsError
        The networks are not there and cannot be fetched.
    """

    def __init__(self, rate: int) -> None:
        self._hop = max(round(rate * _HOP / _RATE), 1)
        self._window = 4 * self._hop
        self._voice, self._rest = (_network(weights.path(name)) for name in (_VOICE, _REST))
        hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(self._window) / self._window)
        self._hann = hann.astype(np.float32)[:, None]

    def __call__(self, blocks: Iterable[FloatArray]) -> Iterator[FloatArray]:
        """Yield as many (n, channels) float32 samples as ``blocks`` hold, at their own times."""
        hop, window = self._hop, self._window
        tail: FloatArray | None = None
        given = 0
        before: FloatArray | None = None
        for frames, total, last in self._looks(blocks):
            share = self._shares(frames)
            if before is not None:
                fade = np.linspace(0, 1, _SHARED + 2, dtype=np.float32)[1:-1, None, None]
                share[:_SHARED] = before * (1 - fade) + share[:_SHARED] * fade
            done = len(frames) if last else len(frames) - _SHARED
            before = share[done:]
            wave = np.fft.irfft(frames[:done] * share[:done], window, axis=1).astype(np.float32)
            # Four windows, squared, add up to 1.5.
            wave *= self._hann / 1.5
            out = np.zeros(((done - 1) * hop + window, wave.shape[2]), np.float32)
            for k in range(done):
                out[k * hop : k * hop + window] += wave[k]
            if tail is not None:
                out[: len(tail)] += tail
            # The first window begins before the sound.
            early = window - hop if tail is None else 0
            tail = out[done * hop :]
            ready = out[early : done * hop][: total - given]
            given += len(ready)
            if len(ready):
                yield ready

    def _looks(self, blocks: Iterable[FloatArray]) -> Iterator[tuple[Complex, int, bool]]:
        """Yield (frames, bins, channels) spectra, how many samples came, and whether they end."""
        hop, window = self._hop, self._window
        held: list[FloatArray] = []
        total, count = 0, 0
        need = (_ROWS - 1) * hop + window
        for block in blocks:
            if not held:
                held.append(np.zeros((window - hop, block.shape[1]), np.float32))
                count = window - hop
            held.append(block)
            total, count = total + len(block), count + len(block)
            # One look is kept back: the last one has no other after it.
            while count > need:
                joined = np.concatenate(held)
                yield self._spectra(joined[:need], _ROWS), total, False
                joined = joined[(_ROWS - _SHARED) * hop :]
                held, count = [joined], len(joined)
        if total:
            joined = np.concatenate(held)
            rows = -(-(len(joined) - window) // hop) + 4
            padding = (rows - 1) * hop + window - len(joined)
            padded = np.pad(joined, ((0, padding), (0, 0)))
            first = 0
            while rows - first > _ROWS:
                part = padded[first * hop : first * hop + need]
                yield self._spectra(part, _ROWS), total, False
                first += _ROWS - _SHARED
            yield self._spectra(padded[first * hop :], rows - first), total, True

    def _spectra(self, samples: FloatArray, rows: int) -> Complex:
        windows = np.lib.stride_tricks.sliding_window_view(samples, self._window, 0)[:: self._hop]
        taken = windows[:rows].transpose(0, 2, 1) * self._hann
        return np.asarray(np.fft.rfft(taken, axis=1), np.complex64)

    def _shares(self, frames: Complex) -> FloatArray:
        """(rows, bins, channels) 0..1 of what is no voice."""
        rows, bins, channels = frames.shape
        share = np.empty((rows, bins, channels), np.float32)
        pairs = [[0, 1]] if channels > 1 else []
        pairs += [[k] for k in range(2 * len(pairs), channels)]
        for pair in pairs:
            heard = np.abs(frames[:, :_BANDS, pair]) * np.float32(_WINDOW / self._window)
            size = ((0, -rows % 64), (0, _BANDS - heard.shape[1]), (0, 2 - len(pair)))
            # One channel is heard as two that are alike.
            x = np.pad(heard, size, mode="constant").transpose(2, 0, 1)
            if len(pair) == 1:
                x[1] = x[0]
            voice, rest = (
                network.run(None, {"magnitude": x[None]})[0][0] ** 2
                for network in (self._voice, self._rest)
            )
            mine = (rest + _FLOOR / 2) / (voice + rest + _FLOOR)
            mine = mine.transpose(1, 2, 0)[:rows, :bins, : len(pair)]
            share[:, : mine.shape[1], pair] = mine
            above = mine[:, -_TOP:].mean(1, keepdims=True)
            share[:, mine.shape[1] :, pair] = above
        return share


def check_networks() -> None:
    """Fetch the networks, where they are not there.

    Raises
    ------
    WeightsError
        They cannot be fetched.
    """
    for name in (_VOICE, _REST):
        weights.path(name)


def _network(file: Path) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.log_severity_level = 3
    values = _read(file)
    names = list(shapes())
    options.add_external_initializers(
        names, [ort.OrtValue.ortvalue_from_numpy(values[name]) for name in names]
    )
    graph = (resources.files("labial.audio") / _GRAPH).read_bytes()
    return ort.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


class _ArraysOnly(pickle.Unpickler):
    """Reads a dictionary of arrays, and nothing that does anything."""

    def find_class(self, module: str, name: str) -> Any:
        # NumPy 1 and 2 call its place by different names, and the old one warns.
        if module in ("numpy.core.multiarray", "numpy._core.multiarray") and name == _REBUILD:
            return np.zeros(0).__reduce__()[0]
        if (module, name) in (("numpy", "ndarray"), ("numpy", "dtype"), ("_codecs", "encode")):
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"{module}.{name} is no array")


def _read(file: Path) -> dict[str, FloatArray]:
    """Arrays of a checkpoint by their names."""
    with zipfile.ZipFile(file) as archive:
        (member,) = (name for name in archive.namelist() if name.endswith("/data.pkl"))
        with archive.open(member) as stream:
            values: dict[str, FloatArray] = _ArraysOnly(stream).load()
    for name, shape in shapes().items():
        if name not in values or values[name].shape != shape:
            raise WeightsError(f"{file.name} holds no {name} of shape {shape}")
    return {name: np.ascontiguousarray(values[name], np.float32) for name in shapes()}


@lru_cache(maxsize=1)
def shapes() -> dict[str, tuple[int, ...]]:
    """Return names and shapes of the network's weights."""
    found: dict[str, tuple[int, ...]] = {}

    def layer(conv: str, norm: str, inner: int, outer: int, turned: bool) -> None:
        found[f"{conv}.weight"] = (inner, outer, 5, 5) if turned else (outer, inner, 5, 5)
        found[f"{conv}.bias"] = (outer,)
        for part in ("weight", "bias", "running_mean", "running_var"):
            found[f"{norm}.{part}"] = (outer,)

    down, up = (2, 16, 32, 64, 128, 256, 512), (256, 128, 64, 32, 16, 1)
    for k in range(6):
        layer(f"down{k + 1}_conv.1", f"down{k + 1}_act.0", down[k], down[k + 1], False)
    for k in range(6):
        # After the first one, half of what comes in is what went down.
        layer(f"up{k + 1}.0", f"up{k + 1}.3", 512 if k == 0 else 2 * up[k - 1], up[k], True)
    found["up7.0.weight"], found["up7.0.bias"] = (2, 1, 4, 4), (2,)
    # What comes out at the bottom is not normalised.
    return {name: shape for name, shape in found.items() if not name.startswith("down6_act")}
