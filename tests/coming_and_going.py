"""A film in which a face comes and goes, for whatever is made piece by piece."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from test_dubbing import actor, write_clip

GROUP, FACES, GREYS, RUNS = 6, 12, 36, 4
"""Frames of a group of pictures, of a stretch with a face and without; how often one comes."""


def write_groups(path: Path, pictures: list[np.ndarray]) -> Path:
    """Write H.264 in which every group of ``GROUP`` pictures can be copied on its own."""
    base = Fraction(1, 12800)
    lossless = write_clip(path.with_suffix(".mkv"), pictures)
    options = {"x264-params": f"keyint={GROUP}:min-keyint={GROUP}:scenecut=0:open-gop=0"}
    with av.open(str(lossless)) as source, av.open(str(path), "w") as out:
        origin = source.streams.video[0]
        stream = out.add_stream(
            "libx264", rate=25, width=origin.width, height=origin.height, time_base=base,
            options=options,
        )  # fmt: skip
        for i, frame in enumerate(source.decode(origin)):
            frame.pts, frame.time_base, frame.pict_type = 512 * i, base, 0
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


def write_coming_and_going(folder: Path) -> Path:
    """Each time a face comes is a piece, and what lies between is copied."""
    face = actor()[:FACES]
    grey = [np.full_like(face[0], 90 + i % 6) for i in range(GREYS)]
    return write_groups(folder / "film.mp4", [*grey, *face] * RUNS)
