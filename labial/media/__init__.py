"""Room: media. The only one that knows FFmpeg (through PyAV)."""

from labial.media.encoders import EncodePlan, EncodeSettings
from labial.media.probe import AudioInfo, MediaInfo, VideoInfo, probe
from labial.media.read import VideoReader
from labial.media.sound import read_audio
from labial.media.write import EXTENSIONS, VideoWriter, check_target

__all__ = [
    "EXTENSIONS",
    "AudioInfo",
    "EncodePlan",
    "EncodeSettings",
    "MediaInfo",
    "VideoInfo",
    "VideoReader",
    "VideoWriter",
    "check_target",
    "probe",
    "read_audio",
]
