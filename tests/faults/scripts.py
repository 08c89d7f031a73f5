"""Faults of what is to be said: files of segments and of cues."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from faults.case import LOSSLESS, Case, Job
from faults.clips import Scene, face, film, voice, wall

FRAMES = 20  # 0.8 s
GOOD = {"start": 0.1, "end": 0.6, "audio": "speech.wav"}
CUE = "1\n00:00:00,100 --> 00:00:00,600\n{}\n"


def _job(
    folder: Path, content: str | bytes, name: str, *more: str, scene: Scene | None = None
) -> Job:
    """Dub a film by a file in its folder, beside ``speech.wav``."""
    scene = scene or face(FRAMES)
    video = film(folder / "in" / "film.mkv", scene)
    voice(folder / "in" / "speech.wav")
    voice(folder / "in" / "long.wav", 4)
    path = folder / "in" / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    target = folder / "out" / "out.mkv"
    arguments = ["dub", str(video), "--segments", str(path), "--out", str(target), *LOSSLESS]
    speech = str(folder / "in" / "speech.wav")
    return Job([*arguments, *(speech if m == "SPEECH" else m for m in more)], target, video, scene)


def segments() -> Iterator[Case]:
    """Files that say who says what when."""

    def case(
        name: str, content: str | bytes | list[Any], says: str = "", ending: str = ".json",
        more: tuple[str, ...] = (), done: bool = False,
    ) -> Case:  # fmt: skip
        text = json.dumps(content) if isinstance(content, list) else content

        def make(folder: Path) -> Job:
            return _job(folder, text, f"what{ending}", *more)

        return Case(name, make, "done" if done else "refused", says)

    def row(**values: Any) -> list[Any]:
        return [GOOD | values]

    yield case("one segment", row(), done=True)
    yield case("an object around them", json.dumps({"segments": [GOOD]}), done=True)
    yield case("a segment to the end", row(end=0.8), done=True)
    yield case("a segment of one frame", row(end=0.14, audio_start=0.2, audio_end=0.24), done=True)
    yield case("two that meet", [GOOD | {"end": 0.3, "audio_end": 0.2},
                                 GOOD | {"start": 0.3, "audio_start": 0.2}], done=True)  # fmt: skip
    yield case("options of their own", row(articulation=1.5, rest=False, speaker="0"), done=True)
    csv = "start;end;audio\r\n0,1;0:00.6;speech.wav\r\n"
    yield case("semicolons and decimal commas", csv, ending=".csv", done=True)
    yield case("a table in UTF-16", csv.encode("utf-16"), ending=".csv", done=True)
    yield case("a plan as segments", json.dumps({"video": "x", "segments": [GOOD], "heard": []}),
               done=True)  # fmt: skip
    yield case("text is spoken", row(audio=None, text="So."), more=("--lang", "en"), done=True)
    cues = CUE.format("0: So")
    yield case("cues of a speech", cues, ending=".srt", more=("--audio", "SPEECH"), done=True)

    yield case("speech to be spoken, no language", row(audio=None, text="So."), "language: say in")
    yield case("letters of another script", row(audio=None, text="привет"), "is written in",
               more=("--lang", "en"))  # fmt: skip
    yield case("no such voice", row(audio=None, text="So.", voice="x"), "voice x", more=("--lang",
               "en"))  # fmt: skip
    yield case("a text that never fits", row(audio=None, text="So it is. " * 9), "too long by",
               more=("--lang", "en"))  # fmt: skip
    yield case("no file", row(audio="none.wav"), "line 1: cannot read .*none.wav")
    yield case("no sound", row(audio="what.json"), "line 1: .*what.json")
    yield case("a folder", row(audio="."), "line 1: .* is a directory")
    yield case(
        "speech that is too long", row(audio="long.wav"), "line 1: .* s of speech do not fit"
    )
    yield case("beyond the speech", row(audio_start=3), "line 1: begins at 0:03.000 of")
    yield case("the speech ends before", row(audio_end=3), "line 1: goes to 0:03.000 of")
    yield case("after the film", row(start=5, end=6), "line 1: starts at 0:05.000, and the video")
    yield case("beyond the film", row(end=3), "line 1: ends at 0:03.000, and the video at 0:00.800")
    yield case(
        "somebody who is not there", row(speaker="3"), "line 1: speaker 3: there is person 0"
    )
    yield case(
        "a place where nobody is", row(speaker="1,1"), "line 1: speaker 1,1: nobody is there"
    )
    yield case("a name without a cast", [GOOD | {"speaker": "A", "end": 0.2},
                                         GOOD | {"speaker": "B", "start": 0.4}],
               "line 1: which person is A.*line 1: which person is B")  # fmt: skip
    yield case("two at a time", [GOOD, GOOD], "line 1: overlaps line 1")
    yield case("reversed", row(end=0.05), "line 1: end 0:00.050 does not come after")
    yield case("articulation 9", row(articulation=9), "line 1: articulation 9: use 0.5")
    yield case("a language that is none", row(language="klingon"), "line 1: language klingon")
    yield case("a key that is none", row(artikulation=1), "did you mean articulation")
    yield case("all of it at once", [{"start": 9, "end": 8}, GOOD | {"audio": "none.wav"}, 7],
               "4 problems")  # fmt: skip
    yield case("no JSON", '[{"start": 1,}]', "line 1: no JSON, column 14")
    yield case("nothing", "", "there is nothing in it")
    yield case("no segments", "[]", "there are no segments in it")
    yield case("lists in lists", "[" * 50_000, "lists in lists cannot be read")
    yield case("digits", '[{"start": ' + "1" * 5000 + "}]", "a number has thousands of digits")
    yield case("bytes", bytes(range(256)) * 30, "not a text file", ".csv")
    yield case("a table without a header", "0.1,0.6,speech.wav\n", "there is no header", ".csv")
    yield case(
        "a quote that never ends", 'start,end,text\n0,1,"so\n', "cannot be read from", ".csv"
    )
    yield case("segments to a .doc", "x", r"ends in \.doc", ".doc")
    yield case("segments and a text", row(), "exclude each other", more=("--text", "So."))
    yield case("a cast that is none", row(), "--cast A: write NAME=PERSON", more=("--cast", "A"))

    def nobody(folder: Path) -> Job:
        return _job(folder, json.dumps([GOOD]), "what.json", scene=wall(FRAMES))

    yield Case("segments of a wall", nobody, "refused", "no face")


def cues() -> Iterator[Case]:
    """Files of cues, which a voice speaks."""

    def case(name: str, content: str | bytes, says: str = "", ending: str = ".srt") -> Case:
        def make(folder: Path) -> Job:
            made = _job(folder, content, f"cues{ending}", "--lang", "en")
            return Job(
                ["--srt" if part == "--segments" else part for part in made.arguments],
                made.target, made.source, made.scene,
            )  # fmt: skip

        return Case(name, make, "refused" if says else "done", says)

    good = CUE.format("<i>So.</i>")
    yield case("one cue", good)
    for encoding in ("utf-8-sig", "utf-16", "utf-16-le", "cp1252"):
        yield case(f"in {encoding}", CUE.format("Motörhead, is it?").encode(encoding))
    yield case("ends of lines of Windows", good.replace("\n", "\r\n"))
    yield case("no number, dots, a typist's arrow", "00:00:00.1 -> 0:0:0.6\nSo.\n")
    yield case("for the web", "WEBVTT\n\n00:00.100 --> 00:00.600\n<v Ann>So.\n", ending=".vtt")
    yield case("Ctrl-Z at the end", good + "\x1a")

    yield case("an end before the start", good.replace("600", "050"), "line 2: ends at 0:00.050")
    yield case("no time at all", good.replace("600", "100"), "line 2: starts and ends at")
    yield case("no words", CUE.format(""), "line 2: no text")
    yield case("times that are none", good.replace("00:00:00,600", "soon"), "cannot read the time")
    yield case("60 minutes and more", good.replace("00:00:00,6", "00:61:00,6"), "has 61 minutes")
    yield case(
        "cues out of order", good.replace(",1", ",2") + "\n" + good, "before the cue of line"
    )
    yield case("cues over each other", good + "\n" + good, "while the cue of line 2 lasts until")
    yield case("two in one", CUE.format("ANN: So.\nBEN: No."), "ANN and BEN speak in one cue")
    yield case("text without times", "So it is.\n", "there are no cues in it")
    yield case("only sounds", CUE.format("[door]"), "nothing is said in it")
    yield case("a film for cues", b"\x1aE\xdf\xa3" + bytes(2000), "not a text file")
    yield case("an empty file", "", "there is nothing in it")
    three = good.replace("600", "050") + "\n" + CUE.format("") + "\nx --> y\nz\n"
    yield case("three at once", three, "3 problems")
