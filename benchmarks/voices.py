"""Are a voice's phones when it says they are, and do lips close on them?

::

    python benchmarks/voices.py [VOICE...] [--rate 1.0] [--share 0.85]

One line a voice and language, over a few sentences full of p, b and m:

agree
    share of what the speech network hears that is what the voice says it speaks, and by how many
    milliseconds the voice's times would have to be moved for it to be highest;
closed
    how many of the p, b and m the lips close on, and how far (median and 90th percentile of the
    distance, ms) the middle of the closure lies from the middle of the phone, with the phones
    heard by the network and with the voice's own;
fit
    how much of a time that is SHARE of that length a cue fills, at which speed, and in how
    many syntheses it was found.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path

import numpy as np

from labial.audio.load import load_speech
from labial.media.sound_file import ENDING, write_audio
from labial.motion.predict import predict
from labial.motion.space import load_basis
from labial.motion.style import average
from labial.motion.wanted import wanted_motion
from labial.options import DubOptions
from labial.script.cues import Cue
from labial.speech.phones import BILABIAL
from labial.speech.rows import phone_rows
from labial.speech.segments import Phone
from labial.types import FloatArray, SpeechTrack
from labial.voices import Utterance, Voice, find_voice, speak_cues

TEXTS = {
    "en-us": (
        "Bob maybe bought a big map of the moon, but my mom prefers apples.",
        "People remember the summer; perhaps a member of Parliament might improve the bill.",
        "Push the button, take a deep breath, and come back tomorrow.",
    ),
    "de": (
        "Bitte komm morgen Abend pünktlich zum Bahnhof, mein Bruder bringt den Ball mit.",
        "Die meisten Menschen lieben warmen Apfelkuchen.",
        "Papa baut im Sommer ein Boot am Bodensee.",
    ),
    "fr": (
        "Ma mère m'a demandé si Pierre pouvait apporter des pommes.",
        "Bonjour, je m'appelle Bernard et j'habite à Bordeaux.",
        "Un peu plus tard, beaucoup de monde parlait sur la place.",
    ),
    "es": (
        "Mi mamá compró pan y vino blanco para la boda.",
        "Pablo y María viven en un pueblo pequeño.",
        "También me gusta beber agua fría por la mañana.",
    ),
}
SHIFTS_MS = range(-80, 81, 10)
STEP = 0.005
CLOSED = 0.005
NEAR_SECONDS = 0.06


@dataclass
class Counts:
    """What was found in the sentences of one language."""

    agreement: dict[int, list[float]] = field(default_factory=dict)
    bilabials: int = 0
    closed: dict[str, list[float]] = field(default_factory=lambda: {"heard": [], "own": []})
    used: list[float] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)
    syntheses: list[int] = field(default_factory=list)


class Counted:
    """A voice that counts how often it speaks."""

    def __init__(self, voice: Voice) -> None:
        self._voice, self.calls = voice, 0

    def __getattr__(self, name: str) -> object:
        return getattr(self._voice, name)

    def speak(self, text: str, language: str, rate: float = 1.0) -> Utterance:
        """Speak and count."""
        self.calls += 1
        return self._voice.speak(text, language, rate)


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("voices", nargs="*", default=["espeak"], metavar="VOICE")
    parser.add_argument("--rate", type=float, default=1.0)
    parser.add_argument("--share", type=float, default=0.85)
    given = parser.parse_args()
    for name in given.voices:
        voice = Counted(find_voice(name))
        for language, texts in TEXTS.items():
            if voice.spoken_as(language) is None:
                continue
            counts = Counts()
            for text in texts:
                said = voice.speak(text, language, given.rate)
                listen(said, counts)
                fit(voice, text, language, said, given.share, counts)
            print(f"{name:18} {language:6} {told(counts)}", flush=True)
    return 0


def listen(said: Utterance, counts: Counts) -> None:
    """Compare what is heard of an utterance, and the mouths that come of it, with its phones."""
    with tempfile.TemporaryDirectory(prefix="labial-voices-") as folder:
        path = Path(folder) / f"said{ENDING}"
        write_audio(said.audio, path)
        heard = predict(load_speech(path))
    spoken = heard.phones[:, 1:]
    for shift in SHIFTS_MS:
        rows = phone_rows([moved(phone, shift / 1000) for phone in said.phones], len(heard))
        share = float((rows[:, 1:] * spoken).sum() / spoken.sum())
        counts.agreement.setdefault(shift, []).append(share)
    bilabials = [phone for phone in said.phones if phone.name in BILABIAL]
    counts.bilabials += len(bilabials)
    own = SpeechTrack(heard.motion, phone_rows(said.phones, len(heard)))
    for name, track in (("heard", heard), ("own", own)):
        times, aperture = opening(track)
        for phone in bilabials:
            near = (times >= phone.onset - NEAR_SECONDS) & (times <= phone.release + NEAR_SECONDS)
            closed = times[near & (aperture < CLOSED)]
            if len(closed):
                middle = (phone.onset + phone.release) / 2
                counts.closed[name].append(1000 * abs(float(closed.mean()) - middle))


def opening(track: SpeechTrack) -> tuple[FloatArray, FloatArray]:
    """Return times, and how far the lips of an average speaker are to be open then."""
    basis = load_basis()
    times = np.arange(0, (len(track) - 1) / track.motion.rate, STEP)
    wanted = wanted_motion(track, average(basis), basis, DubOptions())
    return times, basis.aperture(wanted.at(times))


def moved(phone: Phone, seconds: float) -> Phone:
    """Return the same phone at another time."""
    onset, peak, release = (t + seconds for t in (phone.onset, phone.peak, phone.release))
    return replace(phone, onset=onset, peak=peak, release=release)


def fit(
    voice: Counted, text: str, language: str, said: Utterance, share: float, counts: Counts
) -> None:
    """Speak a text as a cue that has a share of the time that it took."""
    spoken = [phone for phone in said.phones if phone.name != "sil"]
    room = Fraction(share * (spoken[-1].release - spoken[0].onset))
    before = voice.calls
    (cue,) = speak_cues([Cue(Fraction(0), room, text)], voice, language).cues
    counts.syntheses.append(voice.calls - before)
    counts.used.append((cue.release - cue.onset) / float(room))
    counts.rates.append(cue.rate)


def told(counts: Counts) -> str:
    """Return the line of one language."""
    means = {shift: float(np.mean(shares)) for shift, shares in counts.agreement.items()}
    best = max(means, key=lambda shift: means[shift])
    parts = [f"agree {means[0]:.2f}, best at {best:+d} ms"]
    for name, errors in counts.closed.items():
        middle, far = np.percentile(errors, (50, 90)) if errors else (np.nan, np.nan)
        parts.append(f"{name} closed {len(errors)}/{counts.bilabials} {middle:.1f} {far:.1f} ms")
    used, rate = np.mean(counts.used), np.mean(counts.rates)
    parts.append(f"fit {used:.2f} at {rate:.2f} in {np.mean(counts.syntheses):.1f}")
    return " | ".join(parts)


if __name__ == "__main__":
    sys.exit(main())
