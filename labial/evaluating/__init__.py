"""Room: evaluating. How good a finished dub is, of this project or of any other."""

from labial.evaluating.folders import Judgement, evaluate_folder
from labial.evaluating.judge import evaluate
from labial.evaluating.scores import MEASURES, Evaluation, Measure, Scores
from labial.evaluating.tables import facts, told, write_csv, write_json

__all__ = [
    "MEASURES",
    "Evaluation",
    "Judgement",
    "Measure",
    "Scores",
    "evaluate",
    "evaluate_folder",
    "facts",
    "told",
    "write_csv",
    "write_json",
]
