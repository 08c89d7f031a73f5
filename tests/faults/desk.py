"""Faults of lengths, languages, checks, repairs, voices, and of pages about a dub."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from faults.case import LOSSLESS, Case, Job, job
from faults.clips import TICK, Scene, face, film, picture_frame, said, voice, wall
from faults.stills import pictures
from synth_media import audio_frame

N = 10  # 0.4 s
MS = Fraction(1, 1000)
UNEVEN = (0, 20, 60, 61, 140, 200, 310, 360)
# They end where the film does, on for as long as its last step.
AGAIN = (*UNEVEN, *(410 + t for t in UNEVEN))
RATE = 16000
SHORTER, LONGER = 0.3, 2.0


def _even(n: int, share: float) -> list[Fraction]:
    """When frames of a film of ``n`` are shown that ends in the frame in which the speech does."""
    return [i * TICK for i in range(-(-round(1000 * share * n / 25) // 40))]


def _turned(container: Any, stream: Any) -> None:
    stream.set_display_rotation(-90)


def lengths() -> Iterator[Case]:
    """Speech of .3 and 2 times the video's length, on odd videos, in each mode."""

    def case(
        name: str, mode: str, share: float, make: Callable[[Path], Path],
        times: Sequence[Fraction], seconds: float = N / 25,
    ) -> Case:  # fmt: skip
        def made(folder: Path) -> Job:
            speech = voice(folder / "in" / "speech.wav", seconds * share)
            more = (*LOSSLESS, "--quality", "fast", "--sync-mode", mode)
            return job(folder, make(folder), speech, more=more, times=times)

        return Case(f"{name}, speech of {share:g}, {mode}", made)

    def even(folder: Path) -> Path:
        return film(folder / "in" / "film.mkv", face(N))

    def single(folder: Path) -> Path:
        return film(folder / "in" / "film.mkv", face(1))

    def uneven(folder: Path) -> Path:
        return film(folder / "in" / "film.mkv", face(len(UNEVEN)), pts=UNEVEN, time_base=MS)

    def turned(folder: Path) -> Path:
        return film(folder / "in" / "film.mp4", face(N).turned(1), codec="libx264", setup=_turned)

    def shots(folder: Path) -> Path:
        return pictures(folder, face(N))

    whole = _even(N, 1)
    yield case("even frames", "silence", SHORTER, even, whole)
    yield case("numbered pictures", "silence", LONGER, shots, whole)
    yield case("even frames", "cut_off", LONGER, even, whole)
    for name, mode, make in (
        ("numbered pictures", "cut_off", shots), ("rotated", "loop", turned),
        ("even frames", "bounce", even), ("numbered pictures", "hold", shots),
        ("rotated", "remap", turned),
    ):  # fmt: skip
        yield case(name, mode, SHORTER, make, _even(N, SHORTER))
    first = [t * MS for t in UNEVEN if t < 1000 * SHORTER * N / 25]
    yield case("uneven frames", "cut_off", SHORTER, uneven, first)
    for mode in ("loop", "bounce", "hold", "remap"):
        yield case("one frame", mode, LONGER, single, _even(1, LONGER), 1 / 25)
        made = {"loop": shots, "bounce": turned, "hold": turned, "remap": shots}[mode]
        name = "rotated" if made is turned else "numbered pictures"
        yield case(name, mode, LONGER, made, _even(N, LONGER))
    there = [*UNEVEN[:-1], *(2 * UNEVEN[-1] - t for t in UNEVEN[:0:-1])]
    back = [*there, *(2 * UNEVEN[-1] + t for t in there)]
    yield case("uneven frames", "bounce", LONGER, uneven, [t * MS for t in back if t < 800])


SILENT = np.zeros((1, RATE), np.float32)


def _muxed(folder: Path, scene: Scene, *sounds: np.ndarray) -> Path:
    """A film with tracks of (1, n) float32 sound."""
    path = folder / "in" / "film.mkv"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("ffv1", rate=25, width=scene.size[0], height=scene.size[1])
        stream.pix_fmt = "yuv420p"
        tracks = [out.add_stream("pcm_f32le", rate=RATE, layout="mono") for _ in sounds]
        for index, picture in enumerate(scene.pictures):
            frame = picture_frame(picture, "yuv420p")
            frame.pts = index
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
        for track, sound in zip(tracks, sounds, strict=True):
            resampler = av.AudioResampler("flt", "mono", RATE)
            for block in resampler.resample(audio_frame(sound, RATE, "mono")):
                out.mux(track.encode(block))
            out.mux(track.encode(None))
    return path


def _asked(
    line: str,
    says: str,
    done: bool = False,
    scene: Callable[[], Scene] = lambda: face(N),
    sounds: Callable[[], Sequence[np.ndarray]] = lambda: [said(1.0, RATE)],
    name: str = "",
    out: str = "out.mkv",
) -> Case:
    """A line of the command line, in which FILM, SPEECH, IN and OUT stand for what they say."""

    def make(folder: Path) -> Job:
        words = {
            "FILM": str(_muxed(folder, scene(), *sounds())),
            "SPEECH": str(voice(folder / "in" / "speech.wav")),
            "IN": str(folder / "in"),
            "OUT": str(folder / "out"),
        }
        row = {"start": 0.1, "end": 0.3, "audio": "speech.wav", "audio_end": 0.2}
        (folder / "in" / "what.json").write_text(json.dumps([row]))
        arguments = line.split(" ")
        for word, stands in words.items():
            arguments = [part.replace(word, stands) for part in arguments]
        return Job(arguments, folder / "out" / out)

    return Case(name or line, make, "done" if done else "refused", says)


def languages() -> Iterator[Case]:
    """Several languages, one file of them, and what is asked of the speech."""
    both = "dub FILM --audio es=SPEECH --audio fr=SPEECH --quality fast -o OUT/"
    yield _asked(f"{both}out.mkv --mux first", "re-synced", done=True)
    yield _asked(f"{both}out.mkv --mux source --loudness -20", "picture kept", done=True)
    for line, says in (
        ("out.mkv", "several languages need {lang} in the name"),
        ("{lang}.mkv --mux first", "leave {lang} out"),
        ("out.mp4 --mux first --codec ffv1", "2 problems.*cannot hold ffv1"),
        ("out.webm --mux source", "cannot hold this file's ffv1 pictures"),
        ("%03d.png --mux first", "pictures alone have no sound"),
        ("%03d.png --mux source", "pictures alone have no sound"),
        ("out.mkv --mux both", "mux"),
        ("out.mkv --mux source --report OUT/a.html", "--report: leave it out"),
        ("out.mkv --mux source --crf 9", "leave out --crf"),
        ("out.mkv --mux source --sync-mode loop", "--sync-mode: leave it out"),
        ("{lang}.mkv --report OUT/a.html", "--report .*several languages need {lang}"),
        ("{lang}.mkv --preview OUT/a.png", "--preview .*several languages need {lang}"),
        ("{lang}.mkv --text So.", "2 problems.*give one of --audio"),
        ("{lang}.mkv --audio FR=SPEECH", "fr and FR are one language"),
        ("{lang}.mkv --audio fra=SPEECH", "fr and fra are one language"),
        ("{lang}.mkv --audio qq=SPEECH", "--language qq: give an ISO 639 code"),
        ("{lang}.mkv --audio klingon=SPEECH", "--audio es=es.wav --audio fr=fr.wav"),
    ):
        yield _asked(both + line, says)
    one = "dub FILM --audio SPEECH -o OUT/out.mkv"
    yield _asked(f"{one} --mux first", "--mux is for several languages")
    for value in ("0.5", "1.2", "-1", "nan"):
        yield _asked(f"{one} --stretch-audio {value}", "use auto, or 0.9")
    for more in ("--stretch-audio fast", "--stretch-audio=", "--sync-mode fast", "--loudness loud"):
        yield _asked(f"{one} {more}", more.split("=")[0].split(" ")[0])
    for value in ("5", "-60", "nan"):
        yield _asked(f"{one} --loudness {value}", "use -40")
    yield _asked(f"{one} --cast ANNA=0", "give --segments FILE")
    yield _asked(f"{one} --report OUT/none/a.html", "there is no directory none")
    yield _asked(f"{one} --report SPEECH", "name a folder, or a file that ends in")
    yield _asked(f"{one} --report OUT/out.mkv", "out.mkv: name a folder")
    parts = "dub FILM --segments IN/what.json -o OUT/out.mkv"
    yield _asked(f"{parts} --report IN/what.html", "what.json: it is an input")
    yield _asked(f"{parts} --sync-mode loop", "--sync-mode loop: leave it out")
    yield _asked(f"{parts} --stretch-audio auto", "--stretch-audio auto: leave it out")
    yield _asked(f"{one} --keep-background", "re-synced", done=True, sounds=list,
                 name="the background of a silent film")  # fmt: skip
    yield _asked("plan FILM --audio SPEECH --text So.", "a script cannot be planned as a whole")
    yield _asked("plan FILM --audio SPEECH -o FILM", "film.mkv: it is an input")


def repairs() -> Iterator[Case]:
    """Sync of what cannot be measured, and repairs that make no sense."""
    odd: tuple[tuple[str, str, Callable[[], Scene], Callable[[], list[np.ndarray]]], ...] = (
        ("no sound", "the file has no sound", lambda: face(N), list),
        ("silent", "nobody is heard", lambda: face(N), lambda: [SILENT]),
        ("no face", "no face is seen", lambda: wall(N), lambda: [said(1.0, RATE)]),
        ("a still", "a mouth is seen well .* s only", lambda: Scene(face(1).pictures * N, []),
         lambda: [said(1.0, RATE)]),
        ("silent before speech", "nobody is heard", lambda: face(N),
         lambda: [SILENT, said(1.0, RATE)]),
    )  # fmt: skip
    for name, says, scene, sounds in odd:
        yield _asked("check FILM", f"cannot tell: {says}", True, scene, sounds, f"check: {name}")
        if name == "no sound":
            yield _asked("fix FILM -o OUT/out.mkv", "has no sound", False, scene, sounds,
                         f"fix: {name}")  # fmt: skip
        else:
            yield _asked("fix FILM -o OUT/out.mkv", f"nothing written: cannot tell .*{says}", True,
                         scene, sounds, f"fix: {name}")  # fmt: skip
    yield _asked("check FILM -o OUT/a.json", "cannot tell", True, out="a.json")
    yield _asked("fix FILM -o OUT/out.mkv --how mouth", "no face to re-sync", scene=lambda: wall(N))

    def two() -> list[np.ndarray]:
        return [said(1.0, RATE), SILENT]

    yield _asked("fix FILM -o OUT/out.mkv --late 100", "left where they are: 2", True, sounds=two)
    yield _asked("fix FILM -o OUT/out.mkv --late -5000 --drift 90 --all-tracks", "1, 2, encoded",
                 True, sounds=two)  # fmt: skip
    yield _asked("fix FILM -o OUT/out.mkv --late 9000", "9000 ms earlier", True)
    for line, says in (
        ("check FILM -o FILM", "name it .json"),
        ("check FILM --window nan", "--window nan: use 3"),
        ("check FILM --reach 99", "--reach 99: use 0.6"),
        ("fix FILM -o OUT/out.xyz", "must end in one of"),
        ("fix FILM -o FILM", "it is an input"),
        ("fix FILM -o OUT/out.webm --late 9", "cannot hold this file's ffv1 pictures"),
        ("fix FILM -o OUT/%03d.png", "pictures alone have no sound"),
        ("fix FILM -o OUT/%03d.png --late 9", "pictures alone have no sound"),
        ("fix FILM -o OUT/out.mkv --late nan", "--late nan: use"),
        ("fix FILM -o OUT/out.mkv --drift 99999", "--drift 99999: use"),
        ("fix FILM -o OUT/out.mkv --how shift --drift 9", "use --how stretch"),
        ("fix FILM -o OUT/out.mkv --how stretch --late 9", "add --drift"),
        ("fix FILM -o OUT/out.mkv --how mouth --all-tracks", "leave out --all-tracks"),
        ("fix SPEECH -o OUT/out.mkv --late 9", "no video stream"),
        ("fix IN/none.mkv -o OUT/out.mkv --late 9", "No such file"),
    ):
        yield _asked(line, says)


def voices() -> Iterator[Case]:
    """Voices that are none, and what none can speak."""
    spoken = "dub FILM -o OUT/out.mkv"
    for more, says in (
        ("--text So. --lang en --voice none", "--voice none: no such voice; did you mean"),
        ("--text So. --lang en --voice espeak:none", "no such voice"),
        ("--text So. --lang en --voice=", "no such voice"),
        ("--text So.", "say in which language"),
        ("--text= --lang en", "there is no text to speak"),
        ("--text ... --lang en", "no letter to speak"),
        ("--text So. --lang klingon", "klingon: give an ISO 639 code"),
        ("--text So. --lang qq", "qq: give an ISO 639 code"),
        ("--srt IN/what.json --lang en", "what.json"),
        ("--srt IN/none.srt --lang en", "none.srt"),
        ("--audio SPEECH --text So. --lang en", "give one of --audio"),
    ):
        yield _asked(f"{spoken} {more}", says)
    yield _asked("voices --language klingon", "no voice speaks it")
