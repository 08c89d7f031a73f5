"""Room: cluster. Jobs on several machines, and one long film in parts, on Ray."""

from labial.cluster.connection import Cluster, open_cluster

__all__ = ["Cluster", "open_cluster"]
