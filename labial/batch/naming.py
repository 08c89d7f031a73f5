"""How an output is called whose row does not say."""

from __future__ import annotations

from labial.jobs import KINDS, Job, extension_of


def usual_name(job: Job) -> str:
    """Return the name of what is worked on, with the extension of what is made of it."""
    source = job.inputs[KINDS[job.kind].inputs[0].role]
    stem = source.name.partition("%")[0].rstrip("._-") if "%" in source.name else source.stem
    mark = ".{lang}" if job.named("audio") and job.options.get("mux", "off") == "off" else ""
    return f"{stem or job.kind}{mark}{extension_of(job)}"
