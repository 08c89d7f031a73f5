"""A script is spoken: voices, and speech that keeps to the times of its cues."""

from labial.voices.base import Utterance, Voice
from labial.voices.engines import VoiceGroup, engine_names, find_voice, listed, voices_of
from labial.voices.reading import problems_of
from labial.voices.timing import RateLimits, speak_cues, speak_text
from labial.voices.tracks import SpokenCue, SpokenTrack

__all__ = [
    "RateLimits",
    "SpokenCue",
    "SpokenTrack",
    "Utterance",
    "Voice",
    "VoiceGroup",
    "engine_names",
    "find_voice",
    "listed",
    "problems_of",
    "speak_cues",
    "speak_text",
    "voices_of",
]
