"""Measures of speech that is about to drive a mouth, given what the network heard in it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from labial.audio.features import (
    FFT,
    FLOOR,
    FRAME_RATE,
    HOP,
    RATE,
    band_centers,
    cut,
    log_mel,
    n_frames,
)
from labial.audio.noise import Noise, NoiseMeter
from labial.types import Audio, FloatArray, SpeechTrack

Array = npt.NDArray[np.float64]

_PIECE = 10 * FRAME_RATE
_VOICE, _PAUSE = 0.9, 0.1
# Voices are said to begin and end some frames early and late.
_MARGIN = 9
_LEAST_PAUSE, _LEAST_SECONDS = 50, 4.0
_BAND = 200.0, 5000.0
_SPECTRA = 4
# What falls by so much within the time after a peak, how fast; of all that, the fast ones.
_DECAY_BAND = 500.0, 4000.0
_FALL_FROM, _FALL_TO, _FALL_FRAMES, _FALLS, _FAST = 5.0, 20.0, 60, 5, 0.25
_PEAK_BELOW = 25.0
# Of a second voice: windows of 64 ms below 2.5 kHz, pitches of 80 to 400 Hz.
_VOICED_HERTZ, _WINDOW, _EVERY = 2500.0, 1024, 5
_LAGS = np.arange(RATE // 400, RATE // 80)
_ROOM = 200
_PERIODIC, _STILL_PERIODIC, _LEFT = 0.3, 0.6, 0.1
_HARMONIC = 0.06
_AUDIBLE = 1e-4
# Where speech never pauses, the quietest moments are some of its own; measured with noise added.
_DISTANCE_OF_0_DB = 12.0
_NARROW_DB, _GONE_DB = 30.0, 45.0


@dataclass(frozen=True)
class Heard:
    """What speech is like.

    Parameters
    ----------
    seconds
        Its length.
    first, last
        Seconds at which the first voice begins and the last one ends; both 0 without a voice.
    voice
        0..1, the share of the time in which somebody speaks.
    ratio
        dB between speech and what is heard in its pauses, or nearly that where it hardly pauses;
        NaN where it is too short to tell.
    noise
        What is heard beside the voice.
    edge
        Hz above which there is nothing; 8000 where it goes on.
    decay
        Seconds in which sound falls by 60 dB: up to some .25 without an echo, else the room's
        reverberation time; 0 where it is not known.
    second
        0..1, the share of voiced windows in which another voice is heard under the first.
    """

    seconds: float
    first: float
    last: float
    voice: float
    ratio: float
    noise: Noise
    edge: float
    decay: float
    second: float


def listen(audio: Audio, said: SpeechTrack) -> Heard:
    """Measure speech in pieces; its length takes no memory.

    Parameters
    ----------
    audio
        As :func:`labial.audio.load.load_speech` returns it.
    said
        What the network heard in it.
    """
    sums, meter = _Sums(), NoiseMeter()
    voice = said.voice
    n = min(n_frames(len(audio.samples)), len(voice) * FRAME_RATE // said.motion.rate)
    for first in range(0, n, _PIECE):
        end = min(first + _PIECE, n)
        rows = np.arange(first, end) * said.motion.rate // FRAME_RATE
        sums.add(log_mel(audio.samples, first, end), voice[rows])
        samples = cut(audio.samples, first * HOP, end * HOP)
        meter.add(samples)
        sums.voices(samples, voice[rows])
    speaking = np.flatnonzero(voice > 0.5)
    rate = said.motion.rate
    noise = meter.noise()
    return Heard(
        audio.seconds,
        float(speaking[0]) / rate if len(speaking) else 0.0,
        min(float(speaking[-1] + 1) / rate, audio.seconds) if len(speaking) else 0.0,
        float((voice > 0.5).mean()),
        sums.ratio(noise),
        noise,
        sums.edge(),
        sums.decay(),
        sums.both / max(sums.voiced, 1),
    )


@dataclass
class _Sums:
    spoken: float = 0.0
    spoken_frames: int = 0
    paused: float = 0.0
    paused_frames: int = 0
    spectrum: Array = field(default_factory=lambda: np.zeros(FFT // 2 + 1))
    decays: list[float] = field(default_factory=list)
    voiced: int = 0
    both: int = 0

    def add(self, mel: FloatArray, voice: FloatArray) -> None:
        """Add (n, 80) log-mel frames, with how surely there is a voice, (n,)."""
        power = np.maximum(np.exp(mel.astype(np.float64)) - FLOOR, 1e-9)
        centers = band_centers()
        level = power[:, (centers > _BAND[0]) & (centers < _BAND[1])].sum(1)
        speaking = voice > _VOICE
        padded = np.pad(voice, _MARGIN // 2)
        near = np.lib.stride_tricks.sliding_window_view(padded, _MARGIN).max(1) > _PAUSE
        self.spoken += float(level[speaking].sum())
        self.spoken_frames += int(speaking.sum())
        self.paused += float(level[~near].sum())
        self.paused_frames += int((~near).sum())
        used = (centers > _DECAY_BAND[0]) & (centers < _DECAY_BAND[1])
        self.decays += _decays(10 * np.log10(power[:, used].sum(1)))

    def voices(self, samples: FloatArray, voice: FloatArray) -> None:
        """Add what the sound's spectrum and its pitches say, where somebody speaks."""
        if len(samples) < FFT:
            return
        windows = np.lib.stride_tricks.sliding_window_view(samples, FFT)[:: _SPECTRA * HOP]
        spoken = windows[voice[::_SPECTRA][: len(windows)] > _VOICE]
        self.spectrum += (np.abs(np.fft.rfft(spoken * np.hanning(FFT), axis=1)) ** 2).sum(0)
        low = np.fft.rfft(samples)
        low[np.fft.rfftfreq(len(samples), 1 / RATE) > _VOICED_HERTZ] = 0
        length = _WINDOW + 2 * _ROOM
        if len(samples) < length:
            return
        smooth = np.fft.irfft(low, len(samples))
        talk = np.lib.stride_tricks.sliding_window_view(smooth, length)[:: _EVERY * HOP]
        middle = np.arange(len(talk)) * _EVERY + length // (2 * HOP)
        talk = talk[voice[middle.clip(0, len(voice) - 1)] > _VOICE]
        voiced, both = _second_voice(talk[(talk**2).mean(1) > _AUDIBLE])
        self.voiced, self.both = self.voiced + voiced, self.both + both

    def ratio(self, noise: Noise) -> float:
        if self.paused_frames < _LEAST_PAUSE or not self.spoken_frames:
            known = noise.seconds >= _LEAST_SECONDS
            return noise.distance - _DISTANCE_OF_0_DB if known else float("nan")
        quiet = max(self.paused / self.paused_frames, 1e-9)
        loud = max(self.spoken / self.spoken_frames - quiet, 1e-9)
        return float(10 * np.log10(loud / quiet))

    def edge(self) -> float:
        """Where the spectrum of speech falls off a cliff, and stays down."""
        level = 10 * np.log10(self.spectrum + 1e-12)
        hertz = np.fft.rfftfreq(FFT, 1 / RATE)
        middle = level[(hertz > 1000) & (hertz < 3000)].mean()
        if level[(hertz > 3600) & (hertz < 7500)].mean() > middle - _NARROW_DB:
            return RATE / 2
        above = np.flatnonzero(level > level[(hertz > 300) & (hertz < 3000)].max() - _GONE_DB)
        return float(hertz[above[-1]])

    def decay(self) -> float:
        return float(np.quantile(self.decays, _FAST)) if len(self.decays) >= _FALLS else 0.0


def _decays(level: Array) -> list[float]:
    """Seconds for 60 dB by each fall of (n,) dB at 100 Hz that goes deep enough."""
    if len(level) < _FALL_FRAMES:
        return []
    level = np.convolve(10 ** (level / 10), [0.5, 0.5], "same")
    level = 10 * np.log10(np.maximum(level, 1e-12))
    inner = level[1:-1]
    high = (inner >= level[:-2]) & (inner > level[2:]) & (inner > level.max() - _PEAK_BELOW)
    found = []
    for peak in (np.flatnonzero(high) + 1).tolist():
        fall = level[peak] - level[peak : peak + _FALL_FRAMES]
        deep = np.flatnonzero(fall > _FALL_TO)
        if len(deep) and fall[: deep[0]].min() >= -1:
            begin = int(np.flatnonzero(fall > _FALL_FROM)[0])
            steepness = (_FALL_TO - _FALL_FROM) / 60 * FRAME_RATE
            found.append((int(deep[0]) - begin + 1) / steepness)
    return found


def _second_voice(windows: Array) -> tuple[int, int]:
    """Count, of (n, samples), the periodic windows, and those still periodic without their period.

    A period is taken out by subtracting the window from itself, one period later: A. de Cheveigné,
    "Separation of concurrent harmonic sounds", JASA 93, 1993.
    """
    if not len(windows):
        return 0, 0
    strength = _periodicity(windows, _WINDOW + _ROOM)
    period = _LAGS[strength.argmax(1)]
    periodic = strength.max(1) > _PERIODIC
    windows, period = windows[periodic], period[periodic]
    if not len(windows):
        return 0, 0
    at = np.arange(_WINDOW + _ROOM)
    rest = windows[:, at] - np.take_along_axis(windows, at + period[:, None], 1)
    strength = _periodicity(rest, len(at))
    other = _LAGS[strength.argmax(1)]
    times = np.maximum(period / other, other / period)
    harmonic = np.abs(times - np.round(times)) < _HARMONIC
    left = (rest**2).sum(1) / (2 * (windows[:, at] ** 2).sum(1))
    both = ~harmonic & (strength.max(1) > _STILL_PERIODIC) & (left > _LEFT)
    return len(windows), int(both.sum())


def _periodicity(windows: Array, length: int) -> Array:
    """(n, lags) normalised autocorrelation of the first ``length`` samples of each window."""
    n, size = length - _ROOM, 1 << (2 * length - 1).bit_length()
    begin = np.fft.rfft(windows[:, :n], size)
    whole = np.fft.rfft(windows[:, :length], size)
    alike = np.fft.irfft(begin.conj() * whole, size)[:, _LAGS]
    sums = np.cumsum(np.pad(windows[:, :length] ** 2, ((0, 0), (1, 0))), 1)
    energy = sums[:, n, None] * (sums[:, _LAGS + n] - sums[:, _LAGS])
    return np.asarray(alike / np.sqrt(energy + 1e-9), np.float64)
