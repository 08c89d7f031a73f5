"""Room: jobs. Pieces of work as data, and how one is done in a process of its own."""

from labial.jobs.alone import hold_folder, wait_to_hold, when_parent_ends
from labial.jobs.apart import Limits, Runner, Stopped, error_of, run_apart
from labial.jobs.doing import LIVE, run
from labial.jobs.estimating import estimate
from labial.jobs.job import CONTAINERS, Job, Result
from labial.jobs.kinds import KINDS, Input, Kind, kind_of
from labial.jobs.naming import extension_of
from labial.jobs.strangers import expect_no_files, harmless, names_file
from labial.jobs.vetting import vet
from labial.types import FileRules, Vetted

__all__ = [
    "CONTAINERS",
    "KINDS",
    "LIVE",
    "FileRules",
    "Input",
    "Job",
    "Kind",
    "Limits",
    "Result",
    "Runner",
    "Stopped",
    "Vetted",
    "error_of",
    "estimate",
    "expect_no_files",
    "extension_of",
    "harmless",
    "hold_folder",
    "kind_of",
    "names_file",
    "run",
    "run_apart",
    "vet",
    "wait_to_hold",
    "when_parent_ends",
]
