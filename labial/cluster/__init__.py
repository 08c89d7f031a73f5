"""Room: cluster. Jobs on several machines, and one long film in parts, on Ray."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from labial.cluster.engine import runner_of

if TYPE_CHECKING:
    from labial.cluster.connection import Cluster, open_cluster

__all__ = ["Cluster", "open_cluster", "runner_of"]


def __getattr__(name: str) -> Any:
    """Import what needs Ray when it is first used: jobs of this machine alone do without."""
    if name not in __all__:
        raise AttributeError(f"module 'labial.cluster' has no attribute {name!r}")
    from labial.cluster import connection

    return getattr(connection, name)
