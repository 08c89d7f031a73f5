"""Apple's 52 face coefficients of speech, written as Epic's Live Link Face app writes them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from labial.exports.curves import Curves, blend
from labial.exports.transcript import Transcript
from labial.speech.visemes import VISEMES

BLENDSHAPES: tuple[str, ...] = (
    "EyeBlinkLeft", "EyeLookDownLeft", "EyeLookInLeft", "EyeLookOutLeft", "EyeLookUpLeft",
    "EyeSquintLeft", "EyeWideLeft", "EyeBlinkRight", "EyeLookDownRight", "EyeLookInRight",
    "EyeLookOutRight", "EyeLookUpRight", "EyeSquintRight", "EyeWideRight", "JawForward",
    "JawRight", "JawLeft", "JawOpen", "MouthClose", "MouthFunnel", "MouthPucker", "MouthRight",
    "MouthLeft", "MouthSmileLeft", "MouthSmileRight", "MouthFrownLeft", "MouthFrownRight",
    "MouthDimpleLeft", "MouthDimpleRight", "MouthStretchLeft", "MouthStretchRight",
    "MouthRollLower", "MouthRollUpper", "MouthShrugLower", "MouthShrugUpper", "MouthPressLeft",
    "MouthPressRight", "MouthLowerDownLeft", "MouthLowerDownRight", "MouthUpperUpLeft",
    "MouthUpperUpRight", "BrowDownLeft", "BrowDownRight", "BrowInnerUp", "BrowOuterUpLeft",
    "BrowOuterUpRight", "CheekPuff", "CheekSquintLeft", "CheekSquintRight", "NoseSneerLeft",
    "NoseSneerRight", "TongueOut",
)  # fmt: skip
"""The 52 coefficients in the order of the app's file."""
ROTATIONS: tuple[str, ...] = (
    "HeadYaw", "HeadPitch", "HeadRoll", "LeftEyeYaw", "LeftEyePitch", "LeftEyeRoll",
    "RightEyeYaw", "RightEyePitch", "RightEyeRoll",
)  # fmt: skip

# Channels, the coefficients that follow each, and for each Oculus viseme its value. "close" is
# how far the lips meet, whatever the jaw does.
_COEFFICIENTS = {
    "jaw": ("JawOpen",), "close": ("MouthClose",), "funnel": ("MouthFunnel",),
    "pucker": ("MouthPucker",), "smile": ("MouthSmileLeft", "MouthSmileRight"),
    "stretch": ("MouthStretchLeft", "MouthStretchRight"), "roll": ("MouthRollLower",),
    "roll_upper": ("MouthRollUpper",), "press": ("MouthPressLeft", "MouthPressRight"),
    "lower": ("MouthLowerDownLeft", "MouthLowerDownRight"),
    "upper": ("MouthUpperUpLeft", "MouthUpperUpRight"), "tongue": ("TongueOut",),
}  # fmt: skip
_CHANNELS = tuple(_COEFFICIENTS)
_POSES: dict[str, dict[str, float]] = {
    "sil": {},
    "PP": {"jaw": 0.08, "close": 1, "press": 0.35, "roll": 0.18, "roll_upper": 0.12},
    "FF": {"jaw": 0.07, "roll": 0.5, "upper": 0.22, "close": 0.25},
    "TH": {"jaw": 0.14, "lower": 0.15, "upper": 0.08, "tongue": 0.18},
    "DD": {"jaw": 0.11, "lower": 0.15, "upper": 0.08},
    "kk": {"jaw": 0.14, "lower": 0.12, "upper": 0.05},
    "CH": {"jaw": 0.1, "funnel": 0.45, "pucker": 0.2, "lower": 0.12, "upper": 0.1},
    "SS": {"jaw": 0.05, "stretch": 0.2, "smile": 0.1, "lower": 0.22, "upper": 0.1},
    "nn": {"jaw": 0.12, "lower": 0.14, "upper": 0.06},
    "RR": {"jaw": 0.12, "funnel": 0.28, "pucker": 0.2, "lower": 0.08},
    "aa": {"jaw": 0.5, "lower": 0.2, "upper": 0.1},
    "E": {"jaw": 0.3, "smile": 0.12, "stretch": 0.15, "lower": 0.2, "upper": 0.1},
    "ih": {"jaw": 0.15, "smile": 0.22, "stretch": 0.25, "lower": 0.18, "upper": 0.1},
    "oh": {"jaw": 0.32, "funnel": 0.5, "pucker": 0.2, "lower": 0.05},
    "ou": {"jaw": 0.14, "funnel": 0.3, "pucker": 0.65},
}
# How hard each viseme holds on the jaw, on rounding and spreading, on closing, on the lips' rise
# and fall, and on the tongue.
_HOLDS: dict[str, tuple[float, float, float, float, float]] = {
    "sil": (0.6, 0.4, 0.4, 0.6, 0.6), "PP": (0.6, 0.15, 2.0, 1.2, 0.8),
    "FF": (0.6, 0.2, 1.5, 1.2, 0.8), "TH": (0.4, 0.2, 0.4, 0.5, 1.5),
    "DD": (0.35, 0.15, 0.4, 0.4, 0.6), "kk": (0.2, 0.1, 0.3, 0.3, 0.5),
    "CH": (0.6, 1.2, 0.4, 0.6, 0.5), "SS": (0.9, 0.4, 0.4, 0.6, 0.6),
    "nn": (0.25, 0.1, 0.3, 0.3, 0.5), "RR": (0.3, 0.6, 0.4, 0.4, 0.5),
    "aa": (0.9, 0.5, 0.5, 0.6, 0.5), "E": (0.8, 0.6, 0.5, 0.6, 0.5),
    "ih": (0.6, 0.8, 0.5, 0.6, 0.5), "oh": (0.8, 1.2, 0.5, 0.6, 0.5),
    "ou": (0.7, 1.3, 0.5, 0.6, 0.5),
}  # fmt: skip
_HOLD_OF = {"jaw": 0, "funnel": 1, "pucker": 1, "smile": 1, "stretch": 1, "close": 2, "roll": 2,
            "roll_upper": 2, "press": 2, "lower": 3, "upper": 3, "tongue": 4}  # fmt: skip
_TARGETS = np.array([[_POSES[v].get(c, 0.0) for c in _CHANNELS] for v in VISEMES])
_STRENGTHS = np.array([[_HOLDS[v][_HOLD_OF[c]] for c in _CHANNELS] for v in VISEMES])
# What a lip opening or a change of width of one eye-corner distance does to a coefficient, and
# how much of a curve is the motion's where there is one, the rest being the phones'.
_JAW_PER_APERTURE, _PUCKER_PER_WIDTH, _STRETCH_PER_WIDTH = 4.0, 6.0, 4.0
_OF_MOTION = 0.5


def face_curves(transcript: Transcript, fps: float) -> Iterator[Curves]:
    """Yield (≤ 4096, 52) coefficients 0..1 in the order of :data:`BLENDSHAPES`, ``fps`` a second.

    The jaw follows both the phones and the mouth's own motion; what closes the lips is the
    phones' alone, so a closure is a closure. ``MouthClose`` counts the jaw's opening back, as
    Apple defines it, and never exceeds it. Eyes, brows and head stay at 0.
    """
    times = transcript.frame_times(fps)
    columns = {c: [BLENDSHAPES.index(b) for b in names] for c, names in _COEFFICIENTS.items()}
    at = {channel: k for k, channel in enumerate(_CHANNELS)}
    start = 0
    for channels in blend(transcript.phones, _TARGETS, _STRENGTHS, times):
        values = channels.copy()
        t = times[start : start + len(values)]
        start += len(values)
        if len(transcript.aperture):
            rows = np.arange(len(transcript.aperture)) / transcript.rate
            aperture = np.interp(t, rows, transcript.aperture)
            width = np.interp(t, rows, transcript.width)
            for channel, seen in (
                ("jaw", _JAW_PER_APERTURE * aperture),
                ("pucker", -_PUCKER_PER_WIDTH * width),
                ("stretch", _STRETCH_PER_WIDTH * width),
            ):
                k = at[channel]
                values[:, k] += _OF_MOTION * (seen.clip(0, 1) - values[:, k])
        # Neighbours take a little from every peak: lips that should meet must meet, and part fully.
        met = (2 * values[:, at["close"]] - 0.6).clip(0, 1)
        values[:, at["close"]] = met * values[:, at["jaw"]]
        face = np.zeros((len(values), len(BLENDSHAPES)))
        for channel, names in columns.items():
            face[:, names] = values[:, at[channel], None]
        yield face.clip(0, 1)


def live_link_face(transcript: Transcript, fps: float) -> Iterator[str]:
    """Yield the lines of a Live Link Face CSV file: timecode, count, 52 coefficients, rotations."""
    names = (*BLENDSHAPES, *ROTATIONS)
    yield f"Timecode,BlendshapeCount,{','.join(names)}\n"
    number, still = 0, ",0.0000" * len(ROTATIONS)
    for rows in face_curves(transcript, fps):
        for row in rows.tolist():
            values = ",".join([f"{value:.4f}" for value in row])
            yield f"{timecode(number, fps)},{len(names)},{values}{still}\n"
            number += 1


def timecode(frame: int, fps: float) -> str:
    """Return a frame's number as ``HH:MM:SS:FF.000``, none dropped, at ``fps`` rounded up."""
    nominal = int(np.ceil(fps - 1e-6))
    seconds, frames = divmod(frame, nominal)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}:{frames:02}.000"
