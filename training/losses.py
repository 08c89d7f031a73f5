"""What a network from speech to the mouth is scored by while it learns."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from labial.motion.space import load_basis
from labial.speech.phones import BILABIAL, LABIODENTAL, OPEN, PHONE_INDEX, PHONES
from training.lessons import UNKNOWN

# Agreement of a second or so → the logarithm of a chance.
SYNC_SCALE = 30.0


class MotionLoss:
    """Motion and its velocity in real displacement, with care for opening and closing."""

    def __init__(self) -> None:
        basis = load_basis()
        size = np.sqrt((basis.components**2).sum((1, 2)))
        self.size = torch.tensor(size / size[0])
        unit = np.eye(len(basis), dtype=np.float32)
        opening, width = basis.aperture(unit), basis.width(unit)
        self.opening = torch.tensor(opening / np.linalg.norm(opening))
        self.width = torch.tensor(width / np.linalg.norm(width))

    def __call__(self, got: Tensor, want: Tensor, trust: Tensor) -> Tensor:
        """Mean over rows of (batch, rows, K), weighted by ``trust`` (batch, rows)."""
        error, speed = got - want, (got - want).diff(dim=1)
        both = trust[:, 1:] * trust[:, :-1]
        total = ((self.size * error**2).mean(-1) * trust).mean()
        total = total + 3 * ((self.size * speed**2).mean(-1) * both).mean()
        for axis, weight in ((self.opening, 0.3), (self.width, 0.15)):
            e, target = error @ axis, want @ axis
            # A closure that is missed is seen; a wide vowel that is a little wider is not.
            near_closed = 1 + 1.5 * torch.exp(-((target / 0.4) ** 2))
            total = total + weight * (near_closed * e**2 * trust).mean()
            total = total + 3 * weight * (speed @ axis).pow(2).mul(both).mean()
        return total


class Articulation:
    """What labelled speech asks of a mouth that nobody filmed."""

    def __init__(self) -> None:
        basis = load_basis()
        self.opening = torch.tensor(basis.aperture(np.eye(len(basis), dtype=np.float32)))
        self.kinds = {
            kind: torch.tensor([name in names for name in PHONES] + [False])
            for kind, names in (("closed", BILABIAL), ("teeth", LABIODENTAL), ("open", OPEN))
        }
        self.silence = PHONE_INDEX["sil"]

    def __call__(self, motion: Tensor, labels: Tensor) -> Tensor:
        """Mean over rows; labels (batch, rows), ``UNKNOWN`` where nothing is asked."""
        labels = torch.where(labels == UNKNOWN, len(PHONES), labels.long())
        known = (labels < len(PHONES)).float()
        gap = 10 * (motion @ self.opening)
        total = torch.zeros(())
        for kind, low, high, weight in (
            ("closed", -0.4, 0.0, 3.0),
            ("teeth", -0.2, 0.3, 1.0),
            ("open", 0.6, 9.0, 0.5),
        ):
            here = inner(self.kinds[kind][labels])
            miss = functional.relu(gap - high) ** 2 + functional.relu(low - gap) ** 2
            total = total + weight * (miss * here).sum() / known.sum().clamp(1)
        quiet = (labels == self.silence).float()
        # Only what has been silent for a while: the mouth opens before it speaks.
        deep = -functional.max_pool1d(-quiet[:, None], 17, 1, 8)[:, 0]
        return total + (motion.pow(2).mean(-1) * deep).sum() / known.sum().clamp(1)


class Agreement:
    """Whether an expert who hears the sound takes a mouth to be in time with it.

    The expert of ``sync.py`` may not know how far a mouth of nobody in particular opens; it knows
    when. Chung and Zisserman (2016), Prajwal et al. (2020).
    """

    LAGS = (-8, -4, 0, 4, 8)

    def __init__(self, expert: nn.Module) -> None:
        self.expert = expert.eval().requires_grad_(False)

    def __call__(self, motion: Tensor, features: Tensor, heard: Tensor) -> Tensor:
        """Mean over the windows of motion (batch, rows, K) and features (batch, rows, F).

        ``heard`` (batch, rows) 0/1 says where there is sound.
        """
        said, seen = self.expert(features, motion)
        heard = heard[:, self.expert.reach : self.expert.reach + seen.shape[1]]
        scores = SYNC_SCALE * lag_scores(said, seen, heard, self.LAGS)
        chance = scores.log_softmax(1)[:, self.LAGS.index(0)]
        return -(chance * (heard.mean(1) > 0.3)).mean()


def lag_scores(sound: Tensor, mouth: Tensor, trust: Tensor, lags: Sequence[int]) -> Tensor:
    """(batch, lags): how well the sound so many rows later fits the mouth, where it is trusted.

    ``lags`` ascend and reach as far to either side.
    """
    n, most = sound.shape[1], lags[-1]
    weight = trust[:, most : n - most]
    found = []
    for lag in lags:
        # The sound moves, so that every lag is judged by the same stretch of the mouth.
        dot = (sound[:, most + lag : n - most + lag] * mouth[:, most : n - most]).sum(-1)
        found.append((dot * weight).sum(1) / weight.sum(1).clamp(1))
    return torch.stack(found, 1)


def inner(mask: Tensor) -> Tensor:
    """Rows within a stretch of a (batch, rows) mask, its edges left out if it is long enough."""
    here = mask.float()[:, None]
    eroded = -functional.max_pool1d(-here, 3, 1, 1)
    # A stretch without an inner row keeps all of its rows.
    covered = functional.max_pool1d(eroded, 5, 1, 2)
    return (eroded + here * (1 - covered))[:, 0]


def phone_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Cross entropy over the rows whose phone is known."""
    flat = labels.long().flatten()
    known = flat != UNKNOWN
    if not known.any():
        return torch.zeros(())
    return functional.cross_entropy(logits.flatten(0, 1)[known], flat[known], label_smoothing=0.05)
