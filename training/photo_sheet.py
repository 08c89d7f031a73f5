"""Photos that speak, looked at: the same mouths without and with the learned parts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from labial import weights
from labial.animating import look_at, own_bank, read_photo
from labial.audio.load import load_speech
from labial.composite.blend import compose
from labial.motion.predict import predict
from labial.motion.retarget import Retarget
from labial.motion.style import average
from labial.motion.wanted import wanted_motion
from labial.options import AnimateOptions, DubOptions
from labial.render.learned import Learned
from labial.render.mouth import render_mouth
from labial.speech.visemes import visemes_at
from training.reenactment import BASIS, LIPS, crop, mouth_box

WAYS = ("photo", "fast", "standard")


def mouths() -> tuple[np.ndarray, np.ndarray]:
    """(5, K) mouths of a sample of speech and their (5, 15) visemes: from shut to widest."""
    said = predict(load_speech(weights.path("speech_short")))
    wanted = wanted_motion(said, average(BASIS), BASIS, DubOptions())
    times = np.arange(len(said)) / said.motion.rate
    every = wanted.at(times)
    opening, width = BASIS.aperture(every), BASIS.width(every)
    order = np.argsort(opening)
    at = [order[int(q * (len(order) - 1))] for q in (0.5, 0.8, 0.97)]
    open_ones = order[len(order) // 2 :]
    at += [open_ones[width[open_ones].argmin()], open_ones[width[open_ones].argmax()]]
    return every[at], visemes_at(said, times[at])


def photo_columns(path: Path) -> list[tuple[str, dict[str, np.ndarray]]]:
    """What a sheet shows of a photo: for each mouth its pictures by the names of ``WAYS``."""
    wanted, visemes = mouths()
    _, rgb = read_photo(path)
    portrait = look_at(rgb, len(wanted), AnimateOptions(), path)
    track = portrait.track
    retarget = Retarget(track, BASIS, wanted, 25.0)
    learned = Learned(track, retarget, own_bank(portrait), visemes)
    unit = float(track.scale[0])
    columns = []
    for row, name in enumerate(("half open", "open", "widest open", "round", "wide")):
        frame = replace(portrait.frame, index=row)
        shift = retarget.displacement(row) @ track.rotation[row].T
        moved = track.landmarks[row] + unit * shift
        box = mouth_box(frame, [track.landmarks[row][LIPS, :2], moved[LIPS, :2]], unit)
        pictures = {"photo": crop(frame, box)}
        for way, parts in {"fast": None, "standard": learned}.items():
            layers = render_mouth(frame, track, retarget, None, parts)
            if layers is not None:
                out = compose(layers, parts.refiner if parts else None).frame
                pictures[way] = crop(out, box)
        columns.append((name, pictures))
    return columns
