"""The networks: bodies that read a stretch of sound, and the heads on them.

No body pads: a row comes from a fixed stretch around it, so that pieces of any length join
without a seam and live use knows its delay.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from labial.speech.phones import PHONES

TAPS = 5


class Dilated(nn.Module):
    """Residual dilated convolution over all channels."""

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


class Slim(nn.Module):
    """Residual depthwise convolution, then a wide mixing of channels (Liu et al., 2022)."""

    def __init__(self, width: int, dilation: int, back: int, ahead: int, drop: float) -> None:
        super().__init__()
        assert back + ahead == (TAPS - 1) * dilation
        self.back, self.ahead = back, ahead
        self.conv = nn.Conv1d(width, width, TAPS, dilation=dilation, groups=width)
        self.norm = nn.LayerNorm(width)
        self.widen = nn.Linear(width, 3 * width)
        self.drop = nn.Dropout(drop)
        self.mix = nn.Linear(3 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        h = self.norm(self.conv(x).transpose(1, 2))
        h = self.mix(self.drop(nn.functional.gelu(self.widen(h)))).transpose(1, 2)
        return x[:, :, self.back : x.shape[2] - self.ahead] + h


# Per design: kind of block, width, and for each block dilation and how many rows (20 ms) it
# looks back and ahead. Together no more than 8 rows ahead.
DESIGNS: dict[str, tuple[type[nn.Module], int, tuple[tuple[int, int, int], ...]]] = {
    "dilated": (Dilated, 160, ((1, 2, 2), (2, 4, 4), (3, 10, 2), (4, 16, 0))),
    "dilated_mid": (Dilated, 192, ((1, 2, 2), (2, 4, 4), (3, 10, 2), (4, 16, 0), (1, 4, 0))),
    "dilated_wide": (
        Dilated, 224, ((1, 2, 2), (2, 4, 4), (3, 10, 2), (4, 16, 0), (8, 32, 0)),
    ),
    "slim": (
        Slim, 224,
        ((1, 2, 2), (1, 2, 2), (2, 6, 2), (3, 10, 2), (1, 4, 0), (4, 16, 0), (8, 32, 0), (1, 4, 0)),
    ),
}  # fmt: skip


class Student(nn.Module):
    """(batch, frames, 80) log-mel → motion (batch, rows, K) and phone logits (batch, rows, P).

    Row i is centred on frame ``before + 2 i``.
    """

    def __init__(self, design: str = "slim", outputs: int = 12, drop: float = 0.1) -> None:
        super().__init__()
        kind, width, blocks = DESIGNS[design]
        self.design, self.width = design, width
        self.before = 2 * sum(b[1] for b in blocks) + 2
        self.after = 2 * sum(b[2] for b in blocks) + 2
        self.register_buffer("mean", torch.zeros(80))
        self.register_buffer("std", torch.ones(80))
        self.stem1 = nn.Conv1d(80, width, 3)
        self.stem2 = nn.Conv1d(width, width, 3, stride=2)
        self.blocks = nn.ModuleList(kind(width, *b, drop) for b in blocks)
        self.norm = nn.LayerNorm(width)
        self.motion = nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.Linear(width, outputs))
        self.phones = nn.Linear(width, len(PHONES))

    def hidden(self, mel: Tensor) -> Tensor:
        """(batch, rows, width)."""
        x = ((mel - self.mean) / self.std).transpose(1, 2)
        x = nn.functional.gelu(self.stem2(nn.functional.gelu(self.stem1(x))))
        for block in self.blocks:
            x = block(x)
        return self.norm(x.transpose(1, 2))

    def forward(self, mel: Tensor) -> tuple[Tensor, Tensor]:
        hidden = self.hidden(mel)
        return self.motion(hidden), self.phones(hidden)


class Teacher(nn.Module):
    """(batch, rows, 256) of Whisper's features → motion and phone logits, ``reach`` rows less
    at either end.
    """

    blocks = ((1, 2, 2), (2, 4, 4), (3, 6, 6), (1, 2, 2))
    reach = sum(b[1] for b in blocks)

    def __init__(self, inputs: int = 256, width: int = 128, drop: float = 0.3) -> None:
        super().__init__()
        self.enter = nn.Sequential(nn.Dropout(0.2), nn.Linear(inputs, width))
        self.body = nn.Sequential(*(Dilated(width, *b, drop) for b in self.blocks))
        self.norm = nn.LayerNorm(width)
        self.motion = nn.Linear(width, 12)
        self.phones = nn.Linear(width, len(PHONES))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        hidden = self.norm(self.body(self.enter(x).transpose(1, 2)).transpose(1, 2))
        return self.motion(hidden), self.phones(hidden)


class Recurrent(nn.Module):
    """The teacher's job with a bidirectional recurrent body."""

    reach = 14

    def __init__(self, inputs: int = 256, width: int = 96, drop: float = 0.3) -> None:
        super().__init__()
        self.enter = nn.Sequential(nn.Dropout(0.2), nn.Linear(inputs, width))
        self.body = nn.GRU(width, width, 2, batch_first=True, bidirectional=True, dropout=drop)
        self.norm = nn.LayerNorm(2 * width)
        self.motion = nn.Linear(2 * width, 12)
        self.phones = nn.Linear(2 * width, len(PHONES))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        hidden = self.norm(self.body(self.enter(x))[0])[:, self.reach : x.shape[1] - self.reach]
        return self.motion(hidden), self.phones(hidden)


class Sync(nn.Module):
    """Two towers whose rows point the same way when a mouth and a sound belong together.

    ``sound`` (batch, rows, K + P) is the student's motion and phone probabilities, ``mouth``
    (batch, rows, K) the motion that was seen, both at 50 Hz; each becomes (batch, rows - 12, 32)
    of unit length.
    """

    reach = 6

    def __init__(self, motion: int = 12, width: int = 48, size: int = 32) -> None:
        super().__init__()
        self.sound, self.mouth = (
            nn.Sequential(
                nn.Conv1d(inputs, width, 5), nn.GELU(), nn.Dropout(0.3),
                nn.Conv1d(width, width, 5, dilation=2), nn.GELU(), nn.Dropout(0.3),
                nn.Conv1d(width, size, 1),
            )
            for inputs in (motion + len(PHONES), motion)
        )  # fmt: skip

    def forward(self, sound: Tensor, mouth: Tensor) -> tuple[Tensor, Tensor]:
        a = self.sound(sound.transpose(1, 2)).transpose(1, 2)
        b = self.mouth(mouth.transpose(1, 2)).transpose(1, 2)
        return nn.functional.normalize(a, dim=-1), nn.functional.normalize(b, dim=-1)
