"""What the shipped network hears in speech that a synthesizer makes, with the times it gives.

eSpeak NG is what ``labial[text]`` brings; it is run in a process of its own, because it keeps one
state for all.
"""

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from labial.audio.clean import prepare
from labial.audio.features import RATE
from labial.motion.predict import predict
from labial.motion.rules import Rules, apply_rules
from labial.motion.space import load_basis
from labial.speech.phones import BILABIAL, classes_of_ipa
from labial.types import Audio, FloatArray, SpeechTrack

SYNTHESIZE = """
import ctypes, json, sys
import espeakng_loader
text, voice, target = sys.argv[1:]
class Id(ctypes.Union):
    _fields_ = [("number", ctypes.c_int), ("string", ctypes.c_char * 8)]
class Event(ctypes.Structure):
    _fields_ = [("type", ctypes.c_int), ("unique", ctypes.c_uint), ("position", ctypes.c_int),
                ("length", ctypes.c_int), ("audio", ctypes.c_int), ("sample", ctypes.c_int),
                ("user", ctypes.c_void_p), ("id", Id)]
lib = ctypes.CDLL(espeakng_loader.get_library_path())
lib.espeak_Initialize.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_char_p, ctypes.c_int]
rate = lib.espeak_Initialize(1, 0, espeakng_loader.get_data_path().encode(), 3)
sound, events = bytearray(), []
@ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int,
                  ctypes.POINTER(Event))
def hear(wave, n, event):
    if wave and n > 0:
        sound.extend(ctypes.string_at(wave, 2 * n))
    i = 0
    while event[i].type != 0:
        if event[i].type == 7:
            events.append((event[i].sample / rate, event[i].id.string.decode("utf-8", "replace")))
        i += 1
    return 0
lib.espeak_SetSynthCallback(hear)
assert lib.espeak_SetVoiceByName(voice.encode()) == 0
data = text.encode() + b"\\0"
lib.espeak_Synth(data, len(data), 0, 1, 0, 1, None, None)
lib.espeak_Synchronize()
open(target, "wb").write(bytes(sound))
print(json.dumps({"rate": rate, "events": events}))
"""

SENTENCES = {
    "en-us": "My mother bought a big blue book about paper maps, and Bob may keep it.",
    "es": "Mi mamá compra pan blanco para el bebé de Pablo.",
    "de": "Meine Mutter backt am Abend Brot und bringt Papa Pudding.",
    "tr": "Babam pazarda beyaz peynir ve bir paket biber almış.",
}
pytestmark = pytest.mark.skipif(find_spec("espeakng_loader") is None, reason="needs labial[text]")


def say(text: str, voice: str, folder: Path) -> tuple[FloatArray, list[tuple[float, str]]]:
    """16 kHz sound of a sentence, and when each of its phones begins."""
    command = [sys.executable, "-c", SYNTHESIZE, text, voice, str(folder / "sound")]
    done = subprocess.run(command, capture_output=True, check=True, encoding="utf-8")
    found = json.loads(done.stdout)
    wave = np.frombuffer((folder / "sound").read_bytes(), "<i2").astype(np.float32) / 32768
    at = np.arange(int(len(wave) * RATE / found["rate"])) * found["rate"] / RATE
    sound = np.interp(at, np.arange(len(wave)), wave).astype(np.float32)
    return prepare(sound), [(float(t), str(name)) for t, name in found["events"]]


@pytest.fixture(scope="module", params=list(SENTENCES))
def said(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[SpeechTrack, list[tuple[float, str]]]:
    sound, events = say(SENTENCES[request.param], request.param, tmp_path_factory.mktemp("say"))
    return predict(Audio(sound, RATE)), events


def test_lips_meet_on_most_p_b_m(said: tuple[SpeechTrack, list[tuple[float, str]]]) -> None:
    track, events = said
    basis = load_basis()
    opening = basis.aperture(apply_rules(track, basis, Rules()).coefficients)
    starts = [t for t, name in events if set(classes_of_ipa(name)) & set(BILABIAL)]
    assert len(starts) >= 6
    # eSpeak NG marks p at its burst, up to 60 ms after the lips close.
    shut = [opening[max(int(t * 50) - 4, 0) : int(t * 50) + 6].min() < 0.018 for t in starts]
    assert np.mean(shut) >= 0.8
    assert np.percentile(opening, 90) > 0.04


def test_what_is_said_is_voice_and_what_is_not_is_none(
    said: tuple[SpeechTrack, list[tuple[float, str]]],
) -> None:
    track, _ = said
    assert track.voice[10:-25].mean() > 0.7
    silent = predict(Audio(np.zeros(RATE, np.float32), RATE))
    assert silent.voice.max() < 0.2
