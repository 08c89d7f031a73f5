"""Every fault of the lists ends as it must: done or refused, with nothing lost or left behind."""

from pathlib import Path

import pytest
from faults.case import Case
from faults.kills import interrupts, kills
from faults.lists import GROUPS
from faults.runs import run
from synth import need_face_model

CASES = [(group, case) for group, cases in GROUPS.items() for case in cases() if not case.slow]


def name(value: object) -> str:
    text = value.name if isinstance(value, Case) else str(value)
    return text.encode("ascii", "replace").decode()[:40]


@pytest.fixture(scope="module", autouse=True)
def model() -> None:
    need_face_model()


@pytest.mark.parametrize(("group", "case"), CASES, ids=name)
def test_fault(group: str, case: Case, tmp_path: Path) -> None:
    assert run(case, tmp_path).wrong == []


def test_killed_runs_go_on_to_the_undisturbed_result(tmp_path: Path) -> None:
    ended = [*kills(tmp_path, 3, [".mkv"])]
    assert [kill.wrong for kill in ended] == [[]] * 3
    assert any(kill.resumed for kill in ended)


def test_interrupted_runs_leave_nothing(tmp_path: Path) -> None:
    assert [kill.wrong for kill in interrupts(tmp_path, 3)] == [[]] * 3


def test_the_list_is_long_and_names_each_case_once() -> None:
    assert len(CASES) >= 60
    names = [(group, case.name) for group, case in CASES]
    assert len(set(names)) == len(names)
    assert {case.outcome for _, case in CASES} == {"done", "refused", "either"}
