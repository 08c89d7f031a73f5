"""Options of the encoders: speed, quality, and what the source has that they are told."""

from __future__ import annotations

from labial.errors import WriteError
from labial.media.probe import VideoInfo

FAMILIES = {"vp8": "vp9", "libvpx": "vp9", "libvpx-vp9": "vp9", "libdav1d": "av1"}
"""Decoders whose name is not that of the family that their pictures are written in."""
_GOOD_CRF = {"libx264": 17, "libx265": 19, "libsvtav1": 24, "libvpx-vp9": 24}
_WORST_CRF = {"libx264": 51, "libx265": 51, "libsvtav1": 63, "libvpx-vp9": 63}
# Bits that a codec needs for the same picture, h264 being 1; used for the bit rate cap only.
_COST = {"h264": 1.0, "hevc": 0.65, "av1": 0.55, "vp9": 0.65, "mpeg4": 1.5, "mpeg2video": 2.0}
_CAP = 1.5
_LEAST_CAP = 200_000
_PRESETS = (
    "ultrafast",
    "superfast",
    "veryfast",
    "faster",
    "fast",
    "medium",
    "slow",
    "slower",
    "veryslow",
    "placebo",
)
_SVT_PRESETS = (12, 11, 10, 9, 8, 6, 4, 3, 2, 1)
_VP9_SPEEDS = (8, 7, 6, 5, 4, 3, 2, 1, 0, 0)
PRORES_PROFILES = {"Proxy": 0, "LT": 1, "Standard": 2, "HQ": 3, "4444": 4, "XQ": 5}
# What an encoder is told to lose nothing; prores_ks has no such thing, and ffv1 needs none.
_LOSSLESS = {
    "libx264": {"qp": "0"},
    "libx265": {"x265-params": "lossless=1"},
    "libsvtav1": {"svtav1-params": "lossless=1"},
    "libvpx-vp9": {"lossless": "1"},
    "ffv1": {},
    "png": {},
}
_PARAMETERS = {
    "libx264": "x264-params",
    "libx265": "x265-params",
    "libsvtav1": "svtav1-params",
}
# Profiles that leave tools out; the others follow from the pixel format.
_PLAIN_PROFILES = {"Constrained Baseline": "baseline", "Baseline": "baseline", "Main": "main"}
# Threads with which an encoder repeats itself everywhere; x265 would also name the processor.
_REPEATABLE: dict[str, tuple[int, dict[str, str]]] = {
    "libx264": (1, {}),
    "libx265": (1, {"x265-params": "pools=none:frame-threads=1:info=0"}),
    "libvpx-vp9": (2, {}),
}
_REORDERING = {"h264", "hevc", "mpeg2video", "mpeg4", "vc1"}
_LONGEST_GOP = 600


def encoder_options(
    encoder: str,
    family: str,
    source: VideoInfo,
    pix_fmt: str,
    crf: int | None,
    preset: str,
    lossless: bool,
) -> dict[str, str]:
    """Return the options that a software encoder is opened with.

    Raises
    ------
    WriteError
        A setting means nothing to this encoder.
    """
    parts = [
        _LOSSLESS[encoder] if lossless else _quality(encoder, family, source, crf),
        _speed(encoder, preset),
        _structure(encoder, source),
        _special(encoder, source, pix_fmt),
        {} if lossless else _profile(encoder, source, pix_fmt),
    ]
    if source.hdr is not None:
        told = source.hdr.encoder_options(encoder)
        if told:
            text = ":".join(f"{name}={value}" for name, value in told.items())
            parts.append({_PARAMETERS[encoder]: text})
    return joined_options(*parts)


def joined_options(*parts: dict[str, str]) -> dict[str, str]:
    """Return all options together; parameters that an encoder takes in one string are joined."""
    options: dict[str, str] = {}
    for part in parts:
        for name, value in part.items():
            joined = name in options and name in _PARAMETERS.values()
            options[name] = f"{options[name]}:{value}" if joined else value
    return options


def thread_options(encoder: str, threads: int, repeatable: bool) -> tuple[int, dict[str, str]]:
    """Return how many threads an encoder gets, 0 for as many as there are cores, and options.

    ``repeatable`` asks for the same bytes every time and on every machine: x264 and x265 give these
    on one thread only, libvpx on two or more. The others do so in any case.
    """
    if repeatable and encoder in _REPEATABLE:
        return _REPEATABLE[encoder]
    if threads and encoder == "libx265":
        return threads, {"x265-params": f"pools={threads}"}
    if threads and encoder == "libsvtav1":
        return threads, {"svtav1-params": f"lp={threads}"}
    return threads, {}


def can_be_lossless(encoder: str) -> bool:
    """Whether an encoder can give back every sample."""
    return encoder in _LOSSLESS


def bits_for(family: str, source: VideoInfo) -> int:
    """Bits a second with which ``family`` shows the source about as well; 0 when unknown."""
    before = FAMILIES.get(source.codec, source.codec)
    if not source.bit_rate or before not in _COST:
        return 0
    return int(source.bit_rate * max(1.0, _COST[family] / _COST[before]))


def _structure(encoder: str, source: VideoInfo) -> dict[str, str]:
    """Key frames as often as in the source, and pictures out of order only where it has them."""
    options = {}
    predicted = FAMILIES.get(source.codec, source.codec) in _COST
    if source.gop and predicted and encoder in _GOOD_CRF:
        options["g"] = str(min(source.gop, _LONGEST_GOP))
    if encoder in ("libx264", "libx265") and source.codec in _REORDERING and not source.reordered:
        options["bf"] = "0"
    return options


def _speed(encoder: str, preset: str) -> dict[str, str]:
    if preset not in _PRESETS:
        raise WriteError(f"unknown preset {preset!r}: use one of {', '.join(_PRESETS)}")
    rank = _PRESETS.index(preset)
    if encoder in ("libx264", "libx265"):
        return {"preset": preset}
    if encoder == "libsvtav1":
        return {"preset": str(_SVT_PRESETS[rank])}
    if encoder == "libvpx-vp9":
        speed = _VP9_SPEEDS[rank]
        deadline = "realtime" if speed > 5 else "good"
        return {
            "cpu-used": str(speed),
            "deadline": deadline,
            "row-mt": "1",
            "tile-columns": "2",
            "lag-in-frames": "0" if speed > 5 else "16",
            "auto-alt-ref": "0" if speed > 5 else "1",
        }
    return {}


def _quality(encoder: str, family: str, source: VideoInfo, crf: int | None) -> dict[str, str]:
    if encoder not in _GOOD_CRF:
        if crf is not None:
            raise WriteError(f"--crf means nothing to {family}: leave it out")
        return {}
    if crf is not None:
        if not 0 <= crf <= _WORST_CRF[encoder]:
            raise WriteError(f"--crf {crf}: {family} takes 0 (best) to {_WORST_CRF[encoder]}")
        return {"crf": str(crf)} | ({"b": "0"} if encoder == "libvpx-vp9" else {})
    options = {"crf": str(_GOOD_CRF[encoder])}
    bits = bits_for(family, source)
    if bits:
        cap = max(_LEAST_CAP, int(bits * _CAP))
        options |= {"maxrate": str(cap), "bufsize": str(2 * cap)}
        if encoder == "libvpx-vp9":
            options["b"] = str(int(cap / _CAP))
        if encoder == "libsvtav1":
            del options["bufsize"]
    elif encoder == "libvpx-vp9":
        options["b"] = "0"
    return options


def _profile(encoder: str, source: VideoInfo, pix_fmt: str) -> dict[str, str]:
    """The source's own H.264 profile, where that is one that leaves tools out."""
    plain = _PLAIN_PROFILES.get(source.profile) if source.codec == "h264" else None
    if plain is None or encoder != "libx264" or pix_fmt not in ("yuv420p", "nv12"):
        return {}
    return {"profile": plain}


def _special(encoder: str, source: VideoInfo, pix_fmt: str) -> dict[str, str]:
    if encoder == "libx265":
        return {"x265-params": "log-level=none"}
    if encoder == "libvpx-vp9" and pix_fmt.startswith("yuva"):
        return {"auto-alt-ref": "0"}
    if encoder == "prores_ks":
        rich = pix_fmt.startswith(("yuv444", "yuva444"))
        profile = PRORES_PROFILES.get(source.profile, 4 if rich else 3)
        fits = profile >= 4 if rich else profile < 4
        return {"profile": str(profile if fits else 4 if rich else 3), "vendor": "apl0"}
    if encoder == "ffv1":
        return {"level": "3", "slicecrc": "1", "g": "1"}
    return {}
