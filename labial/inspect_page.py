"""The page of ``labial inspect``: one HTML file with the picture, the people and the numbers."""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from labial import geometry
from labial.clip import Clip, opening_of
from labial.lanes import Life
from labial.page import embedded, shown, table, write_document
from labial.sheet import Image
from labial.types import FaceTrack


def write_page(
    target: Path,
    picture: Image,
    clip: Clip,
    lines: Sequence[tuple[bool, str]],
    people: Sequence[Life],
    thumbs: Mapping[int, Image],
) -> None:
    """Write picture, people and a table of faces as one file, whole or not at all.

    Parameters
    ----------
    target
        The file.
    picture
        (h, w, 3) the whole picture that a ``.png`` would be.
    clip, lines, people, thumbs
        What was seen, in words, who is in it, and what they look like, by person.

    Raises
    ------
    WriteError
    """
    name = shown(clip.media.path.name)
    head = (
        "track", "person", "from", "to", "frames", "re-synced", "face px", "yaw", "pitch",
        "opening, median", "opening, widest", "left as they are",
    )  # fmt: skip
    rows = [_row(clip, k, track) for k, track in enumerate(clip.tracks, 1)]
    numbers = table(head, [[html.escape(cell) for cell in row] for row in rows])
    known = table(
        ("", "person", "--speaker", "first seen at", "what they do"),
        [
            [
                f'<img alt="person {life.person}" src="{embedded(thumbs[life.person])}">'
                if life.person in thumbs
                else "",
                str(life.person),
                f"<code>--speaker {life.person}</code>",
                f"{clip.times[int(life.seen.argmax())]:.2f} s",
                html.escape(life.words(clip)),
            ]
            for life in people
        ],
    )
    said = "".join(f"<li>{html.escape(line)}</li>" for _, line in lines)
    body = (
        f'<img alt="What Labial sees in {name}" src="{embedded(picture)}">\n'
        f"<ul>{said}</ul>\n<h2>People</h2>\n{known}\n<h2>Faces</h2>\n"
        "<p>Times in seconds, angles in degrees, openings of the inner lips in distances between "
        "the outer eye corners.</p>\n"
        f"{numbers}"
    )
    write_document(target, name, body)


def _row(clip: Clip, number: int, track: FaceTrack) -> tuple[str, ...]:
    """The numbers of one track."""
    stop = clip.times[track.end] if track.end < len(clip.times) else clip.seconds
    good = track.quality > 0
    left = Counter(str(reason) for reason in track.reasons[~good])
    passed = ", ".join(f"{why} {n}" for why, n in left.most_common())
    times = (f"{clip.times[track.start]:.2f}", f"{stop:.2f}")
    counts = (str(number), str(track.person), *times, str(len(track)), str(int(good.sum())))
    angles = np.stack(geometry.angles_degrees(track.rotation[track.present])[:2], 1)
    (yaw, pitch), (yaw_, pitch_) = angles.min(0), angles.max(0)
    opening = opening_of(track)
    return (
        *counts,
        f"{np.median(track.scale[track.present]):.0f}",
        f"{yaw:+.0f} to {yaw_:+.0f}",
        f"{pitch:+.0f} to {pitch_:+.0f}",
        f"{np.nanmedian(opening):.3f}",
        f"{np.nanmax(opening):.3f}",
        passed,
    )
