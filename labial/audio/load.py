"""Speech from any media file, ready for the network: 16 kHz, mono, at one loudness."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from labial.audio.clean import pieces, prepared
from labial.audio.denoise import Denoiser, helps
from labial.audio.features import RATE
from labial.audio.noise import NoiseMeter
from labial.errors import WeightsError
from labial.media.probe import show
from labial.media.sound import Recording, read_audio
from labial.media.spool import Spool
from labial.options import Denoise
from labial.types import FloatArray


def load_speech(path: str | os.PathLike[str], denoise: Denoise = "off") -> Recording:
    """Read the sound of ``path`` as 16 kHz mono at the level the network was trained on.

    Time 0 is the first frame of the picture where the file has one, else the first sample; see
    :func:`labial.media.read.read_audio`, also on what becomes of damage and of several channels.
    More than five minutes lie in a temporary file that the samples are a map of.

    Parameters
    ----------
    path
        Any file with sound.
    denoise
        "auto" takes out what is beside the voice where that lets the network hear better, and
        changes nothing elsewhere; where the networks for that cannot be fetched, the result's
        ``note`` says so. "on" always takes it out.

    Raises
    ------
    ReadError
        If the file cannot be read.
    SpeechError
        If it has no sound, or its samples are not finite numbers.
    WriteError
        If there is no room for the temporary file.
    WeightsError
        For "on", if the networks cannot be fetched.
    """
    recording = read_audio(path, RATE)
    name = show(Path(path))
    samples = _kept(prepared(recording.samples, name), name)
    if denoise == "off":
        return replace(recording, samples=samples)
    samples, note = _less_noise(samples, name, denoise == "on")
    return replace(recording, samples=samples, note=note)


def _less_noise(samples: FloatArray, name: str, always: bool) -> tuple[FloatArray, str]:
    meter = NoiseMeter()
    for piece in pieces(samples):
        meter.add(piece)
    if not always and not helps(meter.noise()):
        return samples, ""
    try:
        denoiser = Denoiser()
    except WeightsError as error:
        if always:
            raise
        return samples, f"the speech is noisy, and was listened to as it is: {error}"
    quieter = _kept(denoiser(pieces(samples)), name)
    return _kept(prepared(quieter, name), name), "noise was taken out of the speech to listen to it"


def _kept(blocks: Iterable[FloatArray], name: str) -> FloatArray:
    spool = Spool(name)
    for block in blocks:
        spool.append(block)
    return spool.finish()
