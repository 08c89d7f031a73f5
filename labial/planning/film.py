"""The video of a plan: how long it is, and, once it was looked at, who is in it when."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import numpy as np

from labial.analysis import Analysis
from labial.errors import FaceError, OptionError
from labial.face.timeline import overview
from labial.media.probe import VideoInfo
from labial.media.read import VideoReader, length_of
from labial.media.sequence import with_rate
from labial.options import DubOptions
from labial.speaking.boxes import read_boxes
from labial.speaking.cast import Cast, cast
from labial.speaking.turns import Turns, take_turns
from labial.types import BoolArray


@dataclass(frozen=True)
class Film:
    """A video.

    Parameters
    ----------
    path
        With its rate, where it is a sequence of pictures.
    info
        Its picture.
    length
        Seconds.
    analysis
        What was seen of it, or None.
    """

    path: Path
    info: VideoInfo
    length: Fraction
    analysis: Analysis | None = None
    _casts: dict[str, Cast | str] = field(default_factory=dict, repr=False)
    _turns: list[Turns] = field(default_factory=list, repr=False)

    @classmethod
    def of(
        cls,
        video: str | os.PathLike[str],
        options: DubOptions,
        look: Callable[[Path], Analysis] | None = None,
    ) -> Film:
        """Open a video and, where ``look`` is given, look at it.

        Raises
        ------
        ReadError, WeightsError
        """
        path = Path(video) if options.fps is None else with_rate(Path(video), options.fps)
        with VideoReader(path) as reader:
            info = reader.info
        analysis = look(path) if look is not None else None
        length = length_of(path) if analysis is None else analysis.length
        return cls(path, info, length, analysis)

    @property
    def fps(self) -> Fraction:
        """Frames a second, on average."""
        return self.info.rate

    def asked(self, speaker: str) -> Cast | str:
        """Return whom a speaker's name means, or what is wrong with it."""
        if speaker not in self._casts:
            self._casts[speaker] = self._found(speaker)
        return self._casts[speaker]

    def _found(self, speaker: str) -> Cast | str:
        assert self.analysis is not None
        tracks, times = self.analysis.tracks, self.analysis.times
        if not self._turns:
            self._turns.append(take_turns(tracks, times, self.analysis.heard))
        if self.analysis.strangers and speaker.isdigit():
            return self.analysis.strangers
        try:
            asked = read_boxes(Path(speaker)) if speaker.endswith(".json") else speaker
            return cast(asked, tracks, times, self._turns[0], self.info)
        except (FaceError, OptionError) as error:
            return str(error).removeprefix("--")

    def seen(self, speaker: str, start: Fraction, end: Fraction) -> dict[int, float]:
        """Return the people who are dubbed between two times, each with the share of it."""
        asked = self.asked(speaker)
        if isinstance(asked, str) or self.analysis is None:
            return {}
        times = self.analysis.times
        during: BoolArray = (times >= float(start)) & (times < float(end))
        if not during.any():
            return {}
        people: dict[int, float] = {}
        for track in asked.tracks:
            count = int((track.quality[during[track.rows]] > 0).sum())
            if count:
                share = count / int(during.sum())
                people[track.person] = people.get(track.person, 0.0) + share
        return dict(sorted(people.items()))

    def why_not(self, speaker: str, start: Fraction, end: Fraction) -> str:
        """Return why somebody is mostly not dubbed between two times, "" where they are."""
        asked = self.asked(speaker)
        if isinstance(asked, str) or self.analysis is None:
            return ""
        times = self.analysis.times
        quality, reasons = overview(asked.tracks, len(times))[1:]
        during = (times >= float(start)) & (times < float(end)) & (quality <= 0)
        why = Counter(map(str, reasons[during])).most_common(1)
        return why[0][0] if why else ""

    def together(self, one: str, other: str, start: Fraction, end: Fraction) -> int | None:
        """Return a person who would be dubbed by both speakers between two times, or None."""
        both = set(self.seen(one, start, end)) & set(self.seen(other, start, end))
        if not both or self.analysis is None:
            return None
        first, second = self.asked(one), self.asked(other)
        assert not isinstance(first, str) and not isinstance(second, str)
        times = self.analysis.times
        during = (times >= float(start)) & (times < float(end))
        for a, b in zip(first.tracks, second.tracks, strict=True):
            if np.any((a.quality > 0) & (b.quality > 0) & during[a.rows]):
                return a.person
        return None
