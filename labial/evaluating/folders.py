"""Judge whole folders of dubs, of any system, against what is real and against another system."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from labial.errors import LabialError, OptionError, ReadError
from labial.evaluating.judge import Judge
from labial.evaluating.scores import MEASURES, Evaluation, Scores
from labial.media.spool import enough_room
from labial.media.write import EXTENSIONS
from labial.metrics.syncnet import SyncNet
from labial.options import EvalOptions, overridden
from labial.types import Hook

VIDEOS = {*EXTENSIONS, ".avi", ".mpg", ".mpeg", ".ts", ".m2ts", ".mts", ".wmv", ".flv", ".3gp",
          ".mxf", ".ogv", ".gif", ".y4m"}  # fmt: skip
"""Extensions of files that are taken for videos in a folder."""


@dataclass(frozen=True)
class Trio:
    """A video to judge, with the real one, the one it was made of, and another system's, if any."""

    name: str
    out: Path
    ref: Path | None
    source: Path | None
    baseline: Path | None


@dataclass(frozen=True)
class Means:
    """Of one number over several videos: its mean, its standard deviation, and how many have it.

    What was counted in a video, such as closures, weighs by how many of them it had.
    """

    mean: float
    spread: float
    count: int


@dataclass(frozen=True)
class Comparison:
    """Of one number, over the videos of which both systems have it.

    Parameters
    ----------
    difference
        Mean of ours less theirs.
    better, worse
        Videos on which ours is clearly better, and clearly worse.
    count
        Videos.
    """

    difference: float
    better: int
    worse: int
    count: int


@dataclass(frozen=True)
class Judgement:
    """What was found of a folder.

    Parameters
    ----------
    evaluations
        By name.
    baseline
        The same of the other system.
    problems
        What could not be judged and why, a line each, and files that lack their partner.
    """

    evaluations: Mapping[str, Evaluation]
    baseline: Mapping[str, Evaluation]
    problems: tuple[str, ...]

    def means(self) -> dict[str, Means]:
        """Return the means of all numbers that some video has."""
        return _means([(each.scores, each) for each in self.evaluations.values()])

    def real_means(self) -> dict[str, Means]:
        """Return the means of the real videos."""
        return _means(
            [(each.real, each) for each in self.evaluations.values() if each.real is not None]
        )

    def baseline_means(self) -> dict[str, Means]:
        """Return the means of the other system."""
        return _means([(each.scores, each) for each in self.baseline.values()])

    def comparisons(self) -> dict[str, Comparison]:
        """Compare with the other system on the videos that both have."""
        found = {}
        both = [name for name in self.evaluations if name in self.baseline]
        for measure in MEASURES:
            apart, changes = [], []
            for name in both:
                mine, theirs = self.evaluations[name], self.baseline[name]
                a, b = mine.scores[measure.name], theirs.scores[measure.name]
                if a is None or b is None:
                    continue
                real = None if mine.real is None else mine.real[measure.name]
                apart.append(a - b)
                changes.append(measure.change(a, b, real))
            if apart:
                better, worse = (sum(c == way for c in changes) for way in (1, -1))
                found[measure.name] = Comparison(float(np.mean(apart)), better, worse, len(apart))
        return found


def evaluate_folder(
    out: str | os.PathLike[str],
    ref: str | os.PathLike[str] | None = None,
    source: str | os.PathLike[str] | None = None,
    baseline: str | os.PathLike[str] | None = None,
    options: EvalOptions | None = None,
    *,
    hook: Hook | None = None,
    **overrides: Any,
) -> Judgement:
    """Judge all videos of a folder; or one video, where ``out`` is one.

    Parameters
    ----------
    out, ref, source, baseline
        Folders whose files belong together by their names without the extension, or files: what is
        judged, the real videos of the same words, the videos that were dubbed, and what another
        system made. A single file may stand for all of a folder's partners.
    options
        See :class:`labial.options.EvalOptions`; single ones may be given as keywords instead.
    hook
        Called as ``hook(stage, done, total)``; the stages of each video, and ``"judge"`` after it.

    Returns
    -------
    Judgement
        A file that cannot be read, or lacks its partner, is listed among the problems, and the
        others go on.

    Raises
    ------
    ReadError
        A folder is missing, or there is not one video that can be judged.
    OptionError
        The weights of SyncNet cannot be used.
    """
    options = overridden(options or EvalOptions(), overrides)
    trios, problems = match(out, ref, source, baseline)
    network = SyncNet(options.syncnet) if options.syncnet is not None else None
    with_ = Judge(network, options.identity)
    tell = hook or (lambda stage, done, total: None)
    found: dict[str, Evaluation] = {}
    other: dict[str, Evaluation] = {}
    total = len(trios) + sum(trio.baseline is not None for trio in trios)
    done = 0
    for trio in trios:
        for path, into in ((trio.out, found), (trio.baseline, other)):
            if path is None:
                continue
            try:
                into[trio.name] = _one(with_, path, trio, hook if total == 1 else None)
            except LabialError as error:
                problems.append(str(error))
            done += 1
            tell("judge", done, total)
    if not found:
        raise ReadError(f"nothing to judge in {out}: {_short(problems)}")
    return Judgement(found, other, tuple(problems))


@enough_room()
def _one(judge: Judge, path: Path, trio: Trio, hook: Hook | None) -> Evaluation:
    return judge(path, trio.ref, trio.source, hook)


def match(
    out: str | os.PathLike[str],
    ref: str | os.PathLike[str] | None = None,
    source: str | os.PathLike[str] | None = None,
    baseline: str | os.PathLike[str] | None = None,
) -> tuple[list[Trio], list[str]]:
    """Bring files together by their names without the extension.

    Returns
    -------
    What can be judged, in order of names, and what is missing, a line each.

    Raises
    ------
    ReadError
        One of the folders is missing or holds no video.
    """
    mine, problems = _videos(out)
    single = not Path(out).is_dir()
    partners: dict[str, dict[str, Path]] = {}
    for word, where in (("--ref", ref), ("--source", source), ("--baseline", baseline)):
        if where is None:
            continue
        theirs, more = _videos(where)
        problems += more
        if not Path(where).is_dir():
            if word == "--baseline" and not single:
                raise OptionError(f"--baseline {where}: give a folder, as for what is judged")
            (only,) = theirs.values()
            theirs = dict.fromkeys(mine, only)
        elif single and not set(mine) & set(theirs):
            raise ReadError(f"{word} {where}: there is no video named {next(iter(mine))} in it")
        problems += [
            f"{path}: there is no such name in {where}"
            for name, path in mine.items()
            if name not in theirs
        ]
        problems += [
            f"{path}: {out} has no such name" for name, path in theirs.items() if name not in mine
        ]
        partners[word] = theirs
    trios = []
    for name, path in mine.items():
        found = {word: theirs.get(name) for word, theirs in partners.items()}
        # Without its real one a video cannot be held against it; without a baseline it can.
        if any(found[word] is None for word in found if word != "--baseline"):
            continue
        trios.append(
            Trio(name, path, found.get("--ref"), found.get("--source"), found.get("--baseline"))
        )
    if not trios:
        raise ReadError(f"nothing to judge: {_short(problems)}")
    return trios, problems


def _videos(where: str | os.PathLike[str]) -> tuple[dict[str, Path], list[str]]:
    """The videos of a folder by their names, or one file; names that are there twice."""
    path = Path(where)
    if not path.exists():
        raise ReadError(f"cannot read {path}: there is no such file or folder")
    if not path.is_dir():
        return {path.stem: path}, []
    try:
        files = sorted(path.iterdir())
    except OSError as error:
        raise ReadError(f"cannot read {path}: {error.strerror}") from error
    found: dict[str, Path] = {}
    twice = []
    for file in files:
        if file.name.startswith(".") or file.suffix.lower() not in VIDEOS or not file.is_file():
            continue
        if file.stem in found:
            twice.append(f"{file}: {found[file.stem].name} has the same name, and was taken")
        else:
            found[file.stem] = file
    if not found:
        raise ReadError(f"no videos in {path}: files end in {', '.join(sorted(VIDEOS))}")
    return found, twice


def _short(problems: Sequence[str]) -> str:
    return problems[0] + (f" (and {len(problems) - 1} more)" if len(problems) > 1 else "")


def _means(scores: Sequence[tuple[Scores, Evaluation]]) -> dict[str, Means]:
    found = {}
    for measure in MEASURES:
        values, weights = [], []
        for each, video in scores:
            value = each[measure.name]
            weight = video.heard.get(measure.amount, 0.0) if measure.amount else 1.0
            if value is not None and weight > 0:
                values.append(value)
                weights.append(weight)
        if values:
            mean = float(np.average(values, weights=weights))
            spread = float(np.average((np.array(values) - mean) ** 2, weights=weights)) ** 0.5
            found[measure.name] = Means(mean, spread, len(values))
    return found
