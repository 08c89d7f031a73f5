"""Where the cues of a file begin and end, in SubRip and WebVTT, as programs and people write it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from labial.script.markup import without_tags
from labial.script.problems import Problems, quoted

ARROW = re.compile(r"-{1,3} ?>|[–—]>|→|-{1,3}&gt;")
LONGEST_TIMING = 200
_WORD_TIME = re.compile(r"<\d\d:[\d:.]+><c>")
_BLOCKS = re.compile(r"(?:NOTE|STYLE|REGION)(?:\s|$)")


@dataclass
class Raw:
    """A cue as it stands in the file: the line of its times, and those of its text."""

    line: int
    times: str
    texts: list[tuple[int, str]]


def subrip_cues(lines: list[str]) -> tuple[list[Raw], Problems]:
    """Return the cues of a SubRip file, and what belongs to none."""
    raws: list[Raw] = []
    problems: Problems = []
    before: list[tuple[int, str]] = []  # what stands before the first cue
    for number, line in enumerate(lines, 1):
        if not ARROW.search(line) or not _is_timing(line):
            (raws[-1].texts if raws else before).append((number, line))
            continue
        _drop_number((raws[-1].texts if raws else before), len(raws))
        raws.append(Raw(number, line, []))
    if raws:
        # A number of a cue that never came.
        _drop_number(raws[-1].texts, len(raws), at_end=True)
        problems += [
            (number, f"text before the first cue: {quoted(line)}")
            for number, line in before
            if line.strip()
        ][:1]
    return raws, problems


def _is_timing(line: str) -> bool:
    """Whether a line with an arrow is meant to hold times, and is not said."""
    first = ARROW.split(line, maxsplit=1)[0].strip()
    return "-->" in line or bool(re.fullmatch(r"[\d:.,\s]*:[\d:.,\s]*", first[:LONGEST_TIMING]))


def _drop_number(texts: list[tuple[int, str]], count: int, at_end: bool = False) -> None:
    """Take the number of the following cue off the text of the cue before it."""
    rest = [k for k, (_, line) in enumerate(texts) if line.strip()]
    if not rest or not re.fullmatch(r"\s*#?\d{1,9}\s*[.:]?\s*", texts[rest[-1]][1]):
        return
    last = rest[-1]
    directly = last == len(texts) - 1 and not at_end
    apart = last == 0 or not texts[last - 1][1].strip()
    if directly or (apart and (count == 0 or len(rest) > 1)):
        del texts[last:]


def web_cues(lines: list[str]) -> tuple[list[Raw], Problems]:
    """Return the cues of a WebVTT file, and what belongs to none."""
    raws: list[Raw] = []
    problems: Problems = []
    block: list[tuple[int, str]] = []
    for number, line in enumerate([*lines, ""], 1):
        # A line of spaces parts nothing.
        if line:
            block.append((number, line))
            continue
        if any(line.strip() for _, line in block):
            _web_block(block, raws, problems)
        block = []
    return (_unrolled(raws) if any(map(_WORD_TIME.search, lines)) else raws), problems


def _web_block(block: list[tuple[int, str]], raws: list[Raw], problems: Problems) -> None:
    timed = [k for k, (_, line) in enumerate(block) if ARROW.search(line) and _is_timing(line)]
    told = block[0][1].startswith("WEBVTT") or _BLOCKS.match(block[0][1]) is not None
    if told and not timed:
        return
    # The line before the first times is the cue's own name.
    before = block[: max(timed[0] - 1, 0)] if timed else block
    if not told and any(line.strip() for _, line in before):
        problems.append((block[0][0], f"text outside of any cue: {quoted(block[0][1])}"))
    for k, end in zip(timed, [*timed[1:], len(block)], strict=False):
        raw = Raw(block[k][0], block[k][1], block[k + 1 : end])
        if end < len(block):
            _drop_number(raw.texts, len(raws) + 1)
        raws.append(raw)


def _unrolled(raws: list[Raw]) -> list[Raw]:
    """Take out the lines that roll up: captions made by machines say each in up to three cues."""
    kept, last = [], ""
    for raw in raws:
        told = [(number, line, without_tags(line)) for number, line in raw.texts]
        texts = [(number, line) for number, line, text in told if text and text != last]
        last = next((text for *_, text in reversed(told) if text), last)
        if texts or not any(text for *_, text in told):
            kept.append(Raw(raw.line, raw.times, texts))
    return kept
