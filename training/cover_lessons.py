"""Lessons for the network that finds covers: real mouths, synthetic covers, and none at all.

    python -m training.cover_lessons COUNT PART [--held-out]

A part is ``training/cache/cover_lessons/PART.npz``: ``pictures`` (n, HEIGHT, WIDTH, 6) and
``mattes`` (n, HEIGHT, WIDTH), uint8.
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np

from labial.face.cover import HEIGHT, NOTHING, WIDTH
from training.cover_views import TALL, VIEWS, WIDE
from training.covers import EDGE, H, Layer, Textures, W, X, Y, cover
from training.mouths import is_held_out

COVERED = 0.5
BEARDED = 0.2
NO_REFERENCE = 0.35
LESSONS = Path(__file__).parent / "cache" / "cover_lessons"


class Faces:
    """Views of clips, those held out or the others."""

    def __init__(self, held_out: bool, folder: Path = VIEWS) -> None:
        self.views: list[np.ndarray] = []
        self.names: list[str] = []
        for path in sorted(folder.glob("*.npz")):
            if is_held_out(path.stem) == held_out:
                with np.load(path) as data:
                    self.views.append(data["views"])
                self.names.append(path.stem)
        # GRID has many clips of few people.
        self.weights = np.array([0.12 if n.startswith("grid") else 1.0 for n in self.names])
        self.weights /= self.weights.sum()
        self.skins = [s for views in self.views for s in _skins(views[len(views) // 2])]
        self.looks = [views[len(views) // 3] for views in self.views]

    def lesson(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """(HEIGHT, WIDTH, 6) uint8: picture and usual look; (HEIGHT, WIDTH) uint8 matte."""
        views = self.views[rng.choice(len(self.views), p=self.weights)]
        pick = int(rng.integers(len(views)))
        flip = bool(rng.random() < 0.5)
        beard = _beard(rng) if rng.random() < BEARDED else None

        def face(k: int) -> np.ndarray:
            wide = views[k].astype(np.float32) / 255
            if beard is not None:
                color, share = beard
                wide = wide + share[..., None] * (color * wide.mean() - wide)
            return _jittered(wide, rng, flip)

        picture = face(pick)
        alpha = np.zeros((H, W), np.float32)
        if rng.random() < COVERED:
            own = _skins(views[pick])
            textures = Textures(
                own[rng.integers(len(own))] if own else self.skins[rng.integers(len(self.skins))],
                self.skins, self.looks,
            )  # fmt: skip
            picture, alpha = composed(picture, cover(textures, rng), rng)
        elif rng.random() < 0.4:
            picture = _shadowed(picture, rng)
        some = rng.integers(len(views), size=int(rng.integers(1, 5)))
        usual = np.mean([face(int(k)) for k in some], 0, dtype=np.float32)
        # Light, skin and camera: dark faces with bright spots are rare in the corpus.
        gain = rng.uniform(0.45, 1.25) * rng.uniform(0.9, 1.1, 3)
        power = np.exp(rng.normal(0.1, 0.4)).clip(0.55, 2.8)
        slope = _slope(rng) if rng.random() < 0.5 else 1.0
        picture, usual = (
            (x.clip(0, 1) ** power * gain * slope).clip(0, 1) for x in (picture, usual)
        )
        if rng.random() < NO_REFERENCE:
            usual = np.full_like(usual, NOTHING)
        picture = _worn(picture * rng.uniform(0.88, 1.14) * rng.uniform(0.97, 1.03, 3), rng)
        both = np.concatenate([picture, np.rint(usual * 255)], 2)
        return both.astype(np.uint8), np.rint(alpha * 255).astype(np.uint8)


def composed(
    picture: np.ndarray, layer: Layer, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Lay a cover over a view (H, W, 3): the view, and the cover's soft matte."""
    color, alpha = layer.color, layer.alpha
    edge = rng.uniform(0.2, 1.4)
    alpha = cv2.GaussianBlur(alpha, (0, 0), edge)
    if rng.random() < 0.4:
        # As soft inside as the face is: the same lens sees both.
        color = cv2.GaussianBlur(color, (0, 0), rng.uniform(0.3, 1.2))
    if rng.random() < 0.7:
        off = rng.normal(0, 0.04, 2) / EDGE
        near = cv2.GaussianBlur(alpha, (0, 0), rng.uniform(0.02, 0.1) / EDGE)
        move = np.array([[1, 0, off[0]], [0, 1, off[1]]])
        near = cv2.warpAffine(near, move, (W, H), borderMode=cv2.BORDER_REPLICATE)
        picture = picture * (1 - rng.uniform(0, 0.6) * near)[..., None]
    return (picture + alpha[..., None] * (color.clip(0, 1) - picture)).astype(np.float32), alpha


def _shadowed(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A shadow falls on the face, or a light: nothing is covered."""
    way = rng.uniform(0, 2 * np.pi)
    far = X * np.cos(way) + Y * np.sin(way) - rng.normal(0, 0.4)
    band = 1 / (1 + np.exp(-far / rng.uniform(0.01, 0.3)))
    if rng.random() < 0.3:
        band = band * (1 / (1 + np.exp((far - rng.uniform(0.1, 0.4)) / 0.03)))
    return (picture * (1 + rng.uniform(-0.6, 0.35) * band[..., None])).clip(0, 1).astype(np.float32)


def _slope(rng: np.random.Generator) -> np.ndarray:
    """(h, w, 1) light that comes from one side."""
    way = rng.uniform(0, 2 * np.pi)
    side = X * np.cos(way) + Y * np.sin(way)
    return (1 + np.tanh(side * rng.uniform(0.5, 4)) * rng.uniform(0.1, 0.75))[..., None]


def _beard(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Hair on chin, cheeks and lip that belongs to a face: colours and shares of a wide view."""
    y, x = (np.mgrid[:TALL, :WIDE] + 0.5 - np.array([TALL / 2, WIDE / 2])[:, None, None]) * EDGE
    y = y + 0.08
    outer = 1 - np.sqrt(
        (x / rng.uniform(0.3, 0.75)) ** 2 + ((y - 0.12) / rng.uniform(0.3, 0.6)) ** 2
    )
    lips = 1 - np.sqrt((x / rng.uniform(0.26, 0.34)) ** 2 + (y / rng.uniform(0.1, 0.17)) ** 2)
    share = (outer * 6).clip(0, 1) * (1 - (lips * 6 + 0.5).clip(0, 1))
    if rng.random() < 0.3:
        share = share * ((y - 0.1) * 10).clip(0, 1)
    noise = rng.standard_normal((TALL, WIDE)).astype(np.float32)
    patches = cv2.GaussianBlur(noise, (0, 0), rng.uniform(3, 10))
    share = share * (rng.uniform(0.3, 1.0) + patches / max(float(patches.std()), 1e-6) * 0.2).clip(
        0, 1
    )
    hairs = 1 + rng.uniform(0.1, 0.7) * cv2.GaussianBlur(noise, (0, 0), rng.uniform(0.5, 1.0))
    tone = rng.uniform(0.1, 0.9) * np.array([1, rng.uniform(0.75, 1), rng.uniform(0.6, 1)])
    return (tone * hairs[..., None].clip(0.1)).astype(np.float32), share.astype(np.float32)


def _jittered(view: np.ndarray, rng: np.random.Generator, flip: bool) -> np.ndarray:
    """The network's part of a wide view, shifted, turned and scaled as a mesh may err."""
    angle, size = rng.normal(0, 0.05), np.exp(rng.normal(0, 0.06))
    c, s = np.cos(angle) / size, np.sin(angle) / size
    turn = np.array([[c, -s], [s, c]])
    if flip:
        turn = turn @ np.diag([-1, 1])
    middle = np.array([WIDE / 2, TALL / 2]) + rng.normal(0, 2.2, 2)
    out = (WIDTH, HEIGHT)
    shift = middle - turn @ (np.array(out) / 2) + 0.5 * turn @ [1, 1] - 0.5
    return cv2.warpAffine(
        view, np.concatenate([turn, shift[:, None]], 1), out,
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE,
    )  # fmt: skip


def _worn(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Blurred, noisy, compressed: (h, w, 3) 0..255."""
    if rng.random() < 0.4:
        picture = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.3, 1.8))
    noise = rng.standard_normal(picture.shape[:2])[..., None] * rng.choice([0, 0.01, 0.03])
    codes = np.rint((picture + noise).clip(0, 1) * 255).astype(np.uint8)
    if rng.random() < 0.5:
        quality = int(rng.integers(25, 95))
        _, coded = cv2.imencode(".jpg", codes, [cv2.IMWRITE_JPEG_QUALITY, quality])
        codes = cv2.imdecode(coded, cv2.IMREAD_COLOR)
    return codes.astype(np.float32)


def _skins(view: np.ndarray) -> list[np.ndarray]:
    """Patches (20, 20, 3) 0..1 of cheeks and chin that are even enough to be skin."""
    found = []
    for x, y in ((-28, -12), (28, -12), (-20, -22), (20, -22), (0, 22)):
        x0, y0 = WIDE // 2 + x - 10, TALL // 2 + y - 10
        patch = view[y0 : y0 + 20, x0 : x0 + 20].astype(np.float32) / 255
        if patch.std((0, 1)).max() < 0.09 and patch.mean() > 0.06:
            found.append(patch)
    return found


if __name__ == "__main__":
    count, part = int(sys.argv[1]), sys.argv[2]
    faces = Faces("--held-out" in sys.argv)
    rng = np.random.default_rng([ord(c) for c in part])
    made = [faces.lesson(rng) for _ in range(count)]
    LESSONS.mkdir(parents=True, exist_ok=True)
    np.savez(
        LESSONS / f"{part}.npz",
        pictures=np.stack([picture for picture, _ in made]),
        mattes=np.stack([matte for _, matte in made]),
    )
