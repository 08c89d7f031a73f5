"""Several languages at once: what they may ask for, and what their outputs are called."""

import re
from typing import Any

import pytest

from labial.errors import OptionError, WriteError
from labial.languages import check_languages, for_language
from labial.options import DubOptions

BOTH = ("es", "fr")


@pytest.mark.parametrize(
    ("languages", "out", "options", "line"),
    [
        (("fr", "FR"), "{lang}.mkv", {}, "fr and FR are one language"),
        (("fr", "es", "fre"), "{lang}.mkv", {}, "fr and fre are one language"),
        (BOTH, "out.mkv", {}, "-o out.mkv: several languages need {lang}"),
        (BOTH, "{lang}.mkv", {"report": "a.html"}, "--report a.html: several languages need"),
        (BOTH, "{lang}.mkv", {"preview": "a.png"}, "--preview a.png: several languages need"),
        (BOTH, "{lang}.mkv", {"mux": "first"}, "leave {lang} out"),
        (BOTH, "a/%05d.png", {"mux": "first"}, "pictures alone have no sound"),
        (BOTH, "out.mkv", {"mux": "source", "crf": 2, "codec": "av1"}, "--codec and --crf"),
    ],
)  # fmt: skip
def test_what_would_be_lost_or_overwritten_is_refused(
    languages: tuple[str, ...], out: str, options: dict[str, Any], line: str
) -> None:
    with pytest.raises((OptionError, WriteError), match=re.escape(line)):
        check_languages(languages, out, DubOptions(**options))


def test_what_makes_sense_is_not() -> None:
    check_languages(BOTH, "{lang}.mkv", DubOptions(report="{lang}.html", preview="{lang}.png"))
    check_languages(("es", "es-MX"), "{lang}.mkv", DubOptions())
    check_languages(("es",), "out.mkv", DubOptions(report="a.html", preview="a.png"))
    check_languages(BOTH, "out.mkv", DubOptions(mux="first", report="a.html", sync_mode="loop"))
    check_languages(BOTH, "out.mkv", DubOptions(mux="source", loudness=-14, keep_background=True))


def test_names() -> None:
    options = DubOptions(report="{lang}/", preview="p-{lang}.png", crf=20)
    name, mine = for_language("es", "out/{lang}.mkv", options)
    assert name == "out/es.mkv"
    assert mine == DubOptions(language="es", report="es/", preview="p-es.png", crf=20)
    assert for_language("fr", "a.mkv", DubOptions()) == ("a.mkv", DubOptions(language="fr"))
