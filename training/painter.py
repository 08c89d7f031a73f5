"""The networks that look at the mouth plane: the inside of the mouth, and the refiner.

The refiner is a small U-Net. It reads pictures at half their size and twice as many channels each
way, so that it is cheap on a processor, and is told shape, pose and viseme by scaling its deepest
layer. The interior only reads numbers off the pictures; what they draw is differentiable.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from labial.render.interior import PARAMETERS, inside
from labial.render.painter import TOLD
from labial.render.plane import HEIGHT, PIXELS_PER_UNIT, WIDTH
from labial.render.refine import window


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

    WIDTHS, DEPTH = (24, 48, 96), 2

    def __init__(self) -> None:
        super().__init__()
        self.body = Body(self.CHANNELS, self.WIDTHS, self.DEPTH)
        self.out = nn.Conv2d(self.WIDTHS[0], 5, 3, padding=1)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, pictures: Tensor, told: Tensor) -> tuple[Tensor, Tensor]:
        seen = self.out(self.body(pictures, told))
        # The three pictures compete; at first the made one has most.
        made = torch.full_like(seen[:, :1], 0.7)
        share = torch.softmax(torch.cat([made, seen[:, :2]], 1), 1)[:, 1:]
        return share, 0.5 * torch.tanh(seen[:, 2:])


class Interior(nn.Module):
    """The face with a hole for a mouth, its lips, and a look at another mouth → what is inside.

    Pictures (n, 11, HEIGHT, WIDTH): RGB with the opening blacked out, lips and opening; RGB of
    another mouth of this person, its lips and opening, or zeros; a plane of ones where there is
    one. Returns (n, PARAMETERS) for :func:`labial.render.interior.inside`.
    """

    CHANNELS = 11
    OUTPUTS = ("theta",)

    WIDTHS = (16, 32, 48)

    def __init__(self) -> None:
        super().__init__()
        sizes = (self.CHANNELS, *self.WIDTHS)
        self.see = nn.ModuleList(
            nn.Conv2d(a, b, 3, stride=2, padding=1) for a, b in pairwise(sizes)
        )
        wide = 2 * self.WIDTHS[-1] + TOLD
        self.say = nn.Sequential(
            nn.Linear(wide, 128), nn.LeakyReLU(0.1), nn.Linear(128, PARAMETERS)
        )
        nn.init.normal_(self.say[2].weight, std=0.01)
        nn.init.zeros_(self.say[2].bias)

    def forward(self, pictures: Tensor, told: Tensor) -> Tensor:
        x = functional.avg_pool2d(pictures, 2)
        for layer in self.see:
            x = functional.leaky_relu(layer(x), 0.1)
        seen = torch.cat([x.mean((2, 3)), x.amax((2, 3)), told], 1)
        return self.say(seen)


def draw_inside(theta: Tensor, face: Tensor, lips: Tensor) -> Tensor:
    """(n, 3, HEIGHT, WIDTH) what ``theta`` says, for a face and its lips (n, 2, HEIGHT, WIDTH)."""
    u = ((torch.arange(WIDTH) + 0.5 - WIDTH / 2) / PIXELS_PER_UNIT)[None, None]
    v = ((torch.arange(HEIGHT) + 0.5 - HEIGHT / 2) / PIXELS_PER_UNIT)[None, :, None]
    open_ = (lips[:, 1] > 0.5).float()
    rows = torch.arange(HEIGHT)[None, :, None]
    first = torch.where(open_ > 0, rows, HEIGHT).amin(1, keepdim=True)
    last = torch.where(open_ > 0, rows + 1, 0).amax(1, keepdim=True)
    none = last == 0
    middle = torch.full_like(first, HEIGHT // 2)
    top, bottom = (
        (torch.where(none, middle, edge) - HEIGHT / 2) / PIXELS_PER_UNIT for edge in (first, last)
    )
    centre = tuple(edge[:, :, WIDTH // 2 : WIDTH // 2 + 1] for edge in (top, bottom))
    weight = 1 - lips[:, :1]
    skin = (face * weight).sum((2, 3)) / weight.sum((2, 3)).clamp(min=1)
    numbers = [x[:, None, None] for x in theta.float().unbind(1)]
    shades = [x[:, None, None] for x in skin.unbind(1)]
    return torch.stack(inside(numbers, u, v, top, bottom, centre, shades, torch), 1).clamp(0, 1)


def refined(made: Tensor, filmed: Tensor, other: Tensor, answer: tuple[Tensor, ...]) -> Tensor:
    """What the refiner's answer makes of the pictures, (n, 3, HEIGHT, WIDTH)."""
    share, change = answer
    base, *more = (functional.avg_pool2d(x, 2) for x in (made, filmed, other))
    for weight, mouth in zip(share.split(1, 1), more, strict=True):
        change = change + weight * (mouth - base)
    fine = functional.interpolate(change, scale_factor=2.0, mode="bilinear")
    return made + torch.from_numpy(window()) * fine


def export(net: nn.Module, path: Path) -> None:
    """Write ONNX for a batch of one."""
    channels: int = net.CHANNELS  # type: ignore[assignment]
    example = torch.zeros(1, channels, HEIGHT, WIDTH), torch.zeros(1, TOLD)
    torch.onnx.export(
        net.eval(), example, str(path), input_names=["pictures", "told"],
        output_names=list(net.OUTPUTS), opset_version=17, dynamo=False,
    )  # fmt: skip
