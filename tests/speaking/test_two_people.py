"""A dub of two people in one picture, judged by the samples of a lossless output."""

from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from synth import photo, sample_file

from labial.dubbing import DubReport, dub
from labial.errors import FaceError

N, SIDE = 24, 256


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    sample_file("face_landmarker")
    return tmp_path_factory.mktemp("two")


@pytest.fixture(scope="module")
def film(home: Path) -> Path:
    """A man who moves on the left, a photo of another one, larger, on the right; without sound."""
    still = np.rint(255 * photo()[150:500, 110:460]).astype(np.uint8)
    still = cv2.resize(still, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    path = home / "two.mkv"
    with av.open(str(sample_file("face_clip_short"))) as source, av.open(str(path), "w") as out:
        stream = out.add_stream("ffv1", rate=25, width=2 * SIDE, height=SIDE)
        stream.pix_fmt = "yuv420p"
        for i, picture in enumerate(source.decode(video=0)):
            if i == N:
                break
            man = picture.to_ndarray(format="rgb24")[30:342, 140:452]
            man = cv2.resize(man, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
            both = np.ascontiguousarray(np.concatenate([man, still], 1))
            frame = av.VideoFrame.from_ndarray(both, "rgb24").reformat(format="yuv420p")
            frame.pts = i
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


def luma(path: Path) -> np.ndarray:
    with av.open(str(path)) as container:
        return np.stack([f.to_ndarray()[:SIDE] for f in container.decode(video=0)])


def changed(film: Path, speaker: str) -> tuple[DubReport, bool, bool]:
    """What a dub says, and whether it changed the left and the right half of the picture."""
    out = film.with_name("out.mkv")
    report = dub(
        film, sample_file("speech_short"), out, speaker=speaker, codec="ffv1", quality="fast"
    )
    differs = luma(film) != luma(out)
    return report, bool(differs[..., :SIDE].any()), bool(differs[..., SIDE:].any())


def test_everybody(film: Path) -> None:
    report, left, right = changed(film, "all")
    assert (left, right) == (True, True)
    assert report.resynced == N
    assert report.people == "person 0 (1.0 s), person 1 (1.0 s)"


@pytest.mark.parametrize("speaker", ["64,120", "448,130@0.5", "0", "1", "largest", "auto"])
def test_who_is_not_asked_for_is_left_alone_bit_by_bit(speaker: str, film: Path) -> None:
    report, left, right = changed(film, speaker)
    # The larger face is person 0, and without a sound the one who speaks.
    assert (left, right) == ((True, False) if speaker in ("64,120", "1") else (False, True))
    assert report.resynced == N
    why = "listening" if speaker == "auto" else "not chosen"
    assert report.people == f"person {int(left)} (1.0 s); 1 person left alone: {why}"
    assert f"\ndubbed: {report.people}" in report.summary()


def test_somebody_who_is_not_there(film: Path) -> None:
    with pytest.raises(FaceError, match=r"--speaker 2: there are person 0 \(1\.0 s, right"):
        changed(film, "2")
