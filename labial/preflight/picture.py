"""What of a picture will work: the face's size, pose, light and mouth, and who is to be seen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from labial.audio.loudness import SILENT_DB
from labial.clip import EARLY, LATE, OPEN, SMALL_PIXELS, Clip, opening_of
from labial.metrics.sync import Offset
from labial.preflight.finding import Finding, Severity
from labial.speaking.cast import LEFT_ALONE
from labial.types import FaceTrack

# Luma of the skin around the mouth, of 255: below the first nothing in front of it is looked for.
_DARK, _DIM = 30.0, 50.0
_SHARE_WARNED, _SHARE_LOST = 0.1, 0.5
_SHORT_SECONDS = 2.0
_PHOTO_PIXELS = 60.0

_ADVICE = {
    "no face": "those frames stay as they are; a face must be seen from the front",
    "turned away": "beyond 45 degrees of yaw the source stays; use takes that face the camera",
    "too small": "use a larger picture, or a closer shot: the face must be some 60 pixels wide",
    "blurred": "use a sharper take, or a shorter exposure",
    "mouth covered": "what covers the mouth stays, and the source with it",
    "chin out of frame": "use a wider shot: the chin must be in the picture",
    "mouth out of frame": "use a wider shot: the mouth must be in the picture",
    "dissolve": "dissolves are left as they are",
}


def picture_findings(clip: Clip, offset: Offset | None) -> list[Finding]:
    """Return what is to be said of a clip's picture; of a clip of one frame, as of a photo.

    Parameters
    ----------
    clip
        The clip.
    offset
        What :func:`labial.clip.offset_of` says of it.
    """
    findings = _left(clip)
    usable = [clip.tracks[k] for k in np.unique(clip.which[clip.quality > 0])]
    findings += face_findings(usable, len(clip.times) == 1)
    findings += _people(clip)
    if len(clip.times) > 1:
        findings += _sync(clip, offset)
        if clip.seconds < _SHORT_SECONDS:
            findings.append(
                Finding(
                    "hint", "length", f"the clip is only {clip.seconds:.1f} s long",
                    "how far this person moves is learned from a few seconds of speech",
                    round(clip.seconds, 2), "s",
                )
            )  # fmt: skip
    if clip.deinterlaced:
        findings.append(
            Finding(
                "hint", "interlaced", f"{clip.deinterlaced} frames hold two fields",
                "they are deinterlaced once, at the frame rate", clip.deinterlaced, "frames",
            )
        )  # fmt: skip
    if clip.skipped:
        findings.append(
            Finding(
                "warning", "damage", f"{clip.skipped} packets are damaged and left out",
                "export the video again, if you can", clip.skipped, "packets",
            )
        )  # fmt: skip
    return findings


def face_findings(usable: Sequence[FaceTrack], photo: bool = False) -> list[Finding]:
    """Return what is to be said of the faces that can be re-synced, from their tracks alone."""
    if not usable:
        return []
    mouth = [] if photo else [_mouth(usable)]
    return [_size(usable, photo), *_light(usable), *mouth]


def _left(clip: Clip) -> list[Finding]:
    """Frames that are not re-synced, and those that fade, by their reasons."""
    n = len(clip.times)
    lost = clip.quality <= 0
    if n == 1:
        why = str(clip.reasons[0])
        if not lost[0]:
            return [Finding("good", "face", "the face can speak")]
        return [Finding("problem", why, f"the face cannot speak: {why}", _ADVICE.get(why, ""))]
    left = Counter(str(reason) for reason in clip.reasons[lost])
    text = f"{n - left.total()} of {n} frames can be re-synced"
    if left:
        why = ", ".join(f"{count} {reason}" for reason, count in left.most_common())
        text += f"; left as they are: {why}"
    share = left.total() / n
    worst = _by_share(share) if left else "good"
    findings = [Finding(worst, "usable frames", text, "", _percent(1 - share), "%")]
    for reason in sorted({str(reason) for reason in clip.reasons[clip.quality < 1]} - {""}):
        if reason in LEFT_ALONE:
            continue
        rows = (clip.reasons == reason) & (clip.quality < 1)
        gone, count = left[reason] / n, int(rows.sum())
        text = f"{reason} in {count} frames, " + (
            f"of which {left[reason]} are left as they are" if gone else "which fade to the source"
        )
        findings.append(
            Finding(
                _by_share(gone), reason, text, _ADVICE.get(reason, ""), _percent(count / n), "%",
                stretches(rows, clip.times),
            )
        )  # fmt: skip
    return findings


def _by_share(share: float) -> Severity:
    if share > _SHARE_LOST:
        return "problem"
    return "warning" if share > _SHARE_WARNED else "hint"


def _percent(share: float) -> float:
    return round(100 * share, 1)


def _size(usable: Sequence[FaceTrack], photo: bool) -> Finding:
    eyes = np.concatenate([track.scale[track.quality > 0] for track in usable])
    middle = float(np.median(eyes))
    text = f"the face is {middle:.0f} pixels wide between the outer eye corners"
    least = _PHOTO_PIXELS if photo else SMALL_PIXELS
    if middle >= least:
        return Finding("good", "face size", text, "", round(middle, 1), "pixels")
    advice = "use a larger picture: little of the mouth will be seen"
    return Finding("warning", "face size", text, advice, round(middle, 1), "pixels")


def _light(usable: Sequence[FaceTrack]) -> list[Finding]:
    looks = [track.usual for track in usable if track.usual.size]
    if not looks:
        return []
    luma = float(np.median([(look @ np.array([0.2126, 0.7152, 0.0722])).mean() for look in looks]))
    text, value = f"the light at the mouth is {luma:.0f} of 255", round(luma, 1)
    if luma >= _DIM:
        return [Finding("good", "light", text, "", value, "of 255")]
    advice = "brighten the video first: what is in front of the mouth is not found in the dark"
    return [Finding("warning" if luma < _DARK else "hint", "light", text, advice, value, "of 255")]


def _mouth(usable: Sequence[FaceTrack]) -> Finding:
    widest = []
    for track in usable:
        gap = opening_of(track)[track.quality > 0]
        widest.append(float(np.nanmax(gap)) if np.isfinite(gap).any() else 0.0)
    value = round(max(widest), 3)
    shut = sum(gap < OPEN for gap in widest)
    if shut == len(usable):
        advice = "teeth will be drawn, likely ones, not this person's; use a take that speaks"
        text = f"the mouth never opens (at most {value:.2f} eye distances)"
        return Finding("warning", "mouth opening", text, advice, value, "eye distances")
    text = f"the mouth opens to {value:.2f} eye distances"
    if not shut:
        return Finding("good", "mouth opening", text, "", value, "eye distances")
    text += f", but never in {shut} of {len(usable)} tracks"
    advice = "where nobody knows the teeth, likely ones are drawn"
    return Finding("hint", "mouth opening", text, advice, value, "eye distances")


def _people(clip: Clip) -> list[Finding]:
    findings = []
    people = len({track.person for track in clip.tracks if track.present.any()})
    if people > 1:
        together = "the largest one speaks" if len(clip.times) == 1 else (
            "who speaks is dubbed; labial inspect shows who that is, --speaker chooses"
        )  # fmt: skip
        findings.append(
            Finding("hint", "people", f"{people} faces are to be seen", together, people, "people")
        )
    if clip.strangers:
        findings.append(
            Finding(
                "warning", "people known again",
                f"people are not known again after cuts: {clip.strangers}",
                "choose them with a file of boxes, --speaker FILE.json",
            )
        )  # fmt: skip
    begins = sorted({track.start for track in clip.tracks if track.start})
    if begins:
        where = tuple((float(clip.times[k]), float(clip.times[k])) for k in begins)
        findings.append(
            Finding(
                "hint", "cuts", f"faces appear anew at {len(begins)} moments",
                "each is followed on its own, and known again", len(begins), "moments", where,
            )
        )  # fmt: skip
    return findings


def _sync(clip: Clip, offset: Offset | None) -> list[Finding]:
    if clip.loudness is None:
        return [Finding("hint", "own sync", "it has no sound of its own", _SILENT)]
    if clip.loudness.max() <= SILENT_DB:
        return [Finding("hint", "own sync", "its own sound is silence", _SILENT)]
    if offset is None:
        return [Finding("hint", "own sync", "its own sound does not clearly belong to this mouth")]
    late = round(1000 * offset.seconds)
    text = f"its own sound comes {abs(late)} ms {'after' if late > 0 else 'before'} its mouth"
    if abs(late) < _WITH_MS:
        text = "its own sound comes with its mouth"
    text += f" ({offset.confidence:.0%} sure)"
    if -EARLY <= offset.seconds <= LATE:
        return [Finding("good", "own sync", text, "", late, "ms")]
    advice = "who speaks, and how this person moves, is learned less well; labial fix moves it"
    return [Finding("warning", "own sync", f"{text}: out of sync", advice, late, "ms")]


_SILENT = "who speaks, and how far they move, is learned from pictures alone"
_WITH_MS = 15


def stretches(
    rows: npt.NDArray[np.bool_], times: npt.NDArray[np.float64]
) -> tuple[tuple[float, float], ...]:
    """Runs of True among ``rows`` (n,) as seconds, given the rows' times (n,)."""
    step = float(times[-1] - times[0]) / (len(times) - 1) if len(times) > 1 else 0.04
    edges = np.flatnonzero(np.diff(np.concatenate([[False], rows, [False]])))
    return tuple(
        (round(float(times[a]), 2), round(float(times[b - 1]) + step, 2))
        for a, b in edges.reshape(-1, 2)
    )
