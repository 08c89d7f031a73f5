"""All that is known of a piece of speech, as the writers take it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from labial.speech.align import Word
from labial.speech.segments import Phone
from labial.speech.visemes import Viseme, visemes_of
from labial.types import FloatArray


@dataclass(frozen=True)
class Transcript:
    """What is said when, and how the mouth moves with it.

    Parameters
    ----------
    source
        The file that was heard.
    seconds
        Its length.
    phones
        In order, without gaps, from 0 to ``seconds``; silence is one of them.
    voice
        From when to when, in seconds, somebody speaks.
    aperture, width
        (n,) float32 at ``rate`` Hz: opening of the inner lips and width of the mouth beyond rest,
        in distances between the outer eye corners. Empty when the mouth's motion is not known.
    words
        In order, when the text was known; else None.
    """

    source: Path
    seconds: float
    phones: list[Phone]
    voice: list[tuple[float, float]]
    aperture: FloatArray
    width: FloatArray
    rate: int = 50
    words: list[Word] | None = None

    def __post_init__(self) -> None:
        if self.aperture.ndim != 1 or self.aperture.shape != self.width.shape:
            raise ValueError(f"aperture {self.aperture.shape}, width {self.width.shape}")

    def visemes(self, viseme_set: str) -> list[Viseme]:
        """Return the mouth shapes in one of :data:`labial.speech.visemes.VISEME_SETS`."""
        return visemes_of(self.phones, viseme_set)

    def frame_times(self, fps: float) -> npt.NDArray[np.float64]:
        """Return the times in seconds, float64, of pictures at ``fps`` from 0 to the end."""
        return np.arange(int(self.seconds * fps + 1e-6) + 1, dtype=np.float64) / fps

    def __repr__(self) -> str:
        return f"Transcript({self.source.name}, {self.seconds:.2f}s, {len(self.phones)} phones)"
