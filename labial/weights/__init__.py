"""Model weights and sample media: what they are, and how they reach the user's cache folder."""

from labial.weights.fetch import bring, folder, member, path, state
from labial.weights.registry import SAMPLES, WEIGHTS, Package, Url, Weight, lookup

__all__ = [
    "SAMPLES",
    "WEIGHTS",
    "Package",
    "Url",
    "Weight",
    "bring",
    "folder",
    "lookup",
    "member",
    "path",
    "state",
]
