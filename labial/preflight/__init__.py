"""Room: preflight. What will work well and what will not, before anything is dubbed."""

from labial.preflight.finding import Finding, Preflight
from labial.preflight.looking import Examined, dub_advice, examine, preflight

__all__ = ["Examined", "Finding", "Preflight", "dub_advice", "examine", "preflight"]
