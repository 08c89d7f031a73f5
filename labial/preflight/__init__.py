"""Room: preflight. What will work well and what will not, before anything is dubbed."""

from labial.preflight.finding import Finding, Preflight
from labial.preflight.looking import dub_advice, preflight

__all__ = ["Finding", "Preflight", "dub_advice", "preflight"]
