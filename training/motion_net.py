"""The network from log-mel to mouth coefficients."""

from __future__ import annotations

import torch
from torch import Tensor, nn

TAPS = 5
# Dilation and how many rows (20 ms) each block looks back and ahead: more past than future.
BLOCKS = ((1, 2, 2), (2, 4, 4), (3, 10, 2), (4, 16, 0))


class Block(nn.Module):
    """Residual dilated convolution without padding: the output is shorter than the input."""

    def __init__(self, width: int, dilation: int, back: int, ahead: int, drop: float) -> None:
        super().__init__()
        assert back + ahead == (TAPS - 1) * dilation
        self.back, self.ahead = back, ahead
        self.norm = nn.LayerNorm(width)
        self.conv = nn.Conv1d(width, width, TAPS, dilation=dilation)
        self.drop = nn.Dropout(drop)
        self.mix = nn.Conv1d(width, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        h = self.norm(x.transpose(1, 2)).transpose(1, 2)
        h = self.mix(self.drop(nn.functional.gelu(self.conv(h))))
        return x[:, :, self.back : x.shape[2] - self.ahead] + h


class MotionNet(nn.Module):
    """(batch, frames, 80) log-mel → (batch, rows, K); row i is centred on frame before + 2 i."""

    before = 2 * sum(b[1] for b in BLOCKS) + 2
    after = 2 * sum(b[2] for b in BLOCKS) + 2

    def __init__(self, outputs: int = 12, width: int = 160, drop: float = 0.2) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(80))
        self.register_buffer("std", torch.ones(80))
        self.stem1 = nn.Conv1d(80, width, 3)
        self.stem2 = nn.Conv1d(width, width, 3, stride=2)
        self.blocks = nn.ModuleList(Block(width, *b, drop) for b in BLOCKS)
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, outputs)
        self.register_buffer("gain", torch.ones(outputs))

    def features(self, mel: Tensor) -> Tensor:
        """(batch, rows, width)."""
        x = ((mel - self.mean) / self.std).transpose(1, 2)
        x = nn.functional.gelu(self.stem2(nn.functional.gelu(self.stem1(x))))
        for block in self.blocks:
            x = block(x)
        return self.norm(x.transpose(1, 2))

    def forward(self, mel: Tensor) -> Tensor:
        return self.head(self.features(mel)) * self.gain
