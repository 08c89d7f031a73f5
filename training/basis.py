"""Build labial/motion/mouth_basis.npz from tracked clips.

python -m training.basis
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from labial import geometry
from labial.motion.space import MOUTH_POINTS
from training.corpus import Clip, clips

K = 12
DEPTH_WEIGHT = 0.5
LIPS = {
    *geometry.INNER_UPPER, *geometry.INNER_LOWER, *geometry.OUTER_UPPER, *geometry.OUTER_LOWER,
}  # fmt: skip
ROWS_PER_SPEAKER = 600


def mirror_map() -> np.ndarray:
    """(478,) index of each vertex's mirror image; irises are swapped as wholes."""
    vertices, _ = geometry.canonical_mesh()
    flipped = vertices * (-1, 1, 1)
    nearest = np.linalg.norm(vertices[:, None] - flipped[None], axis=-1).argmin(0)
    assert (nearest[nearest] == np.arange(len(nearest))).all()
    return np.concatenate([nearest, np.arange(473, 478), np.arange(468, 473)])


def symmetric(displacement: np.ndarray) -> np.ndarray:
    """Mean of (n, 478, 3) displacement and its mirror image."""
    return (displacement + displacement[:, mirror_map()] * (-1, 1, 1)) / 2


def falloff() -> np.ndarray:
    """(478,) 0 from the nose tip up, 1 from the philtrum down, smooth between; lips are 1."""
    vertices, _ = geometry.canonical_mesh()
    top, bottom = vertices[4, 1], vertices[164, 1]
    x = np.clip((vertices[:, 1] - top) / (bottom - top), 0, 1)
    weight = np.concatenate([x * x * (3 - 2 * x), np.zeros(10)])
    weight[list(LIPS)] = 1
    return weight


def balanced(clips: list[Clip]) -> np.ndarray:
    """Displacements (n, 478, 3), about as many from every speaker."""
    rng = np.random.default_rng(0)
    speakers: dict[str, list[np.ndarray]] = {}
    for clip in clips:
        speakers.setdefault(clip.speaker, []).append(clip.displacement[clip.frontal])
    rows = []
    for name, parts in sorted(speakers.items()):
        every = np.concatenate(parts)
        pick = rng.permutation(len(every))[:ROWS_PER_SPEAKER]
        print(f"{name:50s} {len(every):6d} frames, {len(pick)} used")
        rows.append(every[pick])
    return np.concatenate(rows)


def build(clips: list[Clip]) -> tuple[np.ndarray, np.ndarray]:
    rows = balanced(clips)
    even = symmetric(rows)
    weight = np.array([1, 1, DEPTH_WEIGHT])
    mouth = (even[:, list(MOUTH_POINTS)] * weight).reshape(len(even), -1)
    lopsided = ((rows - even)[:, list(MOUTH_POINTS)] * weight).reshape(len(even), -1)
    energy, loss = (mouth**2).sum(), (lopsided**2).sum()
    print(f"lopsided share of the variance: {loss / (energy + loss):.3f}")
    # Around 0, not around the mean: 0 must stay the resting mouth.
    _, singular, vt = np.linalg.svd(mouth, full_matrices=False)
    share = singular**2 / (singular**2).sum()
    print("variance kept:", share.cumsum()[:K].round(4))
    scores = mouth @ vt[:K].T
    scores /= scores.std(0)
    opening = even[:, 14, 1] - even[:, 13, 1]
    scores[:, 0] *= np.sign(np.corrcoef(scores[:, 0], opening)[0, 1])
    flat, *_ = np.linalg.lstsq(scores, even.reshape(len(even), -1), rcond=None)
    components = flat.reshape(K, -1, 3) * falloff()[None, :, None]
    return symmetric(components).astype(np.float32), share[:K].astype(np.float32)


if __name__ == "__main__":
    found = clips(every_grid=20)
    components, variance = build([c for c in found if not c.held_out])
    target = Path(__file__).parents[1] / "labial" / "motion" / "mouth_basis.npz"
    np.savez_compressed(target, components=components, variance=variance)
    print("written", target, target.stat().st_size, "bytes")
