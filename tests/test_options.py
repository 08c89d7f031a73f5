"""Options say what is wrong with them in one line."""

import pytest

from labial.errors import OptionError
from labial.options import AnimateOptions, DubOptions, ServeOptions


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("crf", -1, "--crf -1: use 0"),
        ("crf", 64, "--crf 64: use 0"),
        ("articulation", 0.4, "--articulation 0.4: use 0.5"),
        ("articulation", 3, "--articulation 3: use 0.5"),
        ("articulation", float("nan"), "--articulation nan"),
        ("expression", -0.1, "--expression -0.1: use 0"),
        ("expression", 1.2, "--expression 1.2: use 0"),
        ("adapt_seconds", 0.5, "--adapt-seconds 0.5: use 1"),
        ("adapt_seconds", 4000, "--adapt-seconds 4000: use 1"),
        ("loudness", -41, "--loudness -41: use -40"),
        ("loudness", 0, "--loudness 0: use -40"),
        ("loudness", float("nan"), "--loudness nan"),
    ],
)
def test_values_out_of_range(name: str, value: float, message: str) -> None:
    with pytest.raises(OptionError, match=message):
        DubOptions(**{name: value})  # type: ignore[arg-type]


def test_the_ends_of_each_range_are_allowed() -> None:
    DubOptions(crf=0, articulation=0.5, expression=0)
    DubOptions(crf=63, articulation=1.5, expression=1)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("fps", 0.5, "--fps 0.5: use 1 to 120"),
        ("fps", 121, "--fps 121: use 1 to 120"),
        ("fps", float("nan"), "--fps nan"),
        ("height", 63, "--height 63: use 64 to 4320"),
        ("height", 4321, "--height 4321"),
        ("seed", -1, "--seed -1: use 0"),
        ("crf", 64, "--crf 64: use 0"),
        ("articulation", 2, "--articulation 2: use 0.5"),
    ],
)
def test_values_out_of_range_of_a_photo(name: str, value: float, message: str) -> None:
    with pytest.raises(OptionError, match=message):
        AnimateOptions(**{name: value})  # type: ignore[arg-type]


def test_a_photo_s_mouth_is_a_dub_s() -> None:
    options = AnimateOptions(articulation=1.2, closures=False, rest=False, onset=False, crf=20)
    mouth = options.mouth()
    assert (mouth.articulation, mouth.closures, mouth.rest, mouth.onset) == (1.2, *[False] * 3)
    assert (mouth.codec, mouth.crf) == ("source", 20)
    assert AnimateOptions(codec="av1").mouth().codec == "av1"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"cast": ("ANNA=0",)}, "--cast .*--segments FILE"),
        ({"segments": "a.csv", "text": "Hello"}, "exclude each other"),
        ({"segments": "a.csv", "sync_mode": "loop"}, "--sync-mode loop: leave it out"),
        ({"segments": "a.csv", "stretch_audio": "auto"}, "--stretch-audio auto: leave it out"),
        ({"mux": "source", "report": "a.html"}, "--report: leave it out"),
        ({"mux": "source", "preview": "a.png"}, "--preview: leave it out"),
        ({"mux": "source", "sync_mode": "hold"}, "--sync-mode: leave it out"),
    ],
)
def test_what_would_have_no_effect_is_refused(given: dict, message: str) -> None:
    with pytest.raises(OptionError, match=message):
        DubOptions(**given)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"port": 70_000}, "--port 70000: use 0 to 65535"),
        ({"workers": -1}, "--workers -1: use 0 to 64"),
        ({"keep_days": float("nan")}, "--keep-days nan: use 0.01"),
        ({"memory_gb": 0}, "--memory-gb 0: use 0.5"),
        ({"host": "http://a"}, "--host http://a: use an address"),
        ({"address": "ray://a"}, "add --engine ray"),
        ({"hosts": ("a/b",)}, "--hosts a/b: use a name"),
        ({"database": "jobs.db"}, "--database: use a URL"),
    ],
)
def test_options_of_a_server(given: dict, message: str) -> None:
    with pytest.raises(OptionError, match=message):
        ServeOptions(**given)


def test_the_ends_of_each_range_of_a_server_are_allowed() -> None:
    ServeOptions(port=0, workers=0, tries=1, keep_days=3650, hosts=("studio.example.org:8443",))
