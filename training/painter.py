"""The networks that paint in the mouth plane: the inside of the mouth, and the refiner.

One small U-Net body. It reads pictures at half their size and twice as many channels each way, so
that it is cheap on a processor, and is told shape, pose and viseme by scaling its deepest layer.
"""

from __future__ import annotations

import itertools
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from labial.render.painter import MOUTHS, TOLD
from labial.render.plane import HEIGHT, WIDTH


class Block(nn.Module):
    """Two convolutions and a way around them."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.a, self.b = (nn.Conv2d(width, width, 3, padding=1) for _ in range(2))
        nn.init.zeros_(self.b.weight)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.b(functional.leaky_relu(self.a(functional.leaky_relu(x, 0.1)), 0.1))


class Body(nn.Module):
    """(n, channels, HEIGHT, WIDTH) and (n, TOLD) → features (n, width, HEIGHT/2, WIDTH/2)."""

    def __init__(self, channels: int, widths: tuple[int, int, int], depth: int) -> None:
        super().__init__()
        a, b, c = widths
        self.read = nn.Conv2d(4 * channels, a, 3, padding=1)
        self.down = nn.Conv2d(a, b, 3, stride=2, padding=1)
        self.middle = nn.Sequential(*(Block(b) for _ in range(depth)))
        self.deeper = nn.Conv2d(b, c, 3, stride=2, padding=1)
        self.deep = nn.ModuleList(Block(c) for _ in range(depth))
        self.tell = nn.Sequential(nn.Linear(TOLD, 64), nn.LeakyReLU(0.1), nn.Linear(64, 2 * c))
        self.rise = nn.Conv2d(c, b, 1)
        self.join = nn.Conv2d(2 * b, b, 3, padding=1)
        self.up = nn.Conv2d(b, a, 1)
        self.last = nn.Conv2d(2 * a, a, 3, padding=1)

    def forward(self, pictures: Tensor, told: Tensor) -> Tensor:
        x = functional.leaky_relu(self.read(functional.pixel_unshuffle(pictures, 2)), 0.1)
        y = self.middle(functional.leaky_relu(self.down(x), 0.1))
        z = functional.leaky_relu(self.deeper(y), 0.1)
        gain, shift = self.tell(told)[:, :, None, None].chunk(2, 1)
        z = z * (1 + gain) + shift
        for block in self.deep:
            z = block(z)
        z = functional.interpolate(self.rise(z), scale_factor=2.0, mode="bilinear")
        y = functional.leaky_relu(self.join(torch.cat([y, z], 1)), 0.1)
        y = functional.interpolate(self.up(y), scale_factor=2.0, mode="bilinear")
        return functional.leaky_relu(self.last(torch.cat([x, y], 1)), 0.1)


class Refiner(nn.Module):
    """What is made, the source, two filmed mouths, and lips of all four → what to change.

    Pictures (n, 20, HEIGHT, WIDTH): made, source, filmed and other RGB, two maps of lips each.
    Returns, at half the size, shares (n, 2, HEIGHT/2, WIDTH/2) of filmed and other, and what to
    add, (n, 3, HEIGHT/2, WIDTH/2).
    """

    CHANNELS = 20
    OUTPUTS = ("share", "change")

    def __init__(self, widths: tuple[int, int, int] = (24, 48, 96), depth: int = 2) -> None:
        super().__init__()
        self.widths, self.depth = widths, depth
        self.body = Body(self.CHANNELS, widths, depth)
        self.out = nn.Conv2d(widths[0], 5, 3, padding=1)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, pictures: Tensor, told: Tensor) -> tuple[Tensor, Tensor]:
        seen = self.out(self.body(pictures, told))
        # The three pictures compete; at first the made one has most.
        made = torch.full_like(seen[:, :1], 0.7)
        share = torch.softmax(torch.cat([made, seen[:, :2]], 1), 1)[:, 1:]
        return share, 0.5 * torch.tanh(seen[:, 2:])


class Interior(nn.Module):
    """The face with a hole for a mouth, its lips, and a look at another mouth → its inside.

    Pictures (n, 11, HEIGHT, WIDTH): RGB with the opening blacked out, lips and opening; RGB of
    another mouth of this person, its lips and opening, or zeros; a plane of ones where there is
    one. Returns (n, 3, HEIGHT, WIDTH) RGB.

    People whose mouth it is not shown differ, and the mean of all teeth is a grey mist. So each
    person that is learned from has a code of its own, and everybody else gets ``neutral``, one of
    these codes.
    """

    CHANNELS = 11
    OUTPUTS = ("inside",)
    CODE, PEOPLE = 16, 64

    def __init__(self, widths: tuple[int, int, int] = (24, 48, 96), depth: int = 2) -> None:
        super().__init__()
        self.widths, self.depth = widths, depth
        self.body = Body(self.CHANNELS, widths, depth)
        self.out = nn.Conv2d(widths[0], 12, 3, padding=1)
        self.codes = nn.Parameter(0.3 * torch.randn(self.PEOPLE, self.CODE))
        self.register_buffer("neutral", torch.zeros(self.CODE))

    def forward(self, pictures: Tensor, told: Tensor, who: Tensor | None = None) -> Tensor:
        code = self.neutral[None] if who is None else self.codes[who]
        unknown = 1 - pictures[:, 10, 0, :1]
        # The place of the mouths that this network is not told.
        before, after = MOUTHS, told.shape[1] - MOUTHS - self.CODE
        told = told + functional.pad(unknown * code, (before, after))
        return torch.sigmoid(functional.pixel_shuffle(self.out(self.body(pictures, told)), 2) - 1)


class Critic(nn.Module):
    """Tells real pictures from made ones, patch by patch; it sees the lips too."""

    def __init__(self) -> None:
        super().__init__()
        norm = nn.utils.parametrizations.spectral_norm
        sizes = (5, 32, 64, 96)
        self.layers = nn.ModuleList(
            norm(nn.Conv2d(a, b, 4, stride=2, padding=1)) for a, b in itertools.pairwise(sizes)
        )
        self.out = norm(nn.Conv2d(sizes[-1], 1, 3, padding=1))

    def forward(self, pictures: Tensor, lips: Tensor) -> Tensor:
        x = torch.cat([pictures, lips], 1)
        for layer in self.layers:
            x = functional.leaky_relu(layer(x), 0.2)
        return self.out(x)


def window() -> Tensor:
    """(1, 1, HEIGHT, WIDTH) 1 inside, falling to 0 at the edges of the plane."""
    across, down = (
        (torch.minimum(torch.arange(n), torch.arange(n).flip(0)) / 12).clamp(max=1)
        for n in (WIDTH, HEIGHT)
    )
    edge = down[:, None] * across[None]
    return (edge * edge * (3 - 2 * edge))[None, None]


def refined(made: Tensor, filmed: Tensor, other: Tensor, answer: tuple[Tensor, ...]) -> Tensor:
    """What the refiner's answer makes of the pictures, (n, 3, HEIGHT, WIDTH)."""
    share, change = answer
    base, *more = (functional.avg_pool2d(x, 2) for x in (made, filmed, other))
    for weight, mouth in zip(share.split(1, 1), more, strict=True):
        change = change + weight * (mouth - base)
    fine = functional.interpolate(change, scale_factor=2.0, mode="bilinear")
    return made + window() * fine


def export(net: nn.Module, path: Path) -> None:
    """Write ONNX for a batch of one."""
    channels: int = net.CHANNELS  # type: ignore[assignment]
    example = torch.zeros(1, channels, HEIGHT, WIDTH), torch.zeros(1, TOLD)
    torch.onnx.export(
        net.eval(), example, str(path), input_names=["pictures", "told"],
        output_names=list(net.OUTPUTS), opset_version=17, dynamo=False,
    )  # fmt: skip
