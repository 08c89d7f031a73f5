"""Workers that are started again when they die, and leave with whoever started them."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from labial.server.crew import Crew
from labial.server.store import Store
from labial.server.worker import WorkSettings

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="kills by signal")


@pytest.fixture
def settings(tmp_path: Path) -> WorkSettings:
    url = f"sqlite:///{tmp_path}/labial.sqlite"
    Store.open(url).close()
    return WorkSettings(url, str(tmp_path / "media"), str(tmp_path / "work"), idle_seconds=0.1)


def until(what: Callable[[], bool]) -> None:
    for _ in range(6000):
        if what():
            return
        time.sleep(0.01)
    pytest.fail("it never happened")


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] != "Z"


def test_who_dies_is_replaced_and_all_leave_at_the_end(settings: WorkSettings) -> None:
    with Crew(settings, 1) as crew:
        (first,) = crew.pids()
        assert first is not None
        os.kill(first, signal.SIGKILL)
        until(lambda: crew.pids()[0] not in (None, first))
        (second,) = crew.pids()
    assert second is not None
    assert not alive(first)
    assert not alive(second)
    assert crew.pids() == [None]


def test_a_worker_leaves_when_it_is_told_to(settings: WorkSettings) -> None:
    command = [sys.executable, "-m", "labial.server.worker"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        process.stdin.write(settings.to_json() + "\n")
        process.stdin.flush()
        until(lambda: _workers(settings) == 1)
        process.terminate()
        assert process.wait(20) == 0
    assert _workers(settings) == 0


def _workers(settings: WorkSettings) -> int:
    store = Store.open(settings.database)
    try:
        return store.workers_alive()
    finally:
        store.close()


def test_workers_leave_when_their_server_is_killed(settings: WorkSettings) -> None:
    code = (
        "import json, sys, time; from labial.server.crew import Crew\n"
        "from labial.server.worker import WorkSettings\n"
        "with Crew(WorkSettings(**json.loads(sys.argv[1])), 1) as crew:\n"
        "    print(json.dumps(crew.pids()), flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", code, settings.to_json()]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as server:
        assert server.stdout is not None
        (worker,) = json.loads(server.stdout.readline())
        assert alive(worker)
        server.kill()
    until(lambda: not alive(worker))


def test_a_database_of_the_future_is_told_and_tried_again(
    settings: WorkSettings, capfd: pytest.CaptureFixture[str]
) -> None:
    import sqlalchemy as sa

    store = Store.open(settings.database)
    with store.writing() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = 'future'"))
    store.close()
    told = ""
    with Crew(settings, 1) as crew:
        for _ in range(3000):
            told += capfd.readouterr().err
            if "newer version" in told:
                break
            time.sleep(0.02)
    assert "newer version of Labial has written it" in told
    assert crew.pids() == [None]


def test_a_worker_that_cannot_be_started_is_started_later(
    settings: WorkSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, failed = subprocess.Popen, []

    def start(*given: object, **more: object) -> object:
        if len(failed) < 2:
            failed.append(given)
            raise OSError(11, "Resource temporarily unavailable")
        return real(*given, **more)  # type: ignore[call-overload]

    monkeypatch.setattr(subprocess, "Popen", start)
    with Crew(settings, 1) as crew:
        until(lambda: crew.pids() != [None])
    assert len(failed) == 2
