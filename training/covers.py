"""Synthetic covers in front of real mouths: hands, microphones, cups, cloth, hair.

Lengths are in inter-ocular distances.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from labial.face.cover import HEIGHT, PIXELS_PER_UNIT, WIDTH

H, W, UNIT = HEIGHT, WIDTH, PIXELS_PER_UNIT
Y, X = ((np.mgrid[:H, :W] + 0.5 - np.array([H / 2, W / 2])[:, None, None]) / UNIT).astype(
    np.float32
)
EDGE = 1.0 / UNIT


@dataclass
class Layer:
    """A cover: ``color`` (H, W, 3) 0..1 and ``alpha`` (H, W) 0..1."""

    color: np.ndarray
    alpha: np.ndarray

    @classmethod
    def none(cls) -> Layer:
        return cls(np.zeros((H, W, 3), np.float32), np.zeros((H, W), np.float32))

    def over(self, color: np.ndarray, alpha: np.ndarray, shade: float = 0.0) -> None:
        """Lay something on top, with its contact shadow on what is below."""
        if shade:
            near = cv2.GaussianBlur(alpha, (0, 0), 0.03 * UNIT)
            self.color *= (1 - shade * near)[..., None]
        self.color += alpha[..., None] * (color - self.color)
        self.alpha = np.maximum(self.alpha, alpha)


@dataclass
class Textures:
    """Where colours come from: ``own`` and ``skins`` are patches of skin, ``views`` anything."""

    own: np.ndarray
    skins: list[np.ndarray]
    views: list[np.ndarray]

    def stretched(self, patch: np.ndarray, rng: np.random.Generator, zoom: float) -> np.ndarray:
        """Fill the canvas with a patch, turned and mirrored at its borders."""
        h, w = patch.shape[:2]
        angle, size = rng.uniform(0, 2 * np.pi), W / w * zoom
        c, s = np.cos(angle) / size, np.sin(angle) / size
        middle = np.array([w / 2, h / 2]) + rng.uniform(-0.3, 0.3, 2) * (w, h)
        turn = np.array([[c, -s], [s, c]])
        shift = middle - turn @ (W / 2, H / 2)
        return cv2.warpAffine(
            patch, np.concatenate([turn, shift[:, None]], 1), (W, H),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REFLECT,
        ).astype(np.float32)  # fmt: skip

    def skin(self, rng: np.random.Generator) -> np.ndarray:
        """Skin: the face's own, or somebody else's, in the face's own light or not."""
        patch = self.own if rng.random() < 0.45 else self.skins[rng.integers(len(self.skins))]
        tone = patch.mean((0, 1))
        texture = self.stretched(patch, rng, rng.uniform(0.4, 1.6))
        if rng.random() < 0.7:
            texture = texture * (self.own.mean((0, 1)) / np.maximum(tone, 0.03))
        hue = rng.uniform(0.93, 1.07, 3) * (1.0, rng.uniform(0.88, 1.03), rng.uniform(0.86, 1.05))
        texture = texture * hue * rng.uniform(0.65, 1.3)
        # Fine wrinkles: noise that is longer one way than the other.
        grain = rng.standard_normal((H, W), np.float32)
        grain = cv2.GaussianBlur(
            grain, (0, 0), sigmaX=rng.uniform(0.8, 4), sigmaY=rng.uniform(0.8, 4)
        )
        return (texture * (1 + rng.uniform(0, 0.12) * grain[..., None])).astype(np.float32)

    def any(self, rng: np.random.Generator) -> np.ndarray:
        """Any natural texture, a plain colour, or a mixture."""
        view = self.views[rng.integers(len(self.views))].astype(np.float32) / 255
        texture = self.stretched(view, rng, rng.uniform(0.5, 3))
        plain = rng.uniform(0, 1, 3) if rng.random() < 0.5 else np.full(3, rng.uniform(0, 1))
        share = rng.choice([0.0, 0.3, 0.85, 1.0])
        return (texture * (1 - share) + plain * share).astype(np.float32)


def capsule(
    points: np.ndarray, radii: np.ndarray, light: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """A bent, rounded limb through ``points`` (k, 2): (alpha, shading)."""
    best = np.full((H, W), 9, np.float32)
    shade = np.ones((H, W), np.float32)
    points, radii, light = (np.asarray(x, np.float32) for x in (points, radii, light))
    for a, b, ra, rb in zip(points[:-1], points[1:], radii[:-1], radii[1:], strict=True):
        along = b - a
        length = max(float(along @ along), 1e-6)
        t = (((X - a[0]) * along[0] + (Y - a[1]) * along[1]) / length).clip(0, 1)
        dx, dy = X - a[0] - t * along[0], Y - a[1] - t * along[1]
        radius = ra + t * (rb - ra)
        reach = np.sqrt(dx * dx + dy * dy) / radius
        nx, ny = dx / radius, dy / radius
        nz = np.sqrt((1 - reach**2).clip(0))
        lit = nx * light[0] + ny * light[1] + nz * light[2]
        nearer = reach < best
        shade = np.where(nearer, lit, shade)
        best = np.minimum(best, reach)
    mean = float(radii.mean())
    alpha = ((1 - best) * mean / (2 * EDGE) + 0.5).clip(0, 1)
    return alpha.astype(np.float32), shade.astype(np.float32)


def _light(rng: np.random.Generator) -> np.ndarray:
    light = np.array([rng.normal(0, 0.5), rng.normal(-0.4, 0.4), rng.uniform(0.5, 1.2)])
    return light / np.linalg.norm(light)


def _lit(color: np.ndarray, shade: np.ndarray, depth: float) -> np.ndarray:
    gain = (1 + 0.3 * depth) * (1 - depth + depth * shade.clip(-0.2, 1))
    return (color * gain[..., None]).astype(np.float32)


def _finger(
    layer: Layer, skin: np.ndarray, tip: np.ndarray, way: float, length: float, radius: float,
    light: np.ndarray, rng: np.random.Generator,
) -> np.ndarray:  # fmt: skip
    """Draw a finger from its tip backwards; return where it ends."""
    points, at, angle = [tip], tip, way
    for share in (0.3, 0.3, 0.4):
        at = at + share * length * np.array([np.cos(angle), np.sin(angle)])
        points.append(at)
        angle += rng.normal(0, 0.22)
    radii = radius * np.array([0.82, 0.95, 1.0, 1.12])
    alpha, shade = capsule(np.array(points), radii, light)
    color = _lit(skin * rng.uniform(0.93, 1.07), shade, rng.uniform(0.05, 0.7))
    along = np.array([np.cos(way), np.sin(way)])
    for knuckle in points[1:3]:
        for _ in range(rng.integers(0, 4)):
            off = rng.normal(0, 0.02)
            across = (X - knuckle[0]) * along[0] + (Y - knuckle[1]) * along[1] - off
            color = (
                color * (1 - rng.uniform(0.05, 0.3) * np.exp(-((across / 0.006) ** 2)))[..., None]
            )
    if rng.random() < 0.5:
        nail = tip + along * radius * rng.uniform(0.1, 0.5)
        u = (X - nail[0]) * along[0] + (Y - nail[1]) * along[1]
        v = -(X - nail[0]) * along[1] + (Y - nail[1]) * along[0]
        inside = ((1 - np.sqrt((u / (0.75 * radius)) ** 2 + (v / (0.6 * radius)) ** 2)) * 8).clip(
            0, 1
        )
        paint = (
            rng.uniform(0.1, 1, 3) if rng.random() < 0.3 else (1.15, 1.0, 1.0) * color.mean((0, 1))
        )
        gloss = 1 + 0.5 * np.exp(-(((v - 0.2 * radius) / (0.15 * radius)) ** 2))
        tone = np.asarray(paint)[None, None] * gloss[..., None] * rng.uniform(0.85, 1.3)
        color = color + (0.8 * inside)[..., None] * (tone - color)
    layer.over(color.astype(np.float32), alpha, rng.uniform(0.1, 0.6))
    return points[-1]


def hand(textures: Textures, rng: np.random.Generator) -> Layer:
    """Fingers side by side, from any side but mostly from below, often with the back of a hand."""
    layer, skin, light = Layer.none(), textures.skin(rng), _light(rng)
    # From the tips back to the wrist.
    way = rng.normal(np.pi / 2, 0.9) if rng.random() < 0.85 else rng.uniform(0, 2 * np.pi)
    back, side = np.array([np.cos(way), np.sin(way)]), np.array([-np.sin(way), np.cos(way)])
    radius = rng.uniform(0.075, 0.14)
    count = int(rng.integers(1, 5))
    # Most hands go for the mouth.
    tip = rng.normal((0, -0.05), (0.22, 0.17) if rng.random() < 0.6 else (0.4, 0.3))
    length = rng.uniform(0.35, 0.9)
    step = radius * rng.uniform(1.75, 2.4)
    if rng.random() < 0.85:
        base = tip + back * (length + rng.uniform(0.1, 0.3))
        width = max(0.3, 0.5 * step * count) * rng.uniform(0.8, 1.2)
        points = np.array([base, base + back * 0.5, base + back * 1.5])
        alpha, shade = capsule(points, np.array([width, width, 0.7 * width]), light)
        layer.over(_lit(skin, shade, rng.uniform(0.05, 0.5)), alpha)
    for k in rng.permutation(count):
        at = tip + side * (k - (count - 1) / 2) * step + back * (abs(rng.normal(0, 0.08)))
        _finger(layer, skin, at, way + rng.normal(0, 0.08), length, radius * rng.uniform(0.85, 1.1),
                light, rng)  # fmt: skip
    if rng.random() < 0.35:
        thumb = tip + side * rng.choice([-1, 1]) * step * (count / 2 + 0.8) + back * 0.3
        _finger(
            layer, skin, thumb, way + rng.normal(0, 0.5), length * 0.8, radius * 1.15, light, rng
        )
    return layer


def fist(textures: Textures, rng: np.random.Generator) -> Layer:
    """Knuckles in a row, or a palm, in front of the mouth or under the chin."""
    layer, skin, light = Layer.none(), textures.skin(rng), _light(rng)
    middle = rng.normal((0, 0.12), (0.25, 0.25))
    tilt = rng.normal(0, 0.5)
    along = np.array([np.cos(tilt), np.sin(tilt)])
    down = np.array([-np.sin(tilt), np.cos(tilt)])
    radius = rng.uniform(0.09, 0.15)
    palm = np.array([middle + down * 0.3, middle + down * 0.5, middle + down * 1.5])
    width = rng.uniform(0.3, 0.55)
    alpha, shade = capsule(palm, np.array([width, width, 0.7 * width]), light)
    layer.over(_lit(skin, shade, rng.uniform(0.2, 0.6)), alpha)
    if rng.random() < 0.7:
        for k in range(4):
            at = middle + along * (k - 1.5) * radius * rng.uniform(1.6, 2.0)
            points = np.array([at, at + down * rng.uniform(0.15, 0.4)])
            alpha, shade = capsule(points, np.array([radius, radius]), light)
            tone = _lit(skin * rng.uniform(0.93, 1.07), shade, rng.uniform(0.05, 0.7))
            layer.over(tone.astype(np.float32), alpha, rng.uniform(0.2, 0.6))
    return layer


def microphone(textures: Textures, rng: np.random.Generator) -> Layer:
    """A head of mesh or foam, and its handle or stand."""
    layer, light = Layer.none(), _light(rng)
    at = rng.normal((0, 0.1), (0.3, 0.2))
    radius = rng.uniform(0.1, 0.38)
    tone = np.full(3, rng.uniform(0.02, 0.25)) if rng.random() < 0.65 else rng.uniform(0, 1, 3)
    way = rng.normal(np.pi / 2, 0.7)
    back = np.array([np.cos(way), np.sin(way)])
    thick = radius * rng.uniform(0.3, 0.7)
    alpha, shade = capsule(np.array([at, at + 2 * back]), np.array([thick, thick]), light)
    layer.over(_lit(np.ones((H, W, 3)) * tone * rng.uniform(0.6, 1.2), shade, 0.8), alpha)
    end = at + back * radius * rng.uniform(0, 1.2)
    alpha, shade = capsule(np.array([at, end]), np.array([radius, radius]), light)
    mesh = np.sin(X * rng.uniform(80, 250)) * np.sin(Y * rng.uniform(80, 250))
    noise = rng.standard_normal((H, W), np.float32)
    grain = 1 + rng.uniform(0, 0.5) * (mesh if rng.random() < 0.5 else noise)
    layer.over(_lit(tone * grain[..., None].clip(0.2), shade, rng.uniform(0.4, 0.9)), alpha, 0.2)
    return layer


def thing(textures: Textures, rng: np.random.Generator) -> Layer:
    """A cup, food, a sheet, a mask: a smooth polygon of any texture."""
    layer = Layer.none()
    count = int(rng.integers(3, 9))
    angles = np.sort(rng.uniform(0, 2 * np.pi, count))
    size = rng.uniform(0.12, 0.8)
    reach = size * rng.uniform(0.6, 1.3, count)
    middle = rng.normal((0, 0.08), (0.35, 0.3))
    points = middle + np.stack([np.cos(angles), np.sin(angles)], 1) * reach[:, None]
    mask = np.zeros((H, W), np.uint8)
    pixels = np.rint((points * UNIT + (W / 2, H / 2)) * 16).astype(np.int32)
    cv2.fillPoly(mask, [pixels], 255, cv2.LINE_AA, 4)
    round_ = rng.uniform(0.5, max(1.0, 0.15 * size * UNIT))
    alpha = cv2.GaussianBlur(mask / np.float32(255), (0, 0), round_)
    alpha = ((alpha - 0.5) * min(round_, 4) * 1.2 + 0.5).clip(0, 1)
    slope = 1 + rng.uniform(-0.6, 0.6) * X / size + rng.uniform(-0.6, 0.6) * Y / size
    layer.over((textures.any(rng) * slope[..., None].clip(0.3, 1.7)).astype(np.float32), alpha)
    return layer


def mask(textures: Textures, rng: np.random.Generator) -> Layer:
    """A scarf, collar or face mask: everything below a line, with folds."""
    layer = Layer.none()
    top = rng.normal(-0.15, 0.2) + rng.normal(0, 0.25) * X + rng.normal(0, 0.3) * X**2
    alpha = ((Y - top) / EDGE / 2 + 0.5).clip(0, 1).astype(np.float32)
    folds = 1 + rng.uniform(0, 0.25) * np.sin(Y * rng.uniform(10, 50) + rng.normal(0, 2) * X)
    layer.over((textures.any(rng) * folds[..., None]).astype(np.float32), alpha)
    return layer


def strands(textures: Textures, rng: np.random.Generator) -> Layer:
    """Hair that falls over the mouth, or thin things: straws, pens, forks."""
    layer, light = Layer.none(), _light(rng)
    thin = rng.random() < 0.5
    tone = rng.uniform(0.02, 0.5) * np.array([1, rng.uniform(0.6, 1), rng.uniform(0.4, 1)])
    if not thin:
        tone = rng.uniform(0, 1, 3)
    start = rng.uniform((-0.8, -0.6), (0.8, 0.6))
    way, bend = rng.uniform(0, 2 * np.pi), rng.normal(0, 0.5)
    for _ in range(int(rng.integers(3, 22)) if thin else 1):
        points, at, angle = [start + rng.normal(0, 0.07, 2)], start, way + rng.normal(0, 0.1)
        for _ in range(4):
            at = points[-1] + 0.35 * np.array([np.cos(angle), np.sin(angle)])
            points.append(at)
            angle += bend * 0.5 if thin else 0
        radius = rng.uniform(0.006, 0.02) if thin else rng.uniform(0.02, 0.06)
        alpha, shade = capsule(np.array(points), np.full(5, radius), light)
        layer.over(_lit(np.ones((H, W, 3)) * tone * rng.uniform(0.7, 1.4), shade, 0.6), alpha)
    return layer


MAKERS: tuple[tuple[Callable[[Textures, np.random.Generator], Layer], float], ...] = (
    (hand, 0.55), (fist, 0.15), (microphone, 0.1), (thing, 0.1), (mask, 0.04), (strands, 0.06),
)  # fmt: skip


def cover(textures: Textures, rng: np.random.Generator) -> Layer:
    """Make a cover at random."""
    makers, weights = zip(*MAKERS, strict=True)
    layer = makers[rng.choice(len(makers), p=weights)](textures, rng)
    if rng.random() < 0.3:
        # It moves while the shutter is open.
        length = int(rng.integers(3, 13))
        kernel = np.zeros((length, length), np.float32)
        cv2.line(kernel, (0, 0), (length - 1, length - 1), 1.0)
        turn = cv2.getRotationMatrix2D(((length - 1) / 2,) * 2, rng.uniform(0, 180), 1.0)
        kernel = cv2.warpAffine(kernel, turn, (length, length))
        kernel /= kernel.sum()
        solid = np.concatenate([layer.color * layer.alpha[..., None], layer.alpha[..., None]], 2)
        solid = cv2.filter2D(solid, -1, kernel)
        layer = Layer(solid[..., :3] / np.maximum(solid[..., 3:], 1e-3), solid[..., 3])
    return layer
