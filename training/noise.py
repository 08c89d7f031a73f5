"""Other rooms, microphones, noises and music, put onto log-mel while a network learns.

    python -m training.noise PACKAGES     # real music → cache/music.npz

PACKAGES is a folder with Debian's ``asterisk-moh-opsound-g722`` (five pieces, CC BY-SA 3.0).
Without that file, music is made up alone.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import numpy as np

from labial.audio.features import BANDS, FLOOR, RATE, log_mel

SECONDS = 12
MUSIC = Path(__file__).parent / "cache" / "music.npz"


def _mel(sound: np.ndarray) -> np.ndarray:
    """Mel power of a sound brought to −20 dB, as speech is."""
    return np.exp(log_mel((sound * (0.1 / max(sound.std(), 1e-9))).astype(np.float32)))


def noise(rng: np.random.Generator, slope: float) -> np.ndarray:
    """White (0), pink (1), brown (2) noise, or with mains hum (3)."""
    spectrum = np.fft.rfft(rng.standard_normal(SECONDS * RATE))
    spectrum /= np.maximum(np.arange(len(spectrum)), 400) ** (slope / 2)
    sound = np.fft.irfft(spectrum)
    if slope == 3:
        t = np.arange(len(sound)) / RATE
        sound /= sound.std()
        sound += sum(np.sin(2 * np.pi * 50 * k * t) / k for k in range(1, 12))
    return sound


def clatter(rng: np.random.Generator) -> np.ndarray:
    """Knocks, clicks and rustle: bursts of coloured noise that ring out."""
    sound = 0.02 * noise(rng, 1) / noise(rng, 1).std()
    for _ in range(rng.integers(8, 40)):
        length = int(RATE * rng.uniform(0.02, 0.6))
        start = int(rng.integers(0, len(sound) - length))
        t = np.arange(length) / RATE
        burst = rng.standard_normal(length) * np.exp(-t * rng.uniform(8, 120))
        if rng.random() < 0.5:
            burst *= np.sin(2 * np.pi * rng.uniform(80, 3000) * t)
        sound[start : start + length] += rng.uniform(0.1, 1) * burst
    return sound


def music(rng: np.random.Generator) -> np.ndarray:
    """Chords, a bass, a tune and a beat, made up."""
    sound = np.zeros(SECONDS * RATE)
    beat = 60 / rng.uniform(70, 150)
    scale = np.array([0, 2, 4, 5, 7, 9, 11]) if rng.random() < 0.5 else np.array([0, 2, 3, 5, 7, 8])
    root, bright = rng.uniform(110, 220), rng.uniform(0.5, 2)

    def play(pitch: float, at: float, length: float, level: float, vibrato: float = 0.0) -> None:
        start, n = int(at * RATE), int(length * RATE)
        n = min(n, len(sound) - start)
        if n <= 0:
            return
        t = np.arange(n) / RATE
        phase = 2 * np.pi * pitch * t + vibrato * np.sin(2 * np.pi * 5.5 * t)
        partials = range(1, min(16, int(7000 / pitch)))
        tone = sum(np.sin(k * phase) / k**bright for k in partials)
        edge = np.minimum(1, t / 0.01) * np.exp(-t * rng.uniform(0.3, 4))
        sound[start : start + n] += level * tone * edge * np.minimum(1, (n / RATE - t) / 0.02)

    steps = int(SECONDS / beat)
    for i in range(steps):
        at = i * beat
        if i % 4 == 0:
            chord = root * 2 ** (scale[rng.integers(len(scale))] / 12)
            for ratio in (1, 1.25 if rng.random() < 0.5 else 1.2, 1.5):
                play(chord * ratio, at, 4 * beat, 0.3)
        play(root / 2, at, beat, 0.4)
        if rng.random() < 0.7:
            tune = root * 2 * 2 ** (scale[rng.integers(len(scale))] / 12)
            play(tune, at + rng.choice([0, beat / 2]), beat, 0.4, rng.uniform(0, 0.3))
        n = int(0.15 * RATE)
        if rng.random() < 0.8 and int(at * RATE) + n < len(sound):
            hit = rng.standard_normal(n) * np.exp(-np.arange(n) / RATE * 40)
            sound[int(at * RATE) : int(at * RATE) + n] += rng.uniform(0.2, 1.5) * hit
    return sound


def chords(rng: np.random.Generator) -> np.ndarray:
    """A held or repeated chord and nothing else: the music that is most like a vowel."""
    sound = np.zeros(SECONDS * RATE)
    period = int(RATE * rng.uniform(0.3, 4))
    bright, decay, root = rng.uniform(0.5, 2.5), rng.uniform(0, 5), rng.uniform(80, 350)
    t = np.arange(period) / RATE
    for start in range(0, len(sound), period):
        root = rng.uniform(80, 350) if rng.random() < 0.3 else root
        ratios = rng.choice([1, 1.2, 1.25, 1.333, 1.5, 2, 0.5], rng.integers(1, 5), replace=False)
        for ratio in ratios if start == 0 or rng.random() < 0.5 else (1, 1.25, 1.5):
            pitch = root * ratio
            partials = range(1, min(16, int(7000 / pitch)))
            tone = sum(np.sin(2 * np.pi * k * pitch * t) / k**bright for k in partials)
            tone *= np.minimum(1, t / 0.01) * np.exp(-t * decay)
            sound[start : start + period] += tone[: len(sound) - start]
    return sound


def gather_music(packages: Path) -> None:
    from training.speech_sources import members, sound

    pieces = {}
    for package in packages.glob("asterisk-moh-opsound-g722_*"):
        for name, data in members(package, re.compile(r"moh/.*\.g722")):
            played = sound(name, data).astype(np.float32) / 32768
            pieces[Path(name).stem] = _mel(played).astype(np.float16)
    np.savez(MUSIC, **pieces)
    print({name: f"{len(mel) / 6000:.1f} min" for name, mel in pieces.items()})


def recorded_music() -> list[np.ndarray]:
    """Mel power of real music, as far as it was gathered."""
    if not MUSIC.exists():
        return []
    with np.load(MUSIC) as data:
        return [data[name] for name in data.files]


def worn(sound: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Put 16 kHz sound through another microphone, with noise or music 3 to 25 dB below it."""
    spectrum = np.fft.rfft(sound)
    octave = np.log2(np.maximum(np.arange(len(spectrum)) / len(spectrum) * 8000, 60) / 60)
    gain = np.interp(octave, np.linspace(0, octave[-1], 6), rng.normal(0, 4, 6))
    out = np.fft.irfft(spectrum * 10 ** (gain / 20), len(sound))
    added = music(rng) if rng.random() < 0.3 else noise(rng, float(rng.choice([0, 1, 1, 2, 3])))
    added = np.resize(added, len(out))
    added *= out.std() / added.std() * 10 ** (-rng.uniform(3, 25) / 20)
    return ((out + added) * (0.1 / max(float((out + added).std()), 1e-9))).astype(np.float32)


class Disturber:
    """Augments windows of log-mel; ``speech`` is what may be heard from another room."""

    def __init__(self, rng: np.random.Generator, speech: list[np.ndarray]) -> None:
        self.rng, self.speech = rng, speech
        self.steady = [_mel(noise(rng, slope)) for slope in (0, 0, 1, 1, 2, 3)]
        self.lively = [_mel(clatter(rng)) for _ in range(8)] + [_mel(music(rng)) for _ in range(16)]
        self.lively += [_mel(chords(rng)) for _ in range(12)] + 4 * recorded_music()

    def _piece(self, pool: list[np.ndarray], n: int) -> np.ndarray:
        sound = pool[self.rng.integers(len(pool))]
        start = int(self.rng.integers(0, max(len(sound) - n, 0) + 1))
        piece = sound[start : start + n].astype(np.float32)
        return np.pad(piece, ((0, n - len(piece)), (0, 0)))

    def __call__(self, mel: np.ndarray, silence: bool = False) -> np.ndarray:
        """Another voice, room, microphone and background for (n, 80) log-mel."""
        rng, n = self.rng, len(mel)
        power = np.maximum(np.exp(mel) - FLOOR, 0)
        if rng.random() < 0.7:
            # A longer or shorter vocal tract moves the bands along the frequency axis.
            at = np.clip(np.arange(BANDS) * rng.uniform(0.85, 1.17), 0, BANDS - 1.001)
            low = at.astype(int)
            part = (at - low).astype(np.float32)
            power = power[:, low] * (1 - part) + power[:, low + 1] * part
        if rng.random() < 0.25:
            # A room: each band rings out.
            decay = np.exp(-6.9 / (100 * rng.uniform(0.15, 0.7)) * np.arange(min(n, 100)))
            spectrum = np.fft.rfft(power, 2 * n, axis=0) * np.fft.rfft(decay, 2 * n)[:, None]
            tail = np.fft.irfft(spectrum, 2 * n, axis=0)[:n].clip(0)
            power = power + np.float32(rng.uniform(0.02, 0.25)) * tail.astype(np.float32)
        tilt = np.interp(np.arange(BANDS), np.linspace(0, BANDS - 1, 6), rng.normal(0, 4, 6))
        power = power * (10 ** ((tilt + rng.normal(0, 3)) / 10)).astype(np.float32)
        if rng.random() < 0.12:
            # A telephone, or a codec that saves its high bands.
            power[:, int(rng.integers(52, 78)) :] *= 10 ** rng.uniform(-6, -2)
            if rng.random() < 0.5:
                power[:, : int(rng.integers(2, 9))] *= 10 ** rng.uniform(-5, -1)
        if rng.random() < (0.85 if silence else 0.6):
            points = rng.normal(0, 5, 4)
            colour = np.interp(np.arange(BANDS), np.linspace(0, BANDS - 1, 4), points)
            decibel = rng.uniform(-45, 5) if silence else rng.uniform(-32, 1)
            level = 10 ** ((decibel + colour) / 10)
            added = level.astype(np.float32) * self._piece(self.steady, n)
            if rng.random() < 0.25:
                # A recording that begins in digital silence.
                added[: int(rng.integers(0, n))] = 0
            power = power + added
        if rng.random() < (0.5 if silence else 0.2):
            level = 10 ** (rng.uniform(-30, 3 if silence else -6) / 10)
            power = power + np.float32(level) * self._piece(self.lively, n)
        if not silence and rng.random() < 0.15:
            quieter = np.float32(10 ** (rng.uniform(-30, -14) / 10))
            power = power + np.exp(self._piece(self.speech, n)) * quieter
        out = np.log(power + FLOOR)
        for _ in range(rng.integers(0, 3)):
            width, start = rng.integers(1, 12), rng.integers(0, BANDS)
            out[:, start : start + width] = out.mean()
        for _ in range(rng.integers(0, 3)):
            width, start = rng.integers(1, 8), rng.integers(0, n)
            out[start : start + width] = out.mean(0)
        return out.astype(np.float32)


if __name__ == "__main__":
    gather_music(Path(sys.argv[1]))
