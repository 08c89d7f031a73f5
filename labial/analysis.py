"""The first pass over a video: who is in it, what their mouths look like, how the file is built."""

from __future__ import annotations

import os
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from labial import seen
from labial.audio.load import load_speech
from labial.errors import ReadError, SpeechError
from labial.face.track import FaceTracker
from labial.media.gops import Gops
from labial.media.order import Order
from labial.media.read import VideoReader
from labial.media.shots import Shots
from labial.motion.predict import predict
from labial.render.bank import BankCollector, Patch
from labial.types import FaceTrack, Filmed, Hook, MouthMotion, SpeechTrack


@dataclass(frozen=True)
class Analysis:
    """What the first pass found.

    Parameters
    ----------
    tracks
        By their first frames.
    patches
        Mouths for the bank.
    pts
        (n,) int64 presentation times of the frames in units of ``time_base``.
    time_base
        Seconds.
    length
        The video's length with its last frame, in seconds.
    skipped, resized
        Packets and frames left out as damaged or out of time; frames that had to be brought to the
        first one's size.
    deinterlaced
        Frames that held two fields.
    gops
        The file's groups of pictures.
    heard
        What the network heard in the video's own sound; None where there is nothing to hear.
    strangers
        Why people could not be known again after cuts; "" where they were, or need not be.
    filmed
        By the key of a track that shows frames in another order than the video: what it was before.
    order
        That order; None for the video's own.
    shots
        (m,) index of the frames with which shots begin, but for the first.
    """

    tracks: list[FaceTrack]
    patches: list[Patch]
    pts: npt.NDArray[np.int64]
    time_base: Fraction
    length: Fraction
    skipped: int = 0
    resized: int = 0
    deinterlaced: int = 0
    gops: Gops = field(default_factory=Gops.none)
    heard: SpeechTrack | None = None
    strangers: str = ""
    filmed: Mapping[int, Filmed] = field(default_factory=dict)
    order: Order | None = None
    shots: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))

    @cached_property
    def times(self) -> npt.NDArray[np.float64]:
        """(n,) seconds of the frames from the first."""
        return np.asarray((self.pts - self.pts[0]) * float(self.time_base), np.float64)

    def exact_times(self, first: int, end: int) -> list[Fraction]:
        """Presentation times of some frames in seconds."""
        return [pts * self.time_base for pts in self.pts[first:end].tolist()]


def analyse(
    video: str | os.PathLike[str], tell: Hook, content: str = "", threads: int = 0
) -> Analysis:
    """Look at a video, or recall what was seen of it.

    Parameters
    ----------
    video
        The file.
    tell
        Called as ``tell("analyse", frames, total)``.
    content
        The file's :func:`labial.seen.digest`; "" looks anew, and keeps nothing.
    threads
        For decoding; 0 is as many as there are cores.

    Raises
    ------
    ReadError, WeightsError
    """
    store = seen.Store(content) if content else None
    known = store.load() if store is not None else None
    if known is not None:
        analysis = _recalled(*known)
        tell("analyse", len(analysis.pts), len(analysis.pts))
        return analysis
    analysis = _looked(video, tell, threads)
    if store is not None and not analysis.strangers:
        store.save(*_kept(analysis))
    return analysis


def own_speech(video: str | os.PathLike[str]) -> SpeechTrack | None:
    """Listen to the source's own sound; None where it has none that can be heard."""
    try:
        return predict(load_speech(video))
    except (SpeechError, ReadError):
        return None


def _looked(video: str | os.PathLike[str], tell: Hook, threads: int) -> Analysis:
    bank, shots = BankCollector(), Shots()
    pts: list[int] = []
    begun: list[int] = []
    length = Fraction(0)
    with (
        VideoReader(video, threads) as reader,
        closing(FaceTracker()) as tracker,
        ThreadPoolExecutor(1) as aside,
    ):
        info = reader.info
        total = info.n_frames or None
        filed: Future[None] | None = None
        for frame, cut in shots.marked(reader.frames()):
            faces = tracker.observe(frame, cut)
            shown = {key: face for key, face in faces.items() if not tracker.is_covered(key)}
            if filed is not None:
                filed.result()
            filed = aside.submit(bank.offer, frame, shown)
            if cut:
                begun.append(len(pts))
            pts.append(frame.pts)
            lasts = frame.duration * frame.time_base or 1 / info.rate
            length = (frame.pts - pts[0]) * frame.time_base + lasts
            tell("analyse", len(pts), total)
        if filed is not None:
            filed.result()
        dissolves = shots.dissolves()
        tracks = tracker.finish(dissolves)
        mixed = {index for d in dissolves for index in range(d.start, d.stop)}
        patches = [patch for patch in bank.finish() if patch.index not in mixed]
        times = np.array(pts, np.int64)
        return Analysis(
            tracks, patches, times, info.time_base, length, reader.skipped, reader.resized,
            reader.deinterlaced, reader.gops(times), own_speech(video), tracker.strangers,
            shots=np.array(begun, np.int64),
        )  # fmt: skip


def _kept(analysis: Analysis) -> tuple[seen.Parts, dict[str, Any]]:
    tracks, about_tracks = seen.packed(analysis.tracks, "track")
    patches, about_patches = seen.packed(analysis.patches, "patch")
    gops, about_gops = seen.packed([analysis.gops], "gops")
    parts = tracks | patches | gops | {"pts": [analysis.pts], "shots": [analysis.shots]}
    facts: dict[str, Any] = {
        "tracks": about_tracks,
        "patches": about_patches,
        "gops": about_gops,
        "time_base": str(analysis.time_base),
        "length": str(analysis.length),
        "skipped": analysis.skipped,
        "resized": analysis.resized,
        "deinterlaced": analysis.deinterlaced,
    }
    if analysis.heard is not None:
        parts["motion"] = [analysis.heard.motion.coefficients]
        parts["phones"] = [analysis.heard.phones]
        facts["rate"] = analysis.heard.motion.rate
    return parts, facts


def _recalled(arrays: seen.Arrays, facts: dict[str, Any]) -> Analysis:
    heard = None
    if "rate" in facts:
        motion = MouthMotion(np.array(arrays["motion"]), facts["rate"])
        heard = SpeechTrack(motion, np.array(arrays["phones"]))
    (gops,) = seen.unpacked(Gops, "gops", arrays, facts["gops"])
    return Analysis(
        seen.unpacked(FaceTrack, "track", arrays, facts["tracks"]),
        seen.unpacked(Patch, "patch", arrays, facts["patches"]),
        np.array(arrays["pts"]),
        Fraction(facts["time_base"]),
        Fraction(facts["length"]),
        facts["skipped"],
        facts["resized"],
        facts["deinterlaced"],
        gops,
        heard,
        shots=np.array(arrays["shots"]),
    )
