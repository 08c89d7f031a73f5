"""A job on the cluster: one task, or a long dub divided, made in parts and joined."""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import ray

from labial.cluster.home import Home, Visit, call, first_line
from labial.cluster.task import Errand, TryAgain, out_base, work
from labial.errors import JobError
from labial.jobs import Job, Limits, Result, Stopped, error_of, names_file, run_apart
from labial.media.place import check_file
from labial.media.sequence import find_sequence
from labial.types import Hook

_TICK_SECONDS = 0.25
_TRIES = 4
_AS_A_WHOLE = 2
"""Processors of a task that is not a part, where nobody says how many."""
_SHORT = 3
"""A dub of no more pieces is not worth dividing."""
_TASKS_EACH = 2
"""Tasks for each processor: some are done sooner than others."""
_SAME_EVERY_TIME = ("espeak", "kokoro")
"""Voices that say a text with the same samples every time."""


def run(
    home: Home,
    job: Job,
    folder: Path,
    limits: Limits,
    hook: Hook | None,
    stop: Callable[[], bool] | None,
) -> Result:
    """Do a job; see :meth:`labial.cluster.Cluster.run`."""
    folder = folder.absolute()
    inputs = {role: path.absolute() for role, path in job.inputs.items()}
    job = replace(job, inputs=inputs, out=None if job.out is None else job.out.absolute())
    languages = list(job.named("audio"))
    if languages and job.options.get("mux", "off") == "off":
        each = {
            language: run(home, alone(job, language), _inside(folder, language), limits, hook, stop)
            for language in languages
        }
        return _together(each)
    if job.out is not None:
        check_file(job.out)
    names, files = _named(inputs)
    out = folder if job.out is None else out_base(job.out)
    with home.visit(files, folder, out) as visit:
        watch = _Watch(visit, limits, hook, stop, home if bound(job, limits) else None)
        errand = Errand(0, job, folder, limits, names)
        if not _divisible(job) or not watch.processors:
            return watch.whole(errand)
        # Of one picture with several languages the first one's mouth is seen.
        parted = alone(job, languages[0]) if languages else job
        names = names | ({"audio": names[f"audio.{languages[0]}"]} if languages else {})
        return _divided(replace(errand, job=parted, names=names), watch, errand)


def bound(job: Job, limits: Limits) -> bool:
    """Whether a job may name files that are none of its inputs, and so is done where they are."""
    if limits.strangers:
        return False
    words = [
        str(each)
        for name, value in job.options.items()
        if name != "text"
        for each in (value if isinstance(value, (list, tuple)) else [value])
    ]
    return "segments" in job.inputs or any(names_file(word) for word in words)


def alone(job: Job, language: str) -> Job:
    """Return the dub into one of a job's languages."""
    inputs = {role: path for role, path in job.inputs.items() if not role.startswith("audio.")}
    options = {name: value for name, value in job.options.items() if name != "mux"}
    out = None if job.out is None else Path(str(job.out).replace("{lang}", language))
    return replace(
        job, inputs=inputs | {"audio": job.inputs[f"audio.{language}"]},
        options=options | {"language": language}, out=out,
    )  # fmt: skip


def _inside(folder: Path, language: str) -> Path:
    place = folder / language
    place.mkdir(exist_ok=True)
    return place


def _together(each: Mapping[str, Result]) -> Result:
    """What came of the dubs into several languages, as one job has it."""
    files = {
        f"{what}.{language}": path if Path(path).is_absolute() else f"{language}/{path}"
        for language, result in each.items()
        for what, path in result.files.items()
    }
    facts = {language: result.facts["output"] for language, result in each.items()}
    return Result(files, "\n".join(result.summary for result in each.values()), facts)


def _named(inputs: Mapping[str, Path]) -> tuple[dict[str, str], dict[str, Path]]:
    """How tasks know the inputs, by role, and the files that they consist of, by name."""
    names, files = {}, {}
    for role, path in inputs.items():
        pictures = None if path.is_file() else find_sequence(path)
        base = path.parent if pictures is None else pictures.folder.parent
        names[role] = f"{role}/{path.relative_to(base).as_posix()}"
        for part in [path] if pictures is None else pictures.files():
            if part.is_file():
                files[f"{role}/{part.relative_to(base).as_posix()}"] = part
    return names, files


def _divisible(job: Job) -> bool:
    """Whether parts of it, made elsewhere, are those that it would make itself."""
    if job.kind != "dub" or job.parted or job.options.get("mux") == "source":
        return False
    if job.options.get("mux") == "first" and job.options.get("loudness") is not None:
        # How loud the first is made may depend on the others' length.
        return False
    if job.options.get("quality") == "pro" or job.options.get("hardware", "off") != "off":
        return False
    voice = str(job.options.get("voice", _SAME_EVERY_TIME[0])).partition(":")[0]
    return voice in _SAME_EVERY_TIME


def _divided(errand: Errand, watch: _Watch, whole: Errand) -> Result:
    """Look at a video, say what is to be made, make it in parts, and join them to the whole."""
    job, folder = errand.job, errand.folder
    least = _SHORT if job is whole.job else 0
    found = watch.whole(replace(errand, job=replace(job, divide=least)))
    if found.files:
        return found if job is whole.job else watch.here(whole)
    plan = found.facts
    place = _place_of(str(plan["folder"]), errand)
    lengths = {
        number: part["end"] - part["first"]
        for number, part in enumerate(plan["parts"])
        if not part["copied"]
    }
    names = {f"{place}/{number:06d}.piece": number for number in lengths}
    missing = [names[name] for name in watch.missing(list(names))]
    errands = [
        replace(
            errand,
            number=k,
            job=replace(job, pieces=tuple(numbers), key=str(plan["key"])),
            content=str(plan["content"]),
            place=place,
            limits=replace(errand.limits, threads=1),
        )
        for k, numbers in enumerate(shares(missing, lengths, _TASKS_EACH * watch.processors), 1)
    ]
    try:
        watch.parts(errands, sum(lengths[number] for number in missing))
    finally:
        shutil.rmtree(folder / ".tasks", ignore_errors=True)
    return watch.here(whole)


def _place_of(pieces: str, errand: Errand) -> str:
    """Where pieces go, relative to the folder of the job or to ``out``."""
    if errand.job.out is None:
        return pieces
    return f"out/{Path(pieces).name}"


def shares(numbers: Sequence[int], lengths: Mapping[int, int], count: int) -> list[list[int]]:
    """Divide pieces into shares of about as many frames, each of pieces in a row."""
    total = sum(lengths[number] for number in numbers)
    found: list[list[int]] = [[] for _ in range(max(1, min(count, len(numbers))))]
    before = 0
    for number in numbers:
        middle = before + lengths[number] / 2
        found[min(int(middle * len(found) / total), len(found) - 1)].append(number)
        before += lengths[number]
    return [share for share in found if share]


class _Watch:
    """Tasks of one job, waited for: how far they are, whether they are still wanted."""

    def __init__(
        self,
        visit: Visit,
        limits: Limits,
        hook: Hook | None,
        stop: Callable[[], bool] | None,
        only: Home | None,
    ) -> None:
        self._visit, self._limits = visit, limits
        self._where = "DEFAULT" if only is None else only.here
        nodes: list[dict[str, Any]] = ray.nodes()  # type: ignore[no-untyped-call]
        self._cpus = [
            int(node["Resources"].get("CPU", 0))
            for node in nodes
            if node["Alive"] and (only is None or node["NodeID"] == only.node)
        ]
        self._hook: Hook = hook or (lambda stage, done, total: None)
        self._stop = stop
        self._began: float | None = None

    @property
    def processors(self) -> int:
        """How many there are for it."""
        return sum(self._cpus)

    def whole(self, errand: Errand) -> Result:
        """Do something as one task."""
        wanted = self._limits.threads or _AS_A_WHOLE
        # A machine that only leads others has none, and yet has the files.
        cpus = min(wanted, max(self._cpus, default=0))
        mine = replace(errand, limits=replace(errand.limits, threads=max(cpus, 1)))
        (result,) = self._done([mine], cpus, self._heard)
        return result

    def parts(self, errands: Sequence[Errand], total: int) -> None:
        """Make the parts of a dub that has so many frames to be made."""
        if not errands:
            return
        self._frames, self._total = 0, total
        self._done(errands, 1, self._heard_of_parts)
        self._hook("render", total, total)

    def here(self, errand: Errand) -> Result:
        """Join what was made."""

        def hook(stage: str, done: int, total: int | None) -> None:
            # The first pass was told of before.
            if stage not in ("analyse", "listen"):
                self._hook(stage, done, total)

        limits = self._limits
        if limits.seconds is not None and self._began is not None:
            left = limits.seconds - (time.monotonic() - self._began)
            limits = replace(limits, seconds=max(left, 1.0))
        return run_apart(errand.job, errand.folder, limits, hook, self._stop)

    def missing(self, names: Sequence[str]) -> list[str]:
        """Which of some files are not yet there."""
        found: list[str] = call(self._visit.depot.missing, self._visit.name, names)
        return found

    def _done(
        self, errands: Sequence[Errand], cpus: int, heard: Callable[[dict[int, Any]], None]
    ) -> list[Result]:
        task = ray.remote(work).options(
            num_cpus=cpus,
            max_retries=_TRIES - 1,
            retry_exceptions=[TryAgain],
            scheduling_strategy=self._where,
        )
        refs = [task.remote(errand, self._visit) for errand in errands]
        results: dict[Any, Result] = {}
        waiting = list(refs)
        try:
            while waiting:
                ready, waiting = ray.wait(
                    waiting, num_returns=len(waiting), timeout=_TICK_SECONDS, fetch_local=False
                )
                for ref in ready:
                    results[ref] = _result(ref)
                heard(call(self._visit.depot.heard, self._visit.name))
                self._expect_time()
        finally:
            for ref in waiting:
                with contextlib.suppress(ray.exceptions.RayError):
                    ray.cancel(ref, force=True)
        return [results[ref] for ref in refs]

    def _expect_time(self) -> None:
        if self._stop is not None and self._stop():
            raise Stopped
        limit, began = self._limits.seconds, self._began
        if began is not None and limit is not None and time.monotonic() - began > limit:
            raise JobError(f"took longer than {limit:g} s, and was stopped", again=True)

    def _heard(self, steps: dict[int, Any]) -> None:
        step = steps.get(0)
        if step is None:
            return
        self._began = self._began or time.monotonic()
        if step.stage != "begin":
            self._hook(step.stage, step.done, step.total)

    def _heard_of_parts(self, steps: dict[int, Any]) -> None:
        done = sum(step.done for k, step in steps.items() if k and step.stage == "render")
        # A task that was lost begins again.
        self._frames = max(self._frames, min(done, self._total))
        self._hook("render", self._frames, self._total)


def _result(ref: Any) -> Result:
    try:
        told = ray.get(ref)
    except ray.exceptions.RayTaskError as error:
        if isinstance(error.cause, TryAgain):
            raise JobError(str(error.cause), again=True) from None
        raise
    except ray.exceptions.RayError as error:
        lost = f"its task was lost {_TRIES} times: {first_line(error)}"
        raise JobError(lost, again=True) from None
    if "error" in told:
        raise error_of(told["error"], told["message"], told["again"])
    return Result.from_json(told["result"])
