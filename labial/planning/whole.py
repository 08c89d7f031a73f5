"""What a plain dub would do: one speech for the whole video, in each sync mode."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from labial.errors import OptionError, SpeechError
from labial.media.probe import show
from labial.options import DubOptions
from labial.planning.film import Film
from labial.planning.lines import Line, Plan, seconds, table
from labial.planning.listening import FASTEST, listen

_MODES = ("silence", "cut_off", "loop", "bounce", "hold", "remap")
# A difference that makes none.
_ALIKE = Fraction(1, 20)


@dataclass(frozen=True)
class WholePlan:
    """What a plain dub would do.

    Parameters
    ----------
    plan
        With its one line.
    speech
        Seconds of the speech.
    modes
        For each sync mode the output's seconds, and what happens to the longer of the two.
    """

    plan: Plan
    speech: Fraction
    modes: tuple[tuple[str, Fraction, str], ...]

    def summary(self) -> str:
        """Return it as a table of plain text."""
        asked = self.plan.lines[0].options.sync_mode
        rows = [("  --sync-mode", "output", "")]
        for mode, length, what in self.modes:
            mark = "*" if mode == asked else " "
            rows.append((f"{mark} {mode}", f"{float(length):.2f} s", what))
        return "\n".join([self.plan.summary(), "", *table(rows)])

    def to_json(self) -> str:
        """Return the plan as JSON, with ``speech`` and ``sync_modes``."""
        whole = json.loads(self.plan.to_json())
        whole["speech"] = seconds(self.speech)
        whole["sync_modes"] = [
            {"mode": mode, "length": seconds(length), "what": what}
            for mode, length, what in self.modes
        ]
        return json.dumps(whole, ensure_ascii=False, indent=1) + "\n"


def plan_whole(
    video: str | os.PathLike[str],
    audio: str | os.PathLike[str],
    options: DubOptions | None = None,
) -> WholePlan:
    """Say what a dub of a whole video would do, without doing it.

    Raises
    ------
    ReadError, SpeechError, OptionError
        One of both cannot be used.
    """
    options = options or DubOptions()
    if options.trim is not None or options.speech_at is not None:
        raise OptionError("a plan is of the whole video: leave out --trim and --speech-at")
    film = Film.of(video, options)
    path = Path(audio)
    if path.suffix.lower() in (".srt", ".vtt", ".json", ".csv", ".tsv"):
        raise OptionError(f"--audio {show(path)}: to plan what a file says, give it as --segments")
    sound = listen(path)
    if isinstance(sound, str):
        raise SpeechError(sound)
    shown = min(film.length, sound.length)
    line = Line(Fraction(0), film.length, path, Fraction(0), shown, options.speaker, options)
    heard = sound.heard(0, float(shown), "")
    name, warnings = show(path), []
    if sound.silent(Fraction(0), sound.length):
        warnings.append(f"{name} is silent: no mouth will move")
    elif not sound.spans:
        warnings.append(f"no speech is heard in {name}: music, or noise?")
    if (heard.words_a_minute or 0) > FASTEST:
        warnings.append(f"about {heard.words_a_minute:.0f} words a minute by the vowels heard")
    plan = Plan(film.path, film.length, film.fps, (line,), tuple(warnings), (heard,))
    return WholePlan(plan, sound.length, tuple(_modes(film.length, sound.length)))


def _modes(video: Fraction, speech: Fraction) -> list[tuple[str, Fraction, str]]:
    """What becomes of the longer of the two, by sync mode."""
    more = speech - video
    if abs(more) < _ALIKE:
        return [(mode, video, "both are of one length") for mode in _MODES]
    if more < 0:
        left = f"the last {float(-more):.2f} s of the video are left out"
        rest = f"the mouth rests for the last {float(-more):.2f} s"
        faster = f"the picture runs at {float(video / speech):.2f} of its speed"
        return [
            (mode, video, rest) if mode == "silence"
            else (mode, speech, faster if mode == "remap" else left)
            for mode in _MODES
        ]  # fmt: skip
    lost = f"the last {float(more):.2f} s of the speech are cut off"
    longer = {
        "loop": f"the video begins again, for {float(more):.2f} s",
        "bounce": f"the video goes back and forth, for {float(more):.2f} s",
        "hold": f"the last frame stays, for {float(more):.2f} s",
        "remap": f"the picture runs at {float(video / speech):.2f} of its speed",
    }
    return [
        (mode, speech, longer[mode]) if mode in longer else (mode, video, lost) for mode in _MODES
    ]
