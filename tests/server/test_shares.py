"""How far a job is: of all its work, and never less than before."""

import pytest

from labial.jobs import KINDS
from labial.server.shares import Share, stages_of


def test_a_dub_with_a_report_grows_from_nothing_to_all() -> None:
    request = {"inputs": {"video": "v", "audio": "a"}, "options": {}, "report": True}
    share, told = Share(stages_of("dub", request)), [0.0]
    for stage in ("analyse", "listen", "render", "analyse", "compare", "moments"):
        told += [share.at(stage, done, 10) for done in range(1, 11)]
    assert told == sorted(told)
    assert len(set(told)) == len(told)
    assert told[-1] == 1
    assert 0.2 < told[10] < 0.4  # the faces were seen, nothing is rendered


def test_each_language_has_its_part() -> None:
    request = {"inputs": {"video": "v", "audio.es": "a", "audio.de": "b"}, "options": {}}
    share = Share(stages_of("dub", request))
    share.at("analyse", 1, 1)
    half = share.at("render", 9, 9)
    share.at("listen", 1, 1)
    assert half < 0.7
    assert share.at("render", 1, 9) > half
    assert share.at("render", 9, 9) > 0.95


def test_a_stage_that_is_left_out_is_passed_over_and_a_strange_one_counts_nothing() -> None:
    share = Share(stages_of("dub", {"inputs": {}, "options": {"quality": "pro"}}))
    assert share.at("analyse", 1, 2) == pytest.approx(share.at("dream", 5, 5))
    assert share.at("render", 0, None) > share.at("dream", 1, 1) - 1e-9 > 0.4


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_stages(kind: str) -> None:
    assert stages_of(kind, {"inputs": {}})
