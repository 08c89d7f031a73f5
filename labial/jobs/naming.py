"""How what a job makes is called."""

from __future__ import annotations

from labial.jobs.job import CONTAINERS, Job

_MADE_AS_SOURCE = ("dub", "fix")


def extension_of(job: Job) -> str:
    """Return the extension of a job's output, with its dot."""
    if job.kind in _MADE_AS_SOURCE:
        own = job.inputs["video"].suffix.lower().removeprefix(".")
        return f".{job.container or (own if own in CONTAINERS else 'mp4')}"
    if job.kind == "animate":
        return f".{job.container or 'mp4'}"
    if job.kind == "visemes":
        from labial.exports.formats import FORMATS

        asked = job.options.get("format") or "json"
        own = next((f.extension for f in FORMATS if f.name == asked and f.extension), "")
        return own or f".{asked.rpartition('-')[2]}"
    return ".json"
