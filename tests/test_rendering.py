"""The second pass: side by side, in order, only what is asked for."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import synth_media as synth

from labial.analysis import Analysis
from labial.errors import ReadError
from labial.media.pieces import Stretch
from labial.media.read import VideoReader
from labial.rendering import MOST_WORKERS, Wanted, in_order, rendered

GROUP = 5


def silent(stage: str, done: int, total: int | None) -> None:
    """Nobody is told."""


@pytest.fixture
def nobody(tmp_path: Path) -> tuple[Path, Analysis]:
    """40 frames in groups of 5, with nobody in them."""
    path = synth.write_video(
        tmp_path / "a.mp4", n=40, options={"g": str(GROUP), "x264-params": "scenecut=0"}
    )
    with VideoReader(path) as reader:
        pts = np.array([frame.pts for frame in reader.frames()], np.int64)
        base = reader.info.time_base
        return path, Analysis([], [], pts, base, Fraction(40, 25), gops=reader.gops(pts))


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_work_is_done_side_by_side_and_comes_in_order(threads: int) -> None:
    lock, busy, most = threading.Lock(), 0, 0

    def piece(number: int) -> int:
        nonlocal busy, most
        with lock:
            busy += 1
            most = max(most, busy)
        time.sleep(0.002 * (number % 3))
        with lock:
            busy -= 1
        return number

    work: Iterator[Callable[[], int]] = (partial(piece, k) for k in range(40))
    assert list(in_order(work, threads)) == list(range(40))
    assert most <= min(threads, MOST_WORKERS)


def test_only_a_few_pieces_are_ahead() -> None:
    begun = 0

    def work() -> Iterator[Callable[[], int]]:
        nonlocal begun
        for number in range(100):
            begun += 1
            yield partial(int, number)

    made = in_order(work(), 2)
    next(made)
    assert begun < 10
    made.close()


def test_an_error_in_one_piece_comes_out() -> None:
    def fails() -> int:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        list(in_order(iter([fails])))


@pytest.mark.parametrize(
    "parts",
    [
        [Stretch(0, 40, False)],
        [Stretch(7, 9, False)],
        [Stretch(0, 3, False), Stretch(3, 12, False), Stretch(31, 33, False)],
        [Stretch(2, 4, False), Stretch(38, 40, False)],
        [],
    ],
)
def test_the_frames_asked_for_come_and_no_others(
    nobody: tuple[Path, Analysis], parts: list[Stretch]
) -> None:
    path, analysis = nobody
    wanted = Wanted([], [])
    with VideoReader(path) as reader:
        every = list(reader.frames())
    for known in (analysis, replace(analysis, gops=type(analysis.gops).none())):
        done = list(rendered(path, known, wanted, silent, parts))
        indices = [k for part in parts for k in range(part.first, part.end)]
        assert [d.frame.index for d in done] == indices
        assert {d.reason for d in done} <= {"no face"}
        for d in done:
            assert d.frame.pts == every[d.frame.index].pts
            assert np.array_equal(d.frame.planes[0], every[d.frame.index].planes[0])


def test_a_shorter_file_than_before_is_said(nobody: tuple[Path, Analysis]) -> None:
    path, analysis = nobody
    more = np.append(analysis.pts, analysis.pts[-1] + 512)
    wanted = Wanted([], [])
    with pytest.raises(ReadError, match="changed while it was read"):
        list(rendered(path, replace(analysis, pts=more), wanted, silent))
