"""What is asked of a dub, checked before its work."""

from pathlib import Path

import pytest
from test_dubbing import actor, write_clip, write_speech

from labial import preparing
from labial.errors import LabialError, OptionError, ReadError, WriteError
from labial.options import DubOptions
from labial.preparing import Film, Output


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("prepared")
    write_clip(folder / "talk.mkv", actor()[:12])
    write_speech(folder / "speech.wav", 0.48)
    return folder


def prepared(home: Path, out: str = "out.mkv", **options: object) -> Output:
    asked = DubOptions(**options)
    film = Film(home / "talk.mkv", asked)
    return Output.prepared(film, home / "speech.wav", home / out, asked, home, lambda *a: None)


def test_nothing_is_looked_at_before_it_is_needed(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preparing, "analyse", lambda *a: pytest.fail("it began to work"))
    output = prepared(home)
    assert output.plan.family == "ffv1"
    assert output.cut_off(output.film.length) == ()
    assert output.cut_off(output.film.length / 2) == ("speech cut off at the end, 0.2 s lost",)


@pytest.mark.parametrize(
    ("asked", "kind", "said"),
    [
        ({"trim": "5-6"}, OptionError, "the video is 0.48 s long"),
        ({"trim": "0-0.2", "speech_at": 0.3}, OptionError, "ends at 0.20 s"),
        ({"out": "talk.mkv"}, WriteError, "it is the source video"),
        ({"preview": "frame.jpg"}, LabialError, r"\.png"),
    ],
)
def test_what_is_wrong_is_told(
    home: Path, asked: dict[str, object], kind: type[LabialError], said: str
) -> None:
    with pytest.raises(kind, match=said):
        prepared(home, **asked)


def test_a_film_that_is_not_there(home: Path) -> None:
    with pytest.raises(ReadError, match=r"gone\.mkv"):
        _ = Film(home / "gone.mkv", DubOptions()).media
