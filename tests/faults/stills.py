"""Faults of numbered pictures, and of what is asked about people, languages and rates."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import av
from faults.case import Case, Job, job, refused
from faults.clips import TICK, Scene, face, film, picture_frame
from faults.machine import plainly, room_for

N = 5


def pictures(folder: Path, scene: Scene, fmt: str = "rgb24", codec: str = "png") -> Path:
    """Write a scene as numbered pictures."""
    shots = folder / "in" / "shots"
    shots.mkdir()
    for index, picture in enumerate(scene.pictures):
        path = str(shots / f"{index:03d}.{codec}")
        with av.open(path, "w", format="image2", container_options={"update": "1"}) as out:
            stream = out.add_stream(codec, rate=25, width=scene.size[0], height=scene.size[1])
            stream.pix_fmt = fmt
            out.mux(stream.encode(picture_frame(picture, fmt)))
            out.mux(stream.encode(None))
    return shots


def sequences() -> Iterator[Case]:
    """Numbered pictures that are whole, and some that are not."""

    def shot(
        name: str,
        outcome: str = "done",
        says: str = "",
        change: Callable[[Path], object] = lambda shots: None,
        fmt: str = "rgb24",
        given: str = "",
        shown: Sequence[int] = range(N),
    ) -> Case:
        def make(folder: Path) -> Job:
            scene = face(max(shown) + 1)
            shots = pictures(folder, scene, fmt)
            change(shots)
            times = [i * TICK for i in shown]
            made = job(folder, Path(f"{shots}{given}"))
            whole = scene if len(shown) == len(scene) else None
            return Job(made.arguments, made.target, shots, whole, times)

        return Case(name, make, outcome, says)

    def written(name: str, data: bytes) -> Callable[[Path], object]:
        return lambda shots: (shots / name).write_bytes(data)

    for fmt in ("rgb24", "rgba", "rgb48be", "rgba64be", "gray", "gray16be", "ya8"):
        yield shot(f"{fmt} png", fmt=fmt)
    yield shot("one picture", shown=[0])
    yield shot("one is missing", "refused", "picture 2 is missing between 000.png and 004.png",
               lambda shots: (shots / "002.png").unlink())  # fmt: skip
    yield shot("none at all", "refused", "without numbered pictures",
               lambda shots: [picture.unlink() for picture in shots.iterdir()])  # fmt: skip
    yield shot("one is empty", "refused", r"002\.png is empty", written("002.png", b""))
    yield shot("one is a text", says="left out as damaged or out of time: 1",
               change=written("002.png", b"no picture"), shown=[0, 1, 3, 4])  # fmt: skip
    yield shot("the first is a text", says="left out as damaged or out of time: 1",
               change=written("000.png", b"no picture"), shown=[1, 2, 3, 4])  # fmt: skip
    yield shot("other files beside them", change=written("notes.txt", b"no picture"))
    for rate in ("@0", "@24/0", "@9999"):
        yield shot(f"a rate of {rate[1:]}", "refused", "frames a second", given=rate)
    yield refused("a pattern without pictures", r"no pictures %04d\.png",
                  lambda folder: job(folder, folder / "in" / "%04d.png"))  # fmt: skip


def picture_targets() -> Iterator[Case]:
    """Numbered pictures as the output."""

    def target(
        name: str,
        given: str = "shots/%03d.png",
        outcome: str = "done",
        says: str = "",
        prepare: Callable[[Path], object] = lambda shots: None,
        through: Callable[[Callable[[], int]], int] = plainly,
        n: int = N,
    ) -> Case:
        def make(folder: Path) -> Job:
            scene = face(n)
            shots = folder / "out" / "shots"
            prepare(shots)
            video = film(folder / "in" / "film.mkv", scene, fmt="gbrp10le")
            made = job(folder, video, out=given, more=(), times=[i * TICK for i in range(n)])
            return Job(made.arguments, shots, video, None, made.times)

        return Case(name, make, outcome, says, through)

    def occupied(shots: Path) -> None:
        shots.mkdir()
        (shots / "001.png").write_bytes(b"yesterday's work")

    yield target("a folder that is not there")
    yield target("a folder that is empty", "shots/%03d.png", prepare=Path.mkdir)
    yield target("a folder with pictures", outcome="refused", says="shots", prepare=occupied)
    yield target("no place for a number", "shots/a.png", "refused", "shots|must end in")
    yield target("no room for pictures", outcome="refused", says="cannot write|no room", n=20,
                 through=room_for(60_000))  # fmt: skip


def people_and_rates() -> Iterator[Case]:
    """Options that need the film to be judged."""

    def asked(says: str, *more: str) -> Case:
        return refused(
            " ".join(more), says, lambda folder: job(folder, more=(*more, "--codec", "ffv1"))
        )

    yield asked("--speaker bob: use auto", "--speaker", "bob")
    yield asked("99", "--speaker", "99")
    yield asked("speaker|nobody|no face", "--speaker", "2,2@0")
    yield asked("none.json", "--speaker", "none.json")
    yield asked("klingon", "--language", "klingon")
    yield asked("--fps is for numbered pictures", "--fps", "24")
    yield asked("--fps 0: use", "--fps", "0")
    yield asked("--threads -1: use", "--threads", "-1")
    yield asked("--lossless and --crf exclude", "--lossless", "--crf", "3")

    def boxes(name: str, text: str) -> Case:
        def make(folder: Path) -> Job:
            made = job(folder)
            path = folder / "in" / "boxes.json"
            path.write_text(text)
            return Job([*made.arguments, "--speaker", str(path)], made.target)

        return refused(f"boxes: {name}", r"boxes\.json", make)

    for name, text in (
        ("empty", ""), ("no JSON", "{"), ("a list", "[1, 2]"), ("a number", "3"), ("null", "null"),
        ("other things", '{"people": 3}'), ("no numbers", '{"frames": [{"box": ["a", null]}]}'),
    ):  # fmt: skip
        yield boxes(name, text)

    def long_name(folder: Path) -> Job:
        return job(folder, folder / "in" / f"{'n' * 300}.mkv")

    def long_speech(folder: Path) -> Job:
        return job(folder, speech=folder / "in" / f"{'n' * 300}.wav")

    yield refused("a film whose name is too long", "[Ff]ile name too long", long_name)
    yield refused("speech whose name is too long", "[Ff]ile name too long", long_speech)
