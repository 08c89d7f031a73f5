"""Room: jobs. Pieces of work as data, and how one is done in a process of its own."""

from labial.jobs.alone import hold_folder, wait_to_hold
from labial.jobs.apart import Limits, Runner, Stopped, run_apart
from labial.jobs.doing import LIVE, run
from labial.jobs.job import CONTAINERS, Job, Result
from labial.jobs.kinds import KINDS, Input, Kind, kind_of

__all__ = [
    "CONTAINERS",
    "KINDS",
    "LIVE",
    "Input",
    "Job",
    "Kind",
    "Limits",
    "Result",
    "Runner",
    "Stopped",
    "hold_folder",
    "kind_of",
    "run",
    "run_apart",
    "wait_to_hold",
]
