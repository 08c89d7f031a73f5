"""The words of the page: each key that is used exists, and none is there in vain."""

import re
from pathlib import Path

import labial.server

STATIC = Path(labial.server.__file__).parent / "static"
_FORM = re.compile(r"\.(zero|one|two|few|many|other)$")
_ALWAYS = {"languages", "direction"}


def _sources() -> dict[str, str]:
    files = [STATIC / "index.html", *sorted((STATIC / "js").glob("*.js"))]
    return {file.name: file.read_text(encoding="utf-8") for file in files}


def _words(name: str) -> dict[str, str]:
    text = (STATIC / "words" / name).read_text(encoding="utf-8")
    rows = re.findall(r'^\s+(?:"([\w.-]+)"|(\w+)): "((?:[^"\\]|\\.)*)",$', text, re.M)
    found = {quoted or bare: words for quoted, bare, words in rows}
    assert len(found) == len(rows), "a key is there twice"
    assert len(rows) == text.count('",\n'), "a line is not understood"
    return found


def _used() -> tuple[set[str], list[re.Pattern[str]]]:
    """Keys that are used, and patterns of those that are put together."""
    keys: set[str] = set()
    patterns = []
    for text in _sources().values():
        keys |= set(re.findall(r'\b(?:t|has)\("([\w.-]+)"', text))
        keys |= set(re.findall(r'data-(?:word|label)="([\w.-]+)"', text))
        for template in re.findall(r"\b(?:t|has)\(`([^`]+)`", text):
            parts = re.split(r"\$\{[^}]*\}", template)
            patterns.append(re.compile("[\\w-]+".join(map(re.escape, parts))))
        for pair in re.findall(r'\bt\([^()"]*\? "([\w.-]+)" : "([\w.-]+)"', text):
            keys |= set(pair)
    keys |= {"record.denied", "record.missing", "title.job", "title.history", "title.studio"}
    patterns.append(re.compile(r"advice\.of\.[\w-]+"))
    return keys, patterns


def test_every_key_that_is_used_has_words() -> None:
    known = {_FORM.sub("", key) for key in _words("en.js")} | set(_words("en.js"))
    keys, patterns = _used()
    assert keys - known == set()
    assert [each.pattern for each in patterns if not any(map(each.fullmatch, known))] == []


def test_no_words_are_there_in_vain() -> None:
    keys, patterns = _used()
    plain = {_FORM.sub("", key): key for key in _words("en.js")}
    idle = {
        key
        for bare, key in plain.items()
        if not {bare, key} & (keys | _ALWAYS)
        and not any(each.fullmatch(bare) or each.fullmatch(key) for each in patterns)
    }
    assert idle == set()


def test_languages_are_those_that_have_a_file_and_use_known_keys() -> None:
    english = _words("en.js")
    files = {file.stem for file in (STATIC / "words").glob("*.js")}
    assert files == set(english["languages"].split())
    for name in files - {"en"}:
        others = {_FORM.sub("", key) for key in _words(f"{name}.js")}
        assert others <= {_FORM.sub("", key) for key in english}


def test_what_is_filled_in_is_what_the_page_gives() -> None:
    for key, words in _words("en.js").items():
        assert words.count("{") == words.count("}") == len(re.findall(r"\{\w+\}", words)), key


def test_nothing_is_inline_and_nothing_comes_from_elsewhere() -> None:
    for name, text in _sources().items():
        addresses = re.findall(r"https?://[^\s\"'`]+", text)
        assert [each for each in addresses if "www.w3.org" not in each] == [], name
        assert not re.search(r"\bon\w+=\"|style=\"|<style|innerHTML|eval\(", text), name
    for script in re.findall(r"<script[^>]*>(.*?)</script>", _sources()["index.html"], re.S):
        assert script.strip() == ""
