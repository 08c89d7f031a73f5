"""What a dub would do, worked out and checked before it begins."""

from labial.planning.aloud import Speak, Spoken, aloud
from labial.planning.lines import Heard, Line, Plan
from labial.planning.listening import Sound
from labial.planning.plans import plan, plan_file
from labial.planning.whole import WholePlan, plan_whole
from labial.planning.writing import write_plan

__all__ = [
    "Heard",
    "Line",
    "Plan",
    "Sound",
    "Speak",
    "Spoken",
    "WholePlan",
    "aloud",
    "plan",
    "plan_file",
    "plan_whole",
    "write_plan",
]
