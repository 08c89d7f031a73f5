import io
import threading

import pytest

from labial import progress
from labial.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_log_gets_one_line_for_a_complete_stage() -> None:
    log = io.StringIO()
    with Progress(log) as hook:
        for done in range(5):
            hook("render", done, 4)
        hook("render", 4, 4)
    lines = log.getvalue().splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("labial: render: 4 of 4 in ")


def test_a_log_hears_of_a_long_stage(monkeypatch: pytest.MonkeyPatch) -> None:
    log = io.StringIO()
    clock = iter([0.0, 4.0, 11.0, 12.0, 22.0])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
    with Progress(log) as hook:
        for done in range(5):
            hook("read", done, None)
    assert log.getvalue() == "labial: read: 2 in 11.0 s\nlabial: read: 4 in 22.0 s\n"


def test_a_terminal_gets_bars_that_are_wiped() -> None:
    screen = Terminal()
    with Progress(screen) as hook:
        hook("analyse [x]", 0, None)
        hook("analyse [x]", 5, 10)
        hook("render", 1, 10)
    assert "analyse [x]" in screen.getvalue()
    assert "labial:" not in screen.getvalue()


def test_an_error_passes_through() -> None:
    with pytest.raises(KeyError), Progress(Terminal()) as hook:
        hook("render", 1, 10)
        raise KeyError


def test_many_threads_may_report() -> None:
    log = io.StringIO()
    with Progress(log) as hook:
        threads = [
            threading.Thread(target=lambda n=n: [hook(f"s{n}", i, 99) for i in range(100)])
            for n in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(log.getvalue().splitlines()) == 4
