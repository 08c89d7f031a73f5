"""Track every clip of a corpus once, and read the tracks back as mouth displacements.

    python -m training.corpus CORPUS [PART PARTS]

CORPUS (default: $LABIAL_CORPUS) holds ``grid/*.mp4``, ``people/*.mp4`` and ``people.csv``. The
cache is ``training/cache/tracks/<folder>__<clip>.npz``: landmarks (n, 478, 3) float32 pixels,
presence (n,), times (n,) seconds, audio (m,) float16 at 16 kHz with sample 0 at time 0.
Run it twice with "0 2" and "1 2" to use two cores.
"""

from __future__ import annotations

import csv
import fnmatch
import os
import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from labial.audio.clean import prepare
from labial.face.pose import fit_poses, neutral_shape, reference_shape

HERE = Path(__file__).parent
TRACKS = HERE / "cache" / "tracks"
MAX_FRAMES = 3000
FRONTAL, TURNED = 25.0, 45.0


@dataclass
class Clip:
    """One clip as mouth displacement.

    ``displacement`` (n, 478, 3) from the clip's own neutral in face space, ``times`` (n,)
    seconds, ``usable`` and ``frontal`` (n,) bool, ``audio`` (m,) float32 at 16 kHz.
    """

    name: str
    speaker: str
    held_out: bool
    times: np.ndarray
    displacement: np.ndarray
    usable: np.ndarray
    frontal: np.ndarray
    audio: np.ndarray


def track(path: Path, target: Path) -> int:
    """Track one clip into ``target``; return the number of frames."""
    from labial.errors import SpeechError
    from labial.face.detect import FaceDetector
    from labial.face.mesh import FaceMesh, Region
    from labial.media.read import VideoReader
    from labial.media.sound import read_audio

    detector, mesh = FaceDetector(), FaceMesh()
    landmarks, presence, times = [], [], []
    region, begin = None, Fraction(0)
    with VideoReader(path) as reader:
        for frame in reader.frames():
            if len(times) == MAX_FRAMES:
                break
            if region is None and (found := detector.detect(frame)):
                region = Region.of_detection(found[0])
            face = mesh(frame, region) if region else None
            # Sound is read from the first frame on.
            begin = begin if times else frame.time
            times.append(float(frame.time - begin))
            presence.append(face.presence if face else 0.0)
            landmarks.append(face.landmarks if face else np.full((478, 3), np.nan, np.float32))
            region = Region.of_landmarks(face.landmarks) if face and face.presence > 0.5 else None
    try:
        audio = read_audio(path, 16_000).samples
    except SpeechError:
        audio = np.zeros(0, np.float32)
    partial = target.with_suffix(".partial.npz")
    np.savez(
        partial,
        landmarks=np.array(landmarks, np.float32),
        presence=np.array(presence, np.float32),
        times=np.array(times),
        audio=audio.astype(np.float16),
    )
    partial.rename(target)
    return len(times)


def speaker_of(name: str) -> str:
    """GRID: the speaker code. People: the clip's family, without its numbers."""
    if name.startswith("grid__"):
        return name.split("__")[1].split("_")[0]
    return re.sub(r"[\d_]+$", "", re.sub(r"_?clip_?\d.*$", "", name.removeprefix("people__")))


def silent_clips(folder: Path) -> set[str]:
    """Names of people clips without audible speech, from people.csv."""
    with (folder / "people.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    return {f"people__{Path(r['file']).stem}" for r in rows if r["audio"].strip() != "yes"}


def clips(folder: Path = TRACKS, every_grid: int = 1) -> Iterator[Clip]:
    """Yield the clips with speech and a face; of GRID's s1 only each ``every_grid``-th."""
    patterns = [
        line.strip()
        for line in (HERE / "heldout.txt").read_text().splitlines()
        if line and not line.startswith("#")
    ]
    silent = silent_clips(folder)
    count = 0
    for path in sorted(folder.glob("*__*.npz")):
        name = path.stem
        if name in silent:
            continue
        if speaker_of(name) == "s1":
            count += 1
            if count % every_grid:
                continue
        with np.load(path) as data:
            landmarks, presence, times = data["landmarks"], data["presence"], data["times"]
            audio = data["audio"].astype(np.float32)
        seen = presence > 0.5
        if seen.sum() < 25 or len(audio) < 16_000:
            continue
        # Frames without a face hold the next one that has it; they are not usable.
        rows = np.flatnonzero(seen)
        filled = landmarks[
            rows[np.searchsorted(rows, np.arange(len(seen))).clip(max=len(rows) - 1)]
        ]
        reference = reference_shape(filled[seen][:: max(1, int(seen.sum()) // 400)])
        poses = fit_poses(filled, reference)
        local, yaw = poses.undo(filled), np.abs(poses.yaw())
        neutral = neutral_shape(local[seen], poses.yaw()[seen])
        yield Clip(
            name=name,
            speaker=speaker_of(name),
            held_out=any(fnmatch.fnmatch(name, p) for p in patterns),
            times=times,
            displacement=local - neutral,
            usable=seen & (yaw < TURNED),
            frontal=seen & (yaw < FRONTAL),
            audio=prepare(audio, name),
        )


if __name__ == "__main__":
    corpus = Path(sys.argv[1] if len(sys.argv) > 1 else os.environ["LABIAL_CORPUS"])
    part, parts = (int(a) for a in sys.argv[2:4]) if len(sys.argv) > 3 else (0, 1)
    TRACKS.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(corpus / "people.csv", TRACKS / "people.csv")
    files = sorted([*(corpus / "grid").glob("*.mp4"), *(corpus / "people").glob("*.mp4")])
    for path in files[part::parts]:
        target = TRACKS / f"{path.parent.name}__{path.stem}.npz"
        if not target.exists():
            print(target.stem, track(path, target), flush=True)
