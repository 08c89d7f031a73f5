"""Jobs whose workers are killed end once, and as if nothing had happened.

``benchmarks/kills.py`` does the same with many more jobs, of every kind.
"""

import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
from ground import prepared
from kills import trial
from synth import sample_file

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


def test_jobs_end_once_whoever_is_killed(
    database: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    sample_file("speech_short")

    def outage() -> None:
        server = request.getfixturevalue("postgres")
        server.stop()
        time.sleep(0.5)
        server.start()

    ground = prepared(tmp_path, database, least=True)
    with closing(ground.store):
        ground.learn()
        figures = trial(
            ground,
            jobs=6,
            workers=2,
            kills=1,
            server_kills=1,
            poison_attempts=2,
            outage=outage,
            outages=int(database.startswith("postgresql")),
        )
    for state, attempts, reason in figures.pop("poisoned"):
        assert (state, attempts) == ("failed", 2)
        # Whoever is killed last is named: which one that is, is a matter of chance.
        assert reason.startswith(("its process ended by signal 9", "its worker was lost, given up"))
    assert figures["done"] == figures["jobs"] == 6
    for name in ("ended otherwise than once", "different", "left behind"):
        assert figures[name] == 0, (name, (tmp_path / "log.txt").read_text())
