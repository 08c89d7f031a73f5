"""Do the measures of ``labial eval`` notice what is wrong, and nothing else?

    python benchmarks/judge.py CLIP... [--keep FOLDER]

Each clip, with a face that speaks and its sound, is damaged in one known way after another, written
with the same encoder each time, and judged against the clip as it was. The table gives the means
over the clips: a row a measure, a column a damage. ``as it was`` is only encoded again.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from damaged import blurred, boxed, hushed, late, write_wav

import labial
from labial.clip import Clip, look
from labial.evaluating import MEASURES, Evaluation, Judgement, evaluate
from labial.media import EncodeSettings, VideoReader, VideoWriter, read_audio
from labial.types import FaceTrack, FloatArray, Frame

KINDS = ("as it was", "late", "hushed", "blurred", "boxed", "frozen")
Edit = Callable[[Frame, FaceTrack, int], Frame]


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("clips", type=Path, nargs="+")
    parser.add_argument("--keep", type=Path, help="folder for the damaged videos")
    given = parser.parse_args()
    found: dict[str, dict[str, Evaluation]] = {kind: {} for kind in KINDS}
    with tempfile.TemporaryDirectory(prefix="labial-judge-") as folder:
        home = given.keep or Path(folder)
        home.mkdir(parents=True, exist_ok=True)
        for path in given.clips:
            for kind, video in damage(path, home).items():
                found[kind][path.stem] = evaluate(video, ref=path)
                print(f"{path.stem}: {kind}", file=sys.stderr, flush=True)
    show(found)
    return 0


def damage(path: Path, home: Path) -> dict[str, Path]:
    """Write all damaged versions of a clip; return them by kind."""
    clip = look(path, lambda stage, done, total: None)
    sound = np.asarray(read_audio(path, 16_000).samples)
    plain = write_wav(home / f"{path.stem}.wav", sound)
    made = {}
    for kind in KINDS:
        target = home / f"{path.stem}.{kind.replace(' ', '-')}.mp4"
        speech, edit, filmed = plain, None, path
        if kind in SOUNDS:
            speech = write_wav(home / f"{path.stem}.{kind}.wav", SOUNDS[kind](sound))
        elif kind == "frozen":
            # What is said is silence: the mouth rests throughout.
            filmed = home / f"{path.stem}.resting.mp4"
            quiet = write_wav(home / f"{path.stem}.quiet.wav", 0 * sound)
            labial.dub(path, quiet, filmed, crf=12, expression=0.0)
        else:
            edit = PICTURES.get(kind)
        made[kind] = rewritten(filmed, target, speech, clip, edit)
    return made


def rewritten(source: Path, target: Path, speech: Path, clip: Clip, edit: Edit | None) -> Path:
    """Write a film anew with some sound, and each face edited."""
    settings = EncodeSettings("h264", crf=14)
    with (
        VideoReader(source) as reader,
        VideoWriter(target, reader.media, settings, speech) as writer,
    ):
        for frame in reader.frames():
            found = clip.track_of(frame.index)
            if edit is not None and found is not None and found[0].present[found[1]]:
                frame = edit(frame, *found)
            writer.write(frame)
    return target


SOUNDS: dict[str, Callable[[FloatArray], FloatArray]] = {"late": late, "hushed": hushed}
PICTURES: dict[str, Edit] = {"blurred": blurred, "boxed": boxed}


def show(found: dict[str, dict[str, Evaluation]]) -> None:
    """Print the table of means."""
    print(f"| measure | real | {' | '.join(found)} |")
    print("|---|---|" + "---|" * len(found))
    columns = {kind: Judgement(each, {}, ()) for kind, each in found.items()}
    means = [columns["as it was"].real_means(), *(each.means() for each in columns.values())]
    for measure in MEASURES:
        if any(measure.name in each for each in means):
            cells = [each.get(measure.name) for each in means]
            told = " | ".join(measure.text(None if c is None else c.mean) for c in cells)
            print(f"| {measure.name} | {told} |")


if __name__ == "__main__":
    sys.exit(main())
