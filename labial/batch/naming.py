"""How an output is called whose row does not say."""

from __future__ import annotations

from labial.jobs import CONTAINERS, KINDS, Job

_MADE_AS_SOURCE = ("dub", "fix")


def usual_name(job: Job) -> str:
    """Return the name of what is worked on, with the extension of what is made of it."""
    source = job.inputs[KINDS[job.kind].inputs[0].role]
    stem = source.name.partition("%")[0].rstrip("._-") if "%" in source.name else source.stem
    many = any(role.startswith("audio.") for role in job.inputs)
    mark = ".{lang}" if many and job.options.get("mux", "off") == "off" else ""
    return f"{stem or job.kind}{mark}.{_extension(job, source.suffix.lower().removeprefix('.'))}"


def _extension(job: Job, own: str) -> str:
    if job.kind in _MADE_AS_SOURCE:
        return job.container or (own if own in CONTAINERS else "mp4")
    if job.kind == "animate":
        return job.container or "mp4"
    if job.kind == "visemes":
        from labial.exports.formats import FORMATS

        asked = job.options.get("format") or "json"
        tail = next((f.extension for f in FORMATS if f.name == asked and f.extension), "")
        return tail.removeprefix(".") or asked.rpartition("-")[2]
    return "json"
