"""Is it still the same person? Arrays → numbers."""

from __future__ import annotations

import numpy as np

from labial.types import FloatArray


def likeness(looks: FloatArray, reference: FloatArray) -> float:
    """How much looks at a face are like the reference's, -1..1; more is better.

    Parameters
    ----------
    looks
        (n, 128) of unit length, as :class:`labial.face.album.Recognizer` sees the output.
    reference
        (m, 128) the same of the person as filmed.

    Returns
    -------
    Mean cosine between each look and the mean of the reference.

    Notes
    -----
    Zhong et al., "SFace: sigmoid-constrained hypersphere loss for robust face recognition", IEEE
    TIP 2021. The cosine similarity of ArcFace embeddings ("CSIM") that papers report is the same
    measure by another network; the numbers do not compare.
    """
    if not len(looks) or not len(reference):
        raise ValueError(f"{len(looks)} looks against {len(reference)}")
    mean = reference.mean(0)
    mean = mean / max(float(np.linalg.norm(mean)), 1e-9)
    return float((looks @ mean).mean())
