"""Phone segments to rows of posteriors: the way back of :mod:`labial.speech.segments`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from labial.speech.phones import PHONE_INDEX, PHONES
from labial.speech.segments import Phone
from labial.types import FloatArray


def phone_rows(segments: Sequence[Phone], n_rows: int, rate: int = 50) -> FloatArray:
    """Return which phone sounds at each row, as :attr:`labial.types.SpeechTrack.phones` has it.

    A row holds the shares of the phones in the time nearer to it than to any other row, so a border
    between two phones is as soft as one row is long.

    Parameters
    ----------
    segments
        In order; silence where they leave a gap, and before and after them.
    n_rows
        Rows wanted.
    rate
        Rows a second. Row i is the time ``i / rate``.

    Returns
    -------
    FloatArray
        (n_rows, P) float32 whose rows sum to 1.
    """
    rows = np.zeros((n_rows, len(PHONES)), np.float32)
    for phone in segments:
        # In rows, the k-th of which lasts from k to k + 1.
        start, stop = phone.onset * rate + 0.5, phone.release * rate + 0.5
        first, last = max(int(np.floor(start)), 0), min(int(np.ceil(stop)), n_rows)
        if first < last:
            at = np.arange(first, last)
            share = np.minimum(at + 1, stop) - np.maximum(at, start)
            rows[first:last, PHONE_INDEX[phone.name]] += share.clip(0, 1).astype(np.float32)
    said = rows.sum(1, keepdims=True)
    rows[:, :1] += (1 - said).clip(min=0)
    return np.asarray(rows / np.maximum(said, 1), np.float32)
