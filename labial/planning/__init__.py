"""What a dub would do, worked out and checked before it begins."""

from labial.planning.check import Speak, plan, plan_file
from labial.planning.lines import Heard, Line, Plan
from labial.planning.whole import WholePlan, plan_whole
from labial.planning.writing import write_plan

__all__ = [
    "Heard",
    "Line",
    "Plan",
    "Speak",
    "WholePlan",
    "plan",
    "plan_file",
    "plan_whole",
    "write_plan",
]
