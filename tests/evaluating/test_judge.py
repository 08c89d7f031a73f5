"""One video, alone and against others, from the file to the numbers."""

from pathlib import Path

import numpy as np
import pytest
from synth import need_face_model, sample_file
from test_dubbing import actor, write_clip

from labial.errors import OptionError, ReadError
from labial.evaluating import Scores, evaluate

N = 28


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    need_face_model()
    sample_file("sface")
    home = tmp_path_factory.mktemp("judge")
    write_clip(home / "real.mkv", actor()[:N])
    # Another take of the same man: other mouths, at the same times.
    write_clip(home / "other.mkv", actor()[::-1][:N])
    grey = np.random.default_rng(0).integers(90, 160, (6, 120, 160, 3)).astype(np.uint8)
    write_clip(home / "nobody.mkv", [*grey])
    return home


def test_alone(home: Path) -> None:
    found = evaluate(home / "real.mkv")
    assert (found.frames, found.ref, found.source, found.real) == (N, None, None, None)
    assert found.scores == Scores(faces=1)
    assert found.notes == ("no sound to hold the mouth against",)


def test_ref_and_source_are_asked_for_different_things(home: Path) -> None:
    real, other = home / "real.mkv", home / "other.mkv"
    stages = set()
    found = evaluate(real, ref=other, source=real, hook=lambda stage, *_: stages.add(stage))
    assert {"analyse", "compare"} <= stages
    # The mouth is not the one it should be; what is beside it stayed.
    assert found.scores.psnr is not None and found.scores.psnr < 45
    assert (found.scores.beside, found.scores.sharpness, found.scores.seam) == (100, 1, 1)
    assert found.scores.lips_apart is not None and found.scores.lips_apart > 0
    assert found.heard["frames compared"] == N
    assert found.real is not None and found.real.faces == 1


def test_only_a_source_says_nothing_of_the_right_mouth(home: Path) -> None:
    found = evaluate(home / "real.mkv", source=home / "real.mkv", identity=False)
    assert found.scores.psnr is None and found.scores.lips_follow is None
    assert found.scores.beside == 100 and found.scores.identity is None
    assert "likeness" not in " ".join(found.notes)


def test_nobody_to_be_seen_is_said_and_not_an_error(home: Path) -> None:
    found = evaluate(home / "nobody.mkv", ref=home / "nobody.mkv")
    assert found.faceless == {"no face": 6}
    assert found.scores == Scores(faces=0)
    assert "no likeness: no frame shows both faces" in found.notes
    assert "not judged: no face 6" in found.summary()


def test_what_is_wrong_is_one_line(home: Path) -> None:
    with pytest.raises(ReadError):
        evaluate(home / "missing.mp4")
    with pytest.raises(ReadError):
        evaluate(home / "real.mkv", ref=home / "missing.mp4")
    with pytest.raises(OptionError, match="--syncnet"):
        evaluate(home / "missing.mp4", syncnet=str(home / "none.model"))
    with pytest.raises(OptionError, match="unknown option loudness"):
        evaluate(home / "real.mkv", loudness=1)
