"""The networks: bodies that read a stretch of sound, and the heads on them.

No body pads: a row comes from a fixed stretch around it, so that pieces of any length join
without a seam and live use knows its delay.
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor, nn

from labial.speech.phones import PHONES
from training.lessons import WIDTH


class Dilated(nn.Module):
    """Residual dilated convolution over all channels."""

    def __init__(self, width: int, dilation: int, back: int, ahead: int, drop: float) -> None:
        super().__init__()
        self.back, self.ahead = back, ahead
        self.norm = nn.LayerNorm(width)
        self.conv = nn.Conv1d(width, width, taps(dilation, back, ahead), dilation=dilation)
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
        self.back, self.ahead = back, ahead
        size = taps(dilation, back, ahead)
        self.conv = nn.Conv1d(width, width, size, dilation=dilation, groups=width)
        self.norm = nn.LayerNorm(width)
        self.widen = nn.Linear(width, 3 * width)
        self.drop = nn.Dropout(drop)
        self.mix = nn.Linear(3 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        h = self.norm(self.conv(x).transpose(1, 2))
        h = self.mix(self.drop(nn.functional.gelu(self.widen(h)))).transpose(1, 2)
        return x[:, :, self.back : x.shape[2] - self.ahead] + h


class Attentive(nn.Module):
    """Attention to the rows from ``back`` before to ``ahead`` after, then a mixing of channels."""

    HEADS = 4

    def __init__(self, width: int, dilation: int, back: int, ahead: int, drop: float) -> None:
        super().__init__()
        assert dilation == 1
        self.back, self.ahead = back, ahead
        self.norm, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.q, self.kv = nn.Linear(width, width), nn.Linear(width, 2 * width)
        self.out = nn.Linear(width, width)
        self.near = nn.Parameter(torch.zeros(self.HEADS, back + 1 + ahead))
        self.widen, self.mix = nn.Linear(width, 2 * width), nn.Linear(2 * width, width)
        self.drop = nn.Dropout(drop)

    def forward(self, x: Tensor) -> Tensor:
        x = x.transpose(1, 2)
        n, width = x.shape[1], x.shape[2]
        h = self.norm(x)
        x = x[:, self.back : n - self.ahead]
        q = self.q(h[:, self.back : n - self.ahead])
        k, v = self.kv(h).chunk(2, -1)
        q, k, v = (t.unflatten(-1, (self.HEADS, -1)).transpose(1, 2) for t in (q, k, v))
        rows = n - self.back - self.ahead
        place = torch.arange(n)[None] - torch.arange(rows)[:, None]
        reach = self.back + self.ahead
        bias = self.near[:, place.clamp(0, reach)]
        bias = bias.masked_fill(((place < 0) | (place > reach))[None], -1e4)
        weights = (q @ k.transpose(2, 3) * (width // self.HEADS) ** -0.5 + bias).softmax(-1)
        x = x + self.drop(self.out((weights @ v).transpose(1, 2).flatten(2)))
        x = x + self.mix(self.drop(nn.functional.gelu(self.widen(self.norm2(x)))))
        return x.transpose(1, 2)


def taps(dilation: int, back: int, ahead: int) -> int:
    """Taps of a convolution that sees so many rows before and after."""
    assert (back + ahead) % dilation == 0
    return (back + ahead) // dilation + 1


# Per design: width, and for each block its kind, dilation and how many rows (20 ms) it looks back
# and ahead. Together no more than 8 rows ahead.
Block = tuple[type[nn.Module], int, int, int]
DESIGNS: dict[str, tuple[int, tuple[Block, ...]]] = {
    "dilated_mid": (192, (
        (Dilated, 1, 2, 2), (Dilated, 2, 4, 4), (Dilated, 3, 10, 2), (Dilated, 4, 16, 0),
        (Dilated, 1, 4, 0),
    )),
    "dilated_wide": (224, (
        (Dilated, 1, 2, 2), (Dilated, 2, 4, 4), (Dilated, 3, 10, 2), (Dilated, 4, 16, 0),
        (Dilated, 8, 32, 0),
    )),
    "deep": (224, (
        (Dilated, 1, 1, 1), (Dilated, 1, 1, 1), (Dilated, 2, 2, 2), (Dilated, 1, 1, 1),
        (Dilated, 2, 2, 2), (Dilated, 1, 1, 1), (Dilated, 4, 8, 0), (Dilated, 8, 16, 0),
        (Dilated, 1, 2, 0), (Dilated, 16, 32, 0),
    )),
    "attentive": (224, (
        (Dilated, 1, 2, 2), (Dilated, 2, 4, 4), (Attentive, 1, 24, 1), (Dilated, 1, 3, 1),
        (Attentive, 1, 24, 0), (Attentive, 1, 24, 0),
    )),
    "slim": (224, (
        (Slim, 1, 2, 2), (Slim, 1, 2, 2), (Slim, 2, 6, 2), (Slim, 3, 10, 2), (Slim, 1, 4, 0),
        (Slim, 4, 16, 0), (Slim, 8, 32, 0), (Slim, 1, 4, 0),
    )),
}  # fmt: skip


# What more a row may know when the sound need not be waited for: 10 rows on either side.
LATER: tuple[Block, ...] = ((Dilated, 2, 4, 4), (Dilated, 3, 6, 6))


class Student(nn.Module):
    """(batch, frames, 80) log-mel → motion (batch, rows, K) and phone logits (batch, rows, P).

    Row i is centred on frame ``before + 2 i``. Live, a row is not waited for: :meth:`live` has
    ``2 margin`` rows more of the same sound, since it looks less far.
    """

    margin = sum(b[3] for b in LATER)

    def __init__(self, design: str = "dilated_wide", outputs: int = 12, drop: float = 0.1) -> None:
        super().__init__()
        width, blocks = DESIGNS[design]
        self.design, self.width = design, width
        self.live_before = 2 * sum(b[2] for b in blocks) + 2
        self.live_after = 2 * sum(b[3] for b in blocks) + 2
        self.before = self.live_before + 2 * self.margin
        self.after = self.live_after + 2 * self.margin
        self.register_buffer("mean", torch.zeros(80))
        self.register_buffer("std", torch.ones(80))
        self.stem1 = nn.Conv1d(80, width, 3)
        self.stem2 = nn.Conv1d(width, width, 3, stride=2)
        self.blocks = nn.ModuleList(kind(width, *b, drop) for kind, *b in blocks)
        self.later = nn.ModuleList(kind(width, *b, drop) for kind, *b in LATER)
        self.norm, self.later_norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.motion, self.later_motion = (
            nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.Linear(width, outputs))
            for _ in range(2)
        )
        self.phones, self.later_phones = (nn.Linear(width, len(PHONES)) for _ in range(2))

    def hidden(self, mel: Tensor) -> tuple[Tensor, Tensor]:
        """(batch, rows + 2 margin, width) live, and (batch, rows, width)."""
        x = ((mel - self.mean) / self.std).transpose(1, 2)
        x = nn.functional.gelu(self.stem2(nn.functional.gelu(self.stem1(x))))
        for block in self.blocks:
            x = block(x)
        live = self.norm(x.transpose(1, 2))
        for block in self.later:
            x = block(x)
        return live, self.later_norm(x.transpose(1, 2))

    def say(self, live: Tensor, later: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Motion and phone logits of both."""
        return (
            self.motion(live), self.phones(live),
            self.later_motion(later), self.later_phones(later),
        )  # fmt: skip

    def forward(self, mel: Tensor) -> tuple[Tensor, Tensor]:
        return self.say(*self.hidden(mel))[2:]


class Teacher(nn.Module):
    """(batch, rows, ``WIDTH``) of Whisper's features → motion and phone logits, ``reach`` rows less
    at either end.
    """

    def __init__(
        self,
        inputs: int = WIDTH,
        width: int = 128,
        drop: float = 0.3,
        kinds: tuple[type[nn.Module], ...] = (Dilated,) * 4,
    ) -> None:
        super().__init__()
        shapes = ((1, 2, 2), (2, 4, 4), (3, 6, 6), (1, 2, 2))
        blocks = [
            (Attentive, 1, 16, 16) if kind is Attentive else (kind, *shape)
            for kind, shape in zip(kinds, shapes, strict=True)
        ]
        self.reach = sum(b[2] for b in blocks)
        self.enter = nn.Sequential(nn.Dropout(0.2), nn.Linear(inputs, width))
        self.body = nn.Sequential(*(kind(width, *b, drop) for kind, *b in blocks))
        self.norm = nn.LayerNorm(width)
        self.motion = nn.Linear(width, 12)
        self.phones = nn.Linear(width, len(PHONES))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        hidden = self.norm(self.body(self.enter(x).transpose(1, 2)).transpose(1, 2))
        return self.motion(hidden), self.phones(hidden)


class Recurrent(nn.Module):
    """The teacher's job with a bidirectional recurrent body."""

    reach = 14

    def __init__(self, inputs: int = WIDTH, width: int = 96, drop: float = 0.3) -> None:
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

    ``sound`` (batch, rows, ``inputs``) is the student's motion and phone probabilities, or the
    teacher's features; ``mouth`` (batch, rows, K) the motion that was seen, both at 50 Hz. Each
    becomes (batch, rows - 2 reach, 32), as long as its row has something to say, at most 1.
    """

    DESIGNS: ClassVar = {
        "plain": (48, (1, 2), False),
        "gated": (64, (1, 2), True),
    }

    def __init__(self, design: str = "gated", inputs: int = 12 + len(PHONES)) -> None:
        super().__init__()
        width, dilations, self.gated = self.DESIGNS[design]
        self.design, self.inputs, self.reach, size = design, inputs, 2 * sum(dilations), 32
        self.sound, self.mouth = (
            nn.Sequential(
                *(
                    layer
                    for i, dilation in enumerate(dilations)
                    for layer in (
                        nn.Conv1d(width if i else first, width, 5, dilation=dilation),
                        nn.GELU(),
                        nn.Dropout(0.3),
                    )
                ),
                nn.Conv1d(width, size + self.gated, 1),
            )
            for first in (inputs, 12)
        )

    def _rows(self, tower: nn.Module, x: Tensor) -> Tensor:
        x = tower(x.transpose(1, 2)).transpose(1, 2)
        if not self.gated:
            return nn.functional.normalize(x, dim=-1)
        return nn.functional.normalize(x[..., :-1], dim=-1) * x[..., -1:].sigmoid()

    def forward(self, sound: Tensor, mouth: Tensor) -> tuple[Tensor, Tensor]:
        return self._rows(self.sound, sound), self._rows(self.mouth, mouth)


def load_sync(path: Path) -> Sync:
    state = torch.load(path, weights_only=True)
    net = Sync(state["design"], state["inputs"])
    net.load_state_dict(state["net"])
    return net.eval()
