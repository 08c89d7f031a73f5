"""Faults of files: cut off, overwritten, mislabelled, missing; and of the speech."""

from __future__ import annotations

import wave
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from faults.case import Case, Job, job, refused
from faults.clips import face, film, voice
from faults.machine import unprivileged
from synth_media import write_sound

N = 16
HOURS = 8
_CODECS = {
    ".mp4": ("libx264", "yuv420p"),
    ".mkv": ("ffv1", "yuv420p"),
    ".ts": ("mpeg2video", "yuv420p"),
    ".webm": ("libvpx-vp9", "yuv420p"),
    ".avi": ("mjpeg", "yuvj420p"),
    ".mov": ("prores_ks", "yuv422p10le"),
}
Change = Callable[[bytearray], bytes | bytearray]


def damaged(
    name: str, ending: str, change: Change, outcome: str = "either", says: str = ""
) -> Case:
    """A film whose bytes are then changed."""

    def make(folder: Path) -> Job:
        codec, fmt = _CODECS[ending]
        sound = "libopus" if ending == ".webm" else "mp2" if ending in (".ts", ".avi") else "aac"
        options = {"g": "4"} if codec in ("libx264", "mpeg2video", "libvpx-vp9") else {}
        path = folder / "in" / f"film{ending}"
        video = film(path, face(N), codec=codec, fmt=fmt, options=options, sound=sound)
        video.write_bytes(bytes(change(bytearray(video.read_bytes()))))
        return job(folder, video)

    return Case(f"{ending}: {name}", make, outcome, says)


def _cut(share: float) -> Change:
    return lambda data: data[: int(len(data) * share)]


def _hole(at: float, size: int, seed: int | None) -> Change:
    def change(data: bytearray) -> bytearray:
        start = int(len(data) * at)
        n = min(size, len(data) - start)
        fill = bytes(n) if seed is None else np.random.default_rng(seed).bytes(n)
        data[start : start + n] = fill
        return data

    return change


def _sprinkled(seed: int) -> Change:
    def change(data: bytearray) -> bytearray:
        rng = np.random.default_rng(seed)
        for at in rng.integers(len(data) // 10, len(data) * 9 // 10, 12):
            data[at] ^= int(rng.integers(1, 256))
        return data

    return change


def _moov_gone(data: bytearray) -> bytearray:
    at = data.index(b"moov")
    data[at : at + 4] = b"loop"
    return data


def files() -> Iterator[Case]:
    """Damage to a film's file, at several places in several containers."""
    for ending in _CODECS:
        for share in (0.02, 0.5, 0.95):
            yield damaged(f"cut off at {share:.0%}", ending, _cut(share))
        yield damaged("its last byte is missing", ending, lambda data: data[:-1])
        yield damaged("zeros in the middle", ending, _hole(0.45, 900, None))
        yield damaged("random bytes in the middle", ending, _hole(0.45, 900, 1))
        yield damaged("random bytes at the head", ending, _hole(0.0, 300, 2))
        for seed in (3, 4):
            yield damaged(f"twelve bytes changed, {seed}", ending, _sprinkled(seed))
    yield damaged("no moov", ".mp4", _moov_gone, "refused", "not media, or its header is damaged")
    yield damaged("cut off before its moov", ".mp4", _cut(0.5), "refused", "cut off")
    yield damaged("bytes before it", ".ts", lambda data: bytearray(b"junk" * 99) + data)
    yield damaged("bytes after it", ".mp4", lambda data: data + b"junk" * 99, "done")
    yield damaged("bytes after it", ".mkv", lambda data: data + b"junk" * 99, "done")


def no_films() -> Iterator[Case]:
    """What is no film at all."""

    def written(name: str, data: bytes, says: str, called: str = "film.mp4") -> Case:
        def make(folder: Path) -> Job:
            video = folder / "in" / called
            video.write_bytes(data)
            return job(folder, video)

        return refused(name, says, make)

    page = b"<!DOCTYPE html><html><body>Not found</body></html>"
    yield written("an empty file", b"", r"film\.mp4 is empty")
    yield written("one byte", b"x", "is not media")
    yield written("a text", b"Dear Sir or Madam,\n" * 40, "is not media")
    yield written("a page of HTML", page, "is not media")
    yield written("random bytes", np.random.default_rng(0).bytes(5000), "is not media")
    yield written("zeros", bytes(5000), "is not media")
    yield written("JSON", b'{"error": "not found"}', "is not media")
    yield written("a playlist", b"#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/a.ts\n", "film.mp4")
    yield written("a list of files", b"ffconcat version 1.0\nfile /etc/hostname\n", "film.mp4")
    yield written("subtitles", b"1\n00:00:00,000 --> 00:00:01,000\nHi\n", "film.srt", "film.srt")
    yield written("a name with no ending", b"text", "is not media", "film")

    def packed(folder: Path) -> Job:
        video = folder / "in" / "film.mp4"
        with zipfile.ZipFile(video, "w") as archive:
            archive.write(film(folder / "in" / "a.mkv", face(2)), "film.mkv")
        return job(folder, video)

    def still(folder: Path) -> Job:
        video = folder / "in" / "film.mp4"
        film(folder / "in" / "a.png", face(1), codec="png", fmt="rgb24").rename(video)
        return job(folder, video)

    def renamed(folder: Path) -> Job:
        video = film(folder / "in" / "a.mkv", face(8)).rename(folder / "in" / "film.mp4")
        return job(folder, video, scene=face(8))

    def directory(folder: Path) -> Job:
        (folder / "in" / "film.mp4").mkdir()
        return job(folder, folder / "in" / "film.mp4")

    def only_sound(folder: Path) -> Job:
        return job(folder, voice(folder / "in" / "film.wav"))

    def closed(folder: Path) -> Job:
        made = job(folder)
        assert made.source is not None
        made.source.chmod(0)
        return made

    def broken_link(folder: Path) -> Job:
        video = folder / "in" / "film.mp4"
        video.symlink_to(folder / "in" / "nothing.mp4")
        return job(folder, video)

    yield refused("an archive", "is not media", packed)
    yield Case("a photo", still, says="1 of 1 frames")
    yield Case("Matroska called .mp4", renamed)
    yield refused("a directory", "is a directory.*give a video", directory)
    yield refused("a sound", "no video stream in film.wav: it holds only sound", only_sound)
    yield refused("a missing file", r"cannot read film\.mp4: No such file",
                  lambda folder: job(folder, folder / "in" / "film.mp4"))  # fmt: skip
    yield refused("a link to nothing", r"cannot read film\.mp4: No such file", broken_link)
    yield Case("a file that may not be read", closed, "refused", r"film\.mkv: [Pp]ermission denied",
               unprivileged)  # fmt: skip


def speeches() -> Iterator[Case]:
    """What may be wrong or odd with the speech."""

    def spoken(
        name: str, make: Callable[[Path], Path], outcome: str = "done", says: str = ""
    ) -> Case:
        def whole(folder: Path) -> Job:
            video = film(folder / "in" / "film.mkv", face(8))
            return job(folder, video, make(folder / "in"), scene=face(8))

        return Case(name, whole, outcome, says)

    def sound(samples: Any, name: str = "speech.wav", rate: int = 16000, codec: str = "pcm_s16le",
              layout: str = "mono") -> Callable[[Path], Path]:  # fmt: skip
        array = np.atleast_2d(np.asarray(samples, np.float32))
        return lambda folder: write_sound(folder / name, array, rate, codec, layout)

    def written(name: str, data: bytes) -> Callable[[Path], Path]:
        def make(folder: Path) -> Path:
            (folder / name).write_bytes(data)
            return folder / name

        return make

    noise = np.random.default_rng(0).normal(0, 0.1, 8000).astype(np.float32)
    holes = noise.copy()
    holes[4000] = np.nan
    yield spoken("an empty file", written("speech.wav", b""), "refused", "speech.wav is empty")
    yield spoken("no samples", _wav(0), "refused", "holds no sound: give a file with speech")
    yield spoken(
        "a header alone", written("speech.wav", b"RIFF$\0\0\0WAVE"), "refused", "speech.wav"
    )
    yield spoken("one sample", _wav(1))
    yield spoken("ten milliseconds", _wav(160))
    yield spoken("silence", sound(np.zeros(8000)))
    yield spoken("noise", sound(noise))
    yield spoken("full scale", sound(np.sign(noise)))
    yield spoken("samples far beyond full scale", sound(noise * 1e6, codec="pcm_f32le"))
    yield spoken("a constant offset", sound(noise * 0 + 0.5))
    yield spoken(
        "NaN", sound(holes, codec="pcm_f32le"), "refused", "not numbers.*export the speech"
    )
    yield spoken("infinity", sound(np.where(holes == holes, noise, np.inf), codec="pcm_f32le"),
                 "refused", "not numbers")  # fmt: skip
    for rate in (4000, 8000, 11025, 44100, 96000, 192000):
        yield spoken(
            f"{rate} Hz", lambda folder, rate=rate: voice(folder / "speech.wav", rate=rate)
        )
    for layout, channels in (("stereo", 2), ("5.1", 6)):
        yield spoken(f"{layout}", lambda folder, layout=layout, channels=channels: voice(
            folder / "speech.wav", layout=layout, channels=channels))  # fmt: skip
    yield spoken("left and right cancel", sound(np.stack([noise, -noise]), layout="stereo"))
    for codec, name in (
        ("libmp3lame", "speech.mp3"), ("aac", "speech.m4a"), ("libopus", "speech.ogg"),
        ("flac", "speech.flac"), ("ac3", "speech.ac3"), ("pcm_s24le", "speech.mkv"),
        ("aac", "speech.aac"), ("alac", "speech.m4a"), ("pcm_u8", "speech.wav"),
        ("pcm_mulaw", "speech.wav"), ("adpcm_ima_wav", "speech.wav"), ("mp2", "speech.ts"),
        ("eac3", "speech.mp4"), ("pcm_s16be", "speech.aiff"),
    ):  # fmt: skip
        yield spoken(f"{codec} in {name[6:]}", lambda folder, codec=codec, name=name: voice(
            folder / name, codec=codec, rate=48000))  # fmt: skip
    for name, change in (("cut off", _cut(0.4)), ("zeros in the middle", _hole(0.5, 300, None)),
                         ("random bytes in the middle", _hole(0.5, 300, 5))):  # fmt: skip
        for codec, file in (("libmp3lame", "speech.mp3"), ("flac", "speech.flac"),
                            ("aac", "speech.aac"), ("libopus", "speech.ogg")):  # fmt: skip

            def hurt(
                folder: Path, codec: str = codec, file: str = file, change: Any = change
            ) -> Path:
                path = voice(folder / file, 1.0, codec, rate=48000)
                path.write_bytes(bytes(change(bytearray(path.read_bytes()))))
                return path

            yield spoken(f"{file[6:]}, {name}", hurt, "either")
    yield spoken("a text", written("speech.wav", b"Hello, world.\n" * 9), "refused", "is not media")
    yield spoken("a missing file", lambda folder: folder / "speech.wav", "refused",
                 r"cannot read speech\.wav: No such file")  # fmt: skip
    yield spoken("a directory", lambda folder: folder, "refused", "is a directory")
    yield spoken("a film without sound", lambda folder: film(folder / "b.mkv", face(2)), "refused",
                 r"no audio stream in b\.mkv: give a file with speech")  # fmt: skip
    yield spoken("a film with sound", lambda folder: film(
        folder / "b.mp4", face(4), codec="libx264", sound="aac"))  # fmt: skip
    yield spoken("7.1", _wav(9600, 8))
    yield spoken("sixteen channels", _wav(9600, 16))
    yield replace(spoken(f"{HOURS} hours", _hours), slow=True)


def _wav(n: int, channels: int = 1) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        with wave.open(str(folder / "speech.wav"), "wb") as file:
            file.setnchannels(channels)
            file.setsampwidth(2)
            file.setframerate(16000)
            file.writeframes(b"\x10\x20" * n * channels)
        return folder / "speech.wav"

    return make


def _hours(folder: Path) -> Path:
    """A second of speech, then silence, as FLAC: hours take kilobytes."""
    rate = 8000
    path, spoken = folder / "speech.flac", voice(folder / "a.wav", 1.0, rate=rate)
    with av.open(str(spoken)) as container:
        blocks = [f.to_ndarray() for f in container.decode(audio=0)]
    minute = np.zeros((1, 60 * rate), np.float32)
    words = np.concatenate(blocks, 1) / np.float32(32768)
    with av.open(str(path), "w") as out:
        stream = out.add_stream("flac", rate=rate, layout="mono",
                                options={"compression_level": "0",
                                "frame_size": "65535"})  # fmt: skip
        for index in range(HOURS * 60):
            samples = minute.copy()
            if not index:
                samples[:, : words.shape[1]] = words
            block = av.AudioFrame.from_ndarray((samples * 32767).astype(np.int16), "s16", "mono")
            block.sample_rate, block.pts = rate, index * 60 * rate
            block.time_base = Fraction(1, rate)
            out.mux(stream.encode(block))
        out.mux(stream.encode(None))
    return path
