"""Judge one video, alone or against the real one and against the one it was made of."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

from labial.clip import Clip, look
from labial.evaluating.lse import lse
from labial.evaluating.pictures import Watch, picture_scores
from labial.evaluating.scores import Evaluation, Scores
from labial.evaluating.spoken import lip_scores, sound_scores
from labial.media.read import VideoReader
from labial.media.spool import enough_room
from labial.metrics.syncnet import SyncNet
from labial.options import EvalOptions, overridden
from labial.types import Hook


@enough_room()
def evaluate(
    out: str | os.PathLike[str],
    ref: str | os.PathLike[str] | None = None,
    source: str | os.PathLike[str] | None = None,
    options: EvalOptions | None = None,
    *,
    hook: Hook | None = None,
    **overrides: Any,
) -> Evaluation:
    """Measure how good a dub is, of this project or of any other.

    Parameters
    ----------
    out
        The video to judge, with its sound.
    ref
        The real video of the same words: its mouth is the right one.
    source
        The video that was dubbed, whatever it says: what is beside its mouth should have stayed.
        Default: ``ref``.
    options
        See :class:`labial.options.EvalOptions`; single ones may be given as keywords instead.
    hook
        Called as ``hook(stage, done, total)`` after each step; ``total`` may be None.

    Returns
    -------
    Evaluation
        What cannot be measured is None, with a note that says why.

    Raises
    ------
    ReadError, OptionError, WeightsError
        With one line that says what is wrong and what to do.
    """
    options = overridden(options or EvalOptions(), overrides)
    network = SyncNet(options.syncnet) if options.syncnet is not None else None
    return Judge(network, options.identity)(out, ref, source, hook)


class Judge:
    """Judges many videos, with one network that is loaded once.

    Parameters
    ----------
    network
        SyncNet, or None to leave LSE-C and LSE-D out.
    identity
        Whether to compare whose face it is.
    """

    def __init__(self, network: SyncNet | None = None, identity: bool = True) -> None:
        self._network, self._identity = network, identity

    def __call__(
        self,
        out: str | os.PathLike[str],
        ref: str | os.PathLike[str] | None,
        source: str | os.PathLike[str] | None,
        hook: Hook | None = None,
        watch: Watch | None = None,
    ) -> Evaluation:
        """Judge one video; see :func:`evaluate`.

        ``watch`` is told of single frames, see
        :func:`labial.evaluating.pictures.picture_scores`.
        """
        tell = hook or (lambda stage, done, total: None)
        for other in (ref, source):
            if other is not None:
                # What cannot be opened is told before the work.
                VideoReader(other).close()
        clip = look(out, tell)
        scores, heard, notes = self._alone(clip, tell)
        real, filmed = None, None
        if ref is not None:
            right = look(ref, tell)
            real, filmed = self._alone(right, tell)[0], right
            lips, more = lip_scores(clip, right)
            scores, notes = merged(scores, lips), (*notes, *more)
        if source is not None:
            filmed = look(source, tell)
            real = real or self._alone(filmed, tell)[0]
        if ref is not None and source is not None:
            # The right mouth is in the one, what should have stayed in the other.
            seen = picture_scores(clip, right, True, False, tell)[0]
            scores = scores.with_(psnr=seen.psnr, ssim=seen.ssim)
        if filmed is not None:
            seen, compared, more = picture_scores(
                clip, filmed, source is None, self._identity, tell, watch
            )
            scores, notes = merged(scores, seen), (*notes, *more)
            heard["frames compared"] = float(compared)
        left = Counter(str(reason) for reason in clip.reasons[clip.quality <= 0])
        return Evaluation(
            Path(out),
            None if ref is None else Path(ref),
            None if source is None else Path(source),
            len(clip.times),
            clip.seconds,
            dict(left),
            heard,
            scores,
            real,
            notes,
        )

    def _alone(self, clip: Clip, tell: Hook) -> tuple[Scores, dict[str, float], tuple[str, ...]]:
        """What a clip says without any other."""
        scores, heard, notes = sound_scores(clip)
        if self._network is not None:
            found, why = lse(self._network, clip, tell)
            if found is None:
                notes = (*notes, why)
            else:
                scores = scores.with_(lse_c=found.confidence, lse_d=found.distance)
        return scores, heard, notes


def merged(scores: Scores, more: Scores) -> Scores:
    """Return ``scores`` with all numbers that ``more`` has."""
    known = {name: value for name, value in asdict(more).items() if value is not None}
    return scores.with_(**known)
