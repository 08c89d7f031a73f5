"""Where jobs are done: on this machine, or on a cluster."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from labial.jobs import Runner, run_apart
from labial.options import ServeEngine


@contextmanager
def runner_of(engine: ServeEngine, address: str | None = None) -> Iterator[Runner]:
    """Give what does jobs.

    Parameters
    ----------
    engine
        ``local``: processes of this machine. ``ray``: a cluster.
    address
        Of the cluster; None starts one, for as long as the context lasts.

    Raises
    ------
    OptionError
        As :func:`labial.cluster.open_cluster`.
    """
    if engine == "local":
        yield run_apart
        return
    from labial.cluster.connection import open_cluster

    with open_cluster(address) as cluster:
        yield cluster.run
