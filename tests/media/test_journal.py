"""Pieces that are done stay done, whatever happens to the run."""

from pathlib import Path

import pytest

from labial.errors import WriteError
from labial.media.encode import Picture
from labial.media.journal import Journal

PICTURES = [Picture(bytes([i]) * (i + 1), 10 * i, 10, i == 0) for i in range(5)]


FULL = Path("/dev/full")


class StoppedError(Exception):
    pass


def keep(journal, number, pictures=PICTURES):
    with journal.recording(number) as recorder:
        recorder.facts["frames"] = len(pictures)
        for picture in pictures:
            recorder.keep(picture)


def killed(target, key="k", pieces=1):
    """A run that never comes to its end."""
    journal = Journal(target, key)
    journal.__enter__()
    journal.partial.write_bytes(b"half")
    for number in range(pieces):
        keep(journal, number)
    journal._lock.close()
    return journal.folder


def test_a_killed_run_leaves_its_pieces_to_the_next(tmp_path):
    target = tmp_path / "out.mp4"
    folder = killed(target, pieces=2)
    with Journal(target, "k", resume=True) as journal:
        assert journal.folder == folder
        piece = journal.piece(1)
        assert list(piece.pictures()) == PICTURES
        assert piece.facts == {"frames": 5}
        assert journal.piece(2) is None
    assert not list(tmp_path.iterdir()), "an output that is done needs no journal"


@pytest.mark.parametrize("resume", [True, False])
def test_other_work_for_the_same_target_is_not_taken_over(tmp_path, resume):
    target = tmp_path / "out.mp4"
    folder = killed(target)
    with Journal(target, "other", resume=resume) as journal:
        assert journal.piece(0) is None
        assert not folder.exists()


def test_without_resume_nothing_is_taken_over(tmp_path):
    target = tmp_path / "out.mp4"
    killed(target)
    with Journal(target, "k") as journal:
        assert journal.piece(0) is None


def test_an_error_leaves_nothing_unless_asked(tmp_path):
    target = tmp_path / "out.mp4"
    with pytest.raises(StoppedError), Journal(target, "k") as journal:
        keep(journal, 0)
        raise StoppedError
    assert not list(tmp_path.iterdir())
    with pytest.raises(StoppedError), Journal(target, "k", resume=True) as journal:
        keep(journal, 0)
        journal.partial.write_bytes(b"half")
        raise StoppedError
    with Journal(target, "k", resume=True) as journal:
        assert journal.piece(0) is not None
        assert not journal.partial.exists()


def test_a_piece_that_is_not_whole_does_not_count(tmp_path):
    target = tmp_path / "out.mp4"
    folder = killed(target, pieces=3)
    path = folder / "000000.piece"
    path.write_bytes(path.read_bytes()[:-1])
    changed = bytearray((folder / "000001.piece").read_bytes())
    changed[20] ^= 1
    (folder / "000001.piece").write_bytes(changed)
    (folder / "000002.json").unlink()
    with Journal(target, "k", resume=True) as journal:
        assert [journal.piece(number) for number in range(3)] == [None] * 3


def test_a_piece_broken_off_does_not_count(tmp_path):
    target = tmp_path / "out.mp4"
    with Journal(target, "k", resume=True) as journal:
        with pytest.raises(StoppedError), journal.recording(0) as recorder:
            recorder.keep(PICTURES[0])
            raise StoppedError
        assert journal.piece(0) is None
        assert sorted(path.name for path in journal.folder.iterdir()) == ["lock"]


def test_pictures_that_carry_more_are_not_kept(tmp_path):
    with Journal(tmp_path / "out.webm", "k") as journal:
        keep(journal, 0, [PICTURES[0], Picture(b"x", 1, 1, False, side=object())])
        assert journal.piece(0) is None


def test_two_runs_do_not_write_one_output(tmp_path):
    target = tmp_path / "out.mp4"
    with Journal(target, "k"), pytest.raises(WriteError, match="another run"):
        Journal(target, "k").__enter__()


def test_names_like_patterns_touch_nothing_else(tmp_path):
    other = killed(tmp_path / "take 1.mp4")
    with Journal(tmp_path / "take [1*].mp4", "k"):
        assert other.exists()


@pytest.mark.parametrize(
    ("one", "other"),
    [("film", "film.mp4"), ("a.mp4", "a.mp4.mkv"), ("x" * 130 + "1.mp4", "x" * 130 + "2.mp4")],
)
def test_names_that_begin_alike_touch_each_other_not(tmp_path, one, other):
    folder = killed(tmp_path / other)
    if one == "film":
        (tmp_path / one).mkdir()
    with Journal(tmp_path / one, "k") as journal:
        assert journal.folder != folder
        assert folder.exists()
    with Journal(tmp_path / other, "k", resume=True) as journal:
        assert journal.piece(0) is not None


@pytest.mark.skipif(not FULL.exists(), reason="no disk that is always full")
def test_a_full_disk_is_said_and_leaves_no_half_piece(tmp_path):
    with Journal(tmp_path / "out.mp4", "k") as journal:
        with pytest.raises(WriteError, match="No space left"), journal.recording(0) as recorder:
            recorder._file.close()
            recorder._file = FULL.open("wb")
            recorder.keep(PICTURES[0])
        assert sorted(path.name for path in journal.folder.iterdir()) == ["lock"]


def test_numbered_pictures_have_theirs_beside_their_folder(tmp_path):
    for target in (tmp_path / "out" / "%05d.png", tmp_path / "out"):
        (tmp_path / "out").mkdir(exist_ok=True)
        with Journal(target, "k") as journal:
            assert journal.folder.parent == tmp_path
            journal.partial.mkdir()
        assert [path.name for path in tmp_path.iterdir()] == ["out"]
