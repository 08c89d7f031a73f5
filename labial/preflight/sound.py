"""What of a sound will drive a mouth well, and what will not."""

from __future__ import annotations

import math
from pathlib import Path

from labial.audio.clipping import ClippingMeter
from labial.audio.level import SILENT_LUFS, LoudnessMeter
from labial.media.sound_file import sound_blocks, sound_info
from labial.preflight.finding import Finding, Severity
from labial.preflight.listening import Heard
from labial.types import Hook

# What the thresholds are worth is in training/LOG.md, "Before a dub".
_FAINT_LUFS, _QUIET_LUFS = -45.0, -30.0
_CLIPPED, _CLIPPED_BADLY = 0.002, 0.02
_CHANGING = 4.5
# dB below which it is a problem, and a warning.
_STEADY, _LIVELY, _QUIET_DB = (3.0, 10.0), (6.0, 15.0), 20.0
_SECOND, _SECOND_SURELY, _ECHO, _LONG_ECHO = 0.06, 0.1, 0.35, 0.6
# Below that much noise has more to say than a room.
_ECHO_HEARD_DB = 15.0
_NARROW_HERTZ, _TELEPHONE_HERTZ = 7000.0, 3200.0
_SPOKEN = 0.02
_WAITING_SECONDS = 1.0


def level_findings(path: Path, tell: Hook) -> list[Finding]:
    """Read a file's sound as it is, once: how loud it is, and whether its tops are cut off.

    Raises
    ------
    ReadError, SpeechError
    """
    info = sound_info(path)
    loudness, clipping = LoudnessMeter(info.rate, info.layout), ClippingMeter()
    done = 0
    for block in sound_blocks(path):
        loudness.add(block)
        clipping.add(block)
        done += len(block)
        tell("measure", done // info.rate, None)
    return [_loudness(loudness.loudness(), loudness.peak()), *_clipping(clipping.share())]


def _loudness(lufs: float, peak: float) -> Finding:
    value = round(lufs, 1)
    text = f"the loudness is {value} LUFS, its true peak {peak:.1f} dB"
    if lufs <= SILENT_LUFS:
        return Finding("problem", "level", "it is silence", "give a file with speech")
    if lufs >= _QUIET_LUFS:
        return Finding("good", "level", text, "", value, "LUFS")
    advice = (
        "the mouth moves all the same; --loudness -14 brings what is delivered to a usual level"
    )
    severity: Severity = "warning" if lufs < _FAINT_LUFS else "hint"
    return Finding(severity, "level", text, advice, value, "LUFS")


def _clipping(share: float) -> list[Finding]:
    if share < _CLIPPED:
        return []
    severity: Severity = "warning" if share > _CLIPPED_BADLY else "hint"
    text = f"{100 * share:.1f} % of the sound is clipped"
    advice = "record it at a lower level, or use a file from before it was made louder"
    return [Finding(severity, "clipping", text, advice, round(100 * share, 2), "%")]


def speech_findings(heard: Heard) -> list[Finding]:
    """Return what is to be said of speech, given what it is like."""
    if heard.voice < _SPOKEN:
        advice = "give a file with speech; singing and whispers are not heard well"
        text = f"a voice is heard in {100 * heard.voice:.0f} % of it"
        return [Finding("problem", "voice", text, advice, round(100 * heard.voice, 1), "%")]
    text = f"somebody speaks in {100 * heard.voice:.0f} % of it"
    findings = [Finding("good", "voice", text, "", round(100 * heard.voice, 1), "%")]
    findings += [*_noise(heard), *_second(heard), *_echo(heard), *_band(heard)]
    return findings + _silence(heard)


def _noise(heard: Heard) -> list[Finding]:
    if math.isnan(heard.ratio):
        return []
    lively = heard.noise.change > _CHANGING
    value = round(heard.ratio, 1)
    if heard.ratio >= _QUIET_DB:
        text = f"speech is {min(value, 60):.0f} dB louder than what is beside it"
        return [Finding("good", "noise", text, "", value, "dB")]
    what = "music or other voices" if lively else "noise"
    text = f"speech is only {value:.0f} dB louder than the {what} beside it"
    advice = "use the speech alone, without music" if lively else "use a quieter recording"
    if lively:
        advice += "; --denoise auto takes some of it out to listen to it"
    problem, warning = _LIVELY if lively else _STEADY
    severity: Severity = "hint"
    if heard.ratio < warning:
        severity = "problem" if heard.ratio < problem else "warning"
    return [Finding(severity, "noise", text, advice, value, "dB")]


def _second(heard: Heard) -> list[Finding]:
    if heard.second < _SECOND:
        return []
    severity: Severity = "warning" if heard.second > _SECOND_SURELY else "hint"
    text = f"a second voice seems to be heard under the first in {100 * heard.second:.0f} % of it"
    advice = "use a file for each person: the mouth would speak for both"
    return [Finding(severity, "second voice", text, advice, round(100 * heard.second, 1), "%")]


def _echo(heard: Heard) -> list[Finding]:
    if heard.decay < _ECHO or heard.ratio < _ECHO_HEARD_DB:
        return []
    severity: Severity = "warning" if heard.decay >= _LONG_ECHO else "hint"
    text = f"the room rings for {heard.decay:.1f} s"
    advice = "use a closer microphone: the mouth will open and close late"
    return [Finding(severity, "reverberation", text, advice, round(heard.decay, 2), "s")]


def _band(heard: Heard) -> list[Finding]:
    if heard.edge >= _NARROW_HERTZ:
        return []
    severity: Severity = "warning" if heard.edge < _TELEPHONE_HERTZ else "hint"
    text = f"there is nothing above {heard.edge / 1000:.1f} kHz, as in a telephone or a small file"
    advice = "s, f and other hissing sounds are heard less well; use a file of higher quality"
    return [Finding(severity, "bandwidth", text, advice, round(heard.edge), "Hz")]


def _silence(heard: Heard) -> list[Finding]:
    findings = []
    for name, start, end in (
        ("leading silence", 0.0, heard.first),
        ("trailing silence", heard.last, heard.seconds),
    ):
        if end - start >= _WAITING_SECONDS:
            text = f"nobody speaks for {end - start:.1f} s at the {_ENDS[name]}"
            where = ((round(start, 2), round(end, 2)),)
            advice = "the mouth rests meanwhile; cut it off if that is not meant"
            findings.append(Finding("hint", name, text, advice, round(end - start, 2), "s", where))
    return findings


_ENDS = {"leading silence": "beginning", "trailing silence": "end"}
