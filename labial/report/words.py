"""What the numbers of a dub say, in plain words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from labial.checking.verdict import judged
from labial.evaluating import Evaluation

Mark = Literal["good", "fair", "poor"]


class _Say(Protocol):
    def __call__(self, name: str, mark: Mark, words: str) -> None: ...


_FEW = 5
_LEAST_SILENCE = 0.5


@dataclass(frozen=True)
class Verdict:
    """A sentence on one number, and whether it is good news."""

    name: str
    mark: Mark
    words: str


def verdicts(found: Evaluation) -> list[Verdict]:
    """Say what the numbers mean, in the order in which they matter."""
    scores, real, heard = found.scores, found.real, found.heard
    said: list[Verdict] = []

    def say(name: str, mark: Mark, words: str) -> None:
        said.append(Verdict(name, mark, words))

    left = sum(found.faceless.values())
    share = left / max(found.frames, 1)
    why = ", ".join(f"{reason} {n}" for reason, n in sorted(found.faceless.items()))
    words = f"{found.frames - left} of {found.frames} frames show a mouth that can be judged"
    say("faces", _mark(share, 0.1, 0.4), words + (f"; not: {why}" if why else ""))
    if scores.offset is not None:
        ms = round(scores.offset)
        if abs(ms) < 40:
            say(
                "offset",
                "good",
                f"Mouth and sound are together, as far as can be told ({ms:+d} ms)",
            )
        else:
            fine = judged(ms / 1000) == "in sync"
            late = f"The sound comes {abs(ms)} ms {'after' if ms > 0 else 'before'} the mouth"
            rest = "most people do not notice" if fine else "people notice"
            say("offset", "fair" if fine else "poor", f"{late}: {rest}")
    elif scores.confidence is not None:
        say("offset", "poor", "The mouth does not say what is heard: no offset fits clearly")
    if scores.closure is not None:
        count = round(heard.get("closures", 0))
        words = f"Lips meet on {scores.closure:.0%} of {count} heard p, b and m"
        theirs = None if real is None else real.closure
        # Of a few, one more or less says little; nor can lips that hardly meet by nature be blamed.
        best = 0.95 if theirs is None else min(theirs, 0.95)
        mark = _mark(best - scores.closure, 0.15, 0.35 if count >= _FEW else 1.1)
        say("closure", mark, words + _real(theirs, "{:.0%}"))
    if scores.opens is not None and scores.opens < 0.85:
        words = f"Lips part on {scores.opens:.0%} of the open vowels"
        mark = _mark(1 - scores.opens, 0.3, 0.6)
        say("opens", mark, words if mark == "good" else f"{words}: the mouth mumbles")
    seconds = heard.get("silence", 0.0)
    if scores.moves is not None and scores.stands is not None and seconds >= _LEAST_SILENCE:
        words = f"In {seconds:.1f} s of silence the mouth moves for {scores.moves:.0%}"
        words += f" and stands open for {scores.stands:.0%}"
        theirs = None if real is None else real.moves
        most = 0.1 if theirs is None else max(theirs, 0.1)
        say("moves", _mark(scores.moves - most, 0.05, 0.3), words + _real(theirs, "moves {:.0%}"))
    if scores.follows is not None:
        words = f"The opening follows the speech with r {scores.follows:.2f}"
        say("follows", _mark(-scores.follows, -0.6, -0.35), words)
    _pictures(found, say)
    if scores.lse_c is not None and scores.lse_d is not None:
        words = f"LSE-C {scores.lse_c:.2f}, LSE-D {scores.lse_d:.2f}"
        theirs = None if real is None else real.lse_c
        near = theirs is None or abs(theirs - scores.lse_c) < 1.5
        say("lse_c", "good" if near else "fair", words + _real(theirs, "LSE-C {:.2f}"))
    return said


def _pictures(found: Evaluation, say: _Say) -> None:
    scores = found.scores
    if scores.sharpness is not None:
        x = scores.sharpness
        words = "as sharp as the source's" if 0.85 <= x <= 1.25 else (
            "softer than the source's" if x < 1 else "grainier than the source's, or wider open"
        )  # fmt: skip
        mark = _mark(1 - x, 0.15, 0.4) if x < 1 else _mark(x - 1, 0.5, 1.5)
        say("sharpness", mark, f"The mouth is {words} ({x:.2f} of its detail)")
    if scores.seam is not None:
        x = scores.seam
        words = "No edge is to be seen around the mouth" if x < 1.1 else (
            "An edge shows around the mouth"
        )  # fmt: skip
        say("seam", _mark(x, 1.1, 1.3), f"{words} ({x:.2f} of the source's gradient there)")
    if scores.flicker is not None:
        x = scores.flicker
        words = "trembles no more than the source's" if x < 1.35 else "flickers"
        say("flicker", _mark(x, 1.35, 2), f"The mouth {words} ({x:.2f} of its trembling)")
    if scores.beside is not None:
        x = scores.beside
        words = "What is beside the face stayed as it was"
        if x < 38:
            words = "What is beside the face changed"
        say("beside", _mark(-x, -38, -30), f"{words} ({_decibel(x)})")
    if scores.identity is not None:
        x = scores.identity
        words = "It is clearly the same person" if x >= 0.75 else (
            "The person is still known" if x >= 0.45 else "The person is hardly known again"
        )  # fmt: skip
        say("identity", _mark(-x, -0.75, -0.45), f"{words} (likeness {x:.2f})")


def _decibel(value: float) -> str:
    return "every sample the same" if value >= 100 else f"{value:.0f} dB"


def _real(value: float | None, form: str) -> str:
    return "" if value is None else f" (the source with its own sound: {form.format(value)})"


def _mark(value: float, fair: float, poor: float) -> Mark:
    """Good up to ``fair``, poor from ``poor`` on."""
    return "good" if value <= fair else "fair" if value < poor else "poor"
