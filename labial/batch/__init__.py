"""Room: batch. Jobs of a list, done without a server, again and again until all are done."""

from labial.batch.manifest import Item, columns, read_manifest
from labial.batch.outcome import Outcome, told, write_outcomes
from labial.batch.running import run_batch

__all__ = [
    "Item",
    "Outcome",
    "columns",
    "read_manifest",
    "run_batch",
    "told",
    "write_outcomes",
]
