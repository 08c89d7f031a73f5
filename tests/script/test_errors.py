"""A list of problems is told at once."""

from labial.errors import LabialError, ScriptError


def test_all_problems_are_told_at_once() -> None:
    error = ScriptError("a.srt", ["line 3: ends before it starts", "line 9: no text"])
    assert isinstance(error, LabialError)
    assert str(error) == ("a.srt: 2 problems\n  line 3: ends before it starts\n  line 9: no text")


def test_one_problem_is_one_line() -> None:
    assert str(ScriptError("a.srt", ["line 3: no text"])) == "a.srt: line 3: no text"
