"""Sound to mouth motion and phones: the shipped network, in pieces that join without a seam."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import resources

import numpy as np

from labial.audio import features
from labial.errors import SpeechError
from labial.types import Audio, FloatArray, MouthMotion, SpeechTrack
from labial.weights.network import open_network

RATE = 50
CHUNK_ROWS = 1000
_MODEL = "speech_v3.onnx"
_MEL_PER_ROW = features.FRAME_RATE // RATE


class SpeechEncoder:
    """Mouth motion and phones of speech in any voice; ``speech_v3.md`` tells how it was trained.

    The network has no padding: a row is computed from a fixed stretch of sound around it
    (:attr:`past_seconds` before, :attr:`future_seconds` after) and from nothing else. So pieces
    of any length give the same rows, memory stays flat, and a live caller knows its delay.

    Parameters
    ----------
    live
        Look ahead by no more than 0.2 s, and be a little less right for it.
    """

    def __init__(self, live: bool = False) -> None:
        self._session = open_network((resources.files("labial.speech") / _MODEL).read_bytes())
        facts = self._session.get_modelmeta().custom_metadata_map
        kind = "live_" if live else ""
        self._outputs = [kind + "motion", kind + "phones"]
        self.mel_before = int(facts[kind + "mel_before"])
        self.mel_after = int(facts[kind + "mel_after"])
        # The other end of the network must have enough to read, whatever it makes of it.
        self._spare = int(facts["mel_before"]) + int(facts["mel_after"])
        self._spare -= self.mel_before + self.mel_after

    @property
    def past_seconds(self) -> float:
        """How far a row looks back."""
        return self.mel_before / features.FRAME_RATE + features.WINDOW / 2 / features.RATE

    @property
    def future_seconds(self) -> float:
        """How far a row looks ahead: the least delay."""
        return self.mel_after / features.FRAME_RATE + features.WINDOW / 2 / features.RATE

    def __call__(self, audio: Audio) -> SpeechTrack:
        """Return motion and phones of all of ``audio``, row i at ``i / 50`` seconds.

        Raises
        ------
        SpeechError
            If the sound is not at 16 kHz.
        """
        pieces = list(self.pieces(audio, 0, n_rows(len(audio.samples))))
        motion, phones = (np.concatenate(part) for part in zip(*pieces, strict=True))
        return SpeechTrack(MouthMotion(motion, RATE), phones)

    def pieces(
        self, audio: Audio, start: int, stop: int
    ) -> Iterator[tuple[FloatArray, FloatArray]]:
        """Yield rows ``start`` … ``stop - 1``, ≤ ``CHUNK_ROWS`` at a time, as :meth:`rows` does."""
        if audio.rate != features.RATE:
            raise SpeechError(f"speech at {audio.rate} Hz: resample it to {features.RATE} Hz")
        for first in range(start, stop, CHUNK_ROWS):
            last = min(first + CHUNK_ROWS, stop)
            mel = features.log_mel(
                audio.samples,
                first * _MEL_PER_ROW - self.mel_before,
                (last - 1) * _MEL_PER_ROW + self.mel_after + 1,
            )
            yield self.rows(mel)

    def rows(self, mel: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Run the network on (n, 80) log-mel frames; return motion (m, K) and phones (m, P).

        The first row returned belongs to the frame that has just enough frames before it, the
        last to the one with enough after it; rows are two frames apart.
        """
        padded = np.pad(mel, ((0, self._spare), (0, 0)))
        motion, phones = self._session.run(self._outputs, {"mel": padded[None]})
        n = (len(mel) - self.mel_before - self.mel_after - 1) // _MEL_PER_ROW + 1
        return np.asarray(motion[0, :n], np.float32), np.asarray(phones[0, :n], np.float32)


def n_rows(n_samples: int) -> int:
    """Rows of motion whose time lies within ``n_samples`` of 16 kHz sound, ends included."""
    return n_samples * RATE // features.RATE + 1
