"""Faults of what is asked for: targets, options, names."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from faults.case import LOSSLESS, Case, Job, job, refused
from faults.clips import face, film, voice
from faults.machine import input_closed, room_for, unprivileged


def targets() -> Iterator[Case]:
    """Where an output cannot go, or what is there already."""

    def target(name: str, says: str, prepare: Callable[[Path], None] = lambda out: None) -> Case:
        def make(folder: Path) -> Job:
            prepare(folder / "out")
            return job(folder, out=name)

        return refused(f"target {name}", says, make)

    endings = r"must end in one of \.mp4, \.m4v, \.mov, \.mkv, \.webm"
    for name in ("out.xyz", "out", "out.jpg", ".mkv", "out.mp3"):
        yield target(name, endings)
    yield target("none/out.mkv", "there is no directory")
    yield target("out.mkv", "it is a directory", lambda out: (out / "out.mkv").mkdir())
    for name in ("out.mp4", "out.mov", "out.webm"):
        yield target(name, "cannot hold ffv1 video: name the output")
    yield target(f"{'n' * 300}.mkv", "[Ff]ile name too long")

    def source(folder: Path) -> Job:
        return _itself(job(folder), lambda video, out: None)

    def linked(folder: Path) -> Job:
        return _itself(job(folder), lambda video, out: out.symlink_to(video))

    def hard_linked(folder: Path) -> Job:
        return _itself(job(folder), lambda video, out: out.hardlink_to(video))

    yield refused("the target is the source", "it is the source video, choose another name", source)
    yield refused("the target is a link to the source", "it is the source video", linked)
    yield refused("the target is the source by another name", "it is the source video", hard_linked)

    def speech(folder: Path) -> Job:
        made = job(folder, speech=voice(folder / "out" / "out.mkv", codec="flac"))
        return made

    yield refused("the target is the speech", "it is the speech, choose another name", speech)

    def read_only(folder: Path) -> Job:
        made = job(folder)
        made.target.parent.chmod(0o555)
        return made

    def in_the_way(folder: Path) -> Job:
        made = job(folder)
        made.target.write_bytes(b"yesterday's work")
        return made

    def no_face(folder: Path) -> Job:
        made = in_the_way(folder)
        return Job([made.arguments[0], str(folder / "in" / "speech.wav"), *made.arguments[2:]],
                   made.target)  # fmt: skip

    def to_nowhere(folder: Path) -> Job:
        made = job(folder)
        made.target.symlink_to(folder / "out" / "gone.mkv")
        return made

    yield Case("a folder that may not be written", read_only, "refused",
               "no permission to write", through=unprivileged)  # fmt: skip
    yield Case("the target is there already", in_the_way, same=True)
    yield Case("a target that may not be written", _locked, through=unprivileged)
    yield refused("a failure keeps what was there", "no video stream", no_face)
    yield Case("the target is a link to nothing", to_nowhere)
    for size in (0, 5_000, 60_000):
        for out, more in (("out.mkv", LOSSLESS), ("out.mp4", ("--crf", "1")), ("out.mov", ())):
            full = f"no room beyond {size} bytes, {out[3:]}"
            yield Case(full, _full(out, more), "refused", "cannot write|no room", room_for(size))


def _locked(folder: Path) -> Job:
    made = job(folder)
    made.target.write_bytes(b"yesterday's work")
    made.target.chmod(0o444)
    return made


def _full(out: str, more: tuple[str, ...]) -> Callable[[Path], Job]:
    def make(folder: Path) -> Job:
        scene = face(30, 288, 296)
        video = film(folder / "in" / "film.mkv", scene)
        made = job(folder, video, out=out, more=more)
        made.target.write_bytes(b"yesterday's work")
        return made

    return make


def _itself(made: Job, link: Callable[[Path, Path], None]) -> Job:
    """Let the target be the source, in the folder of targets."""
    assert made.source is not None
    moved = made.source.rename(made.target.with_name("film.mkv"))
    target = made.target
    link(moved, target)
    if not target.exists():
        target = moved
    return Job(["dub", str(moved), *made.arguments[2:4], "--out", str(target), *LOSSLESS], target)


def options() -> Iterator[Case]:
    """Values that make no sense."""

    def asked(says: str, *more: str, out: str = "out.mkv") -> Case:
        return refused(
            " ".join(more) or "nothing", says, lambda folder: job(folder, out=out, more=more)
        )

    yield asked("--crf 99: use 0", "--crf", "99")
    yield asked("crf means nothing to ffv1", "--codec", "ffv1", "--crf", "20")
    yield asked("--crf -1: use 0", "--crf", "-1")
    yield asked("crf", "--crf", "good")
    yield asked("unknown preset 'warp': use one of ultrafast", "--preset", "warp", out="out.mp4")
    yield asked("codec", "--codec", "divx")
    yield asked("quality", "--quality", "best")
    yield asked("--articulation 9: use 0.5", "--articulation", "9")
    yield asked("--articulation nan", "--articulation", "nan")
    yield asked("--expression -1: use 0", "--expression", "-1")
    yield asked("--adapt-seconds 0: use 1", "--adapt-seconds", "0")
    yield asked("--adapt-seconds inf", "--adapt-seconds", "inf")
    yield asked("bogus", "--bogus", "1")
    yield asked("loud", "loud")
    yield asked("must end in .png", "--preview", "p.jpg")
    yield asked("there is no directory none", "--preview", "none/p.png")

    def line(name: str, says: str, *arguments: str) -> Case:
        return refused(name, says, lambda folder: Job([*arguments], folder / "out" / "out.mkv"))

    yield line("no speech", "audio", "dub", "film.mkv", "--out", "out.mkv")
    yield line("no target", "out", "dub", "film.mkv", "--audio", "speech.wav")
    yield line("no video", "VIDEO", "dub", "--audio", "speech.wav", "--out", "out.mkv")
    yield line("no command", "dub", "translate")

    def other(name: str, says: str, arguments: Callable[[Path, Path, Path], list[str]]) -> Case:
        def make(folder: Path) -> Job:
            made = job(folder)
            assert made.source is not None
            speech = folder / "in" / "speech.wav"
            return Job(arguments(made.source, speech, made.target.parent), made.target)

        return refused(name, says, make)

    yield other("inspect to .txt", r"\.png", lambda film, speech, out: [
        "inspect", str(film), "-o", str(out / "a.txt")])  # fmt: skip
    yield other("inspect a sound", "no video stream", lambda film, speech, out: [
        "inspect", str(speech), "-o", str(out / "a.png")])  # fmt: skip
    yield other("check to .txt", r"\.json for numbers", lambda film, speech, out: [
        "check", str(film), "-o", str(out / "a.txt")])  # fmt: skip
    yield other("check a sound", "no video stream", lambda film, speech, out: [
        "check", str(speech)])  # fmt: skip
    yield other("fix a silent film", "there is nothing to bring", lambda film, speech, out: [
        "fix", str(film), "-o", str(out / "out.mkv")])  # fmt: skip
    yield other("fix a film in its place", "it is an input", lambda film, speech, out: [
        "fix", str(film), "-o", str(film)])  # fmt: skip
    yield other("fix by hand, and the mouth", "leave out --late", lambda film, speech, out: [
        "fix", str(film), "-o", str(out / "out.mkv"), "--how", "mouth", "--late", "9"])  # fmt: skip
    yield other("eval what is missing", "there is no such file", lambda film, speech, out: [
        "eval", "--out", str(out / "none.mp4")])  # fmt: skip
    yield other("eval a sound", "no video stream", lambda film, speech, out: [
        "eval", "--out", str(speech), "--ref", str(film)])  # fmt: skip
    yield other("eval with a film for weights", "PyTorch", lambda film, speech, out: [
        "eval", "--out", str(film), "--syncnet", str(film)])  # fmt: skip
    yield other("visemes of a silent film", "no audio stream", lambda film, speech, out: [
        "visemes", str(film), "-o", str(out / "a.json")])  # fmt: skip
    yield other("visemes to .doc", "doc", lambda film, speech, out: [
        "visemes", str(speech), "-o", str(out / "a.doc")])  # fmt: skip
    yield other("animate a sound", "speech.wav", lambda film, speech, out: [
        "animate", str(speech), "-a", str(speech), "-o", str(out / "a.mp4")])  # fmt: skip
    yield other("animate at 0 frames a second", "--fps 0: use 1 to 120", lambda film, speech, out: [
        "animate", str(film), "-a", str(speech), "-o", str(out / "b.mp4"), "--fps=0"])  # fmt: skip


NAMES = (
    "with spaces", "ünïcödé 話す 🎬", "a:b", "file:x", "http:", "-dash", "--codec", "100%d", "%03d",
    "'single'",
    '"double"', "line\nbreak", "tab\tbed", "$HOME `id`", "*?[a]", "back\\slash", ";rm -rf",
    "a.b.c", " lead",
    "trail ", "~", "#1", "concat:a|b", "n" * 200, "話" * 70,
    "\udcff\udcfe", "pipe:0", "-", "..dots",
)  # fmt: skip


def names() -> Iterator[Case]:
    """Names that shells, FFmpeg and terminals take for something else."""
    for name in NAMES:

        def make(folder: Path, name: str = name) -> Job:
            video = film(folder / "in" / "a.mkv", face(3)).rename(folder / "in" / f"{name}.mkv")
            speech = voice(folder / "in" / "a.wav").rename(folder / "in" / f"{name}.wav")
            return job(folder, video, speech, f"{name}.mkv", scene=face(3))

        yield Case(f"named {os.fsencode(name)!r}"[:60], make)
    yield Case("standard input is closed", lambda folder: job(folder), through=input_closed)
