"""Voices cut from recordings, or modelled on them, of festival and flite, with their phones in IPA.

``apt-get install flite festival festival-{hi,ca,czech} festvox-{kallpc16k,kdlpc16k,us-slt-hts}
festvox-czech-{dita,krb,machac,ph} festvox-suopuhe-{lj,mv} festvox-{hi-nsk,ca-ona-hts}
festvox-{italp16k,itapc16k}``
"""

from __future__ import annotations

import re
import subprocess
import tempfile
import wave
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from training.speech_engines import resampled

RADIO = {
    "aa": "ɑ", "ae": "æ", "ah": "ʌ", "ao": "ɔ", "aw": "aʊ", "ax": "ə", "axr": "ɚ", "ay": "aɪ",
    "b": "b", "ch": "tʃ", "d": "d", "dh": "ð", "dx": "ɾ", "eh": "ɛ", "el": "l", "em": "m",
    "en": "n", "er": "ɝ", "ey": "eɪ", "f": "f", "g": "ɡ", "hh": "h", "hv": "ɦ", "ih": "ɪ",
    "iy": "i", "jh": "dʒ", "k": "k", "l": "l", "m": "m", "n": "n", "nx": "n", "ng": "ŋ",
    "ow": "oʊ", "oy": "ɔɪ", "p": "p", "r": "ɹ", "s": "s", "sh": "ʃ", "t": "t", "th": "θ",
    "uh": "ʊ", "uw": "u", "v": "v", "w": "w", "y": "j", "z": "z", "zh": "ʒ",
}  # fmt: skip
CZECH = {
    "g": "ɡ", "h": "ɦ", "ch": "x", "c": "ts", "c~": "tʃ", "d~": "ɟ", "t~": "c", "n~": "ɲ",
    "n*": "ŋ", "r~": "r̝", "r~*": "r̝", "s~": "ʃ", "z~": "ʒ", "dz~": "dʒ",
}  # fmt: skip
FINNISH = {
    "7": "ø", "@": "æ", "&": "ə", "g": "ɡ", "T": "θ", "D": "ð", "S": "ʃ", "Z": "ʒ", "N": "ŋ",
    "L": "ʎ",
}  # fmt: skip
ITALIAN = {
    "E": "ɛ", "O": "ɔ", "g": "ɡ", "S": "ʃ", "Z": "ʒ", "tS": "tʃ", "dZ": "dʒ", "J": "ɲ",
    "ng": "ŋ", "nf": "ɱ", "L": "ʎ",
}  # fmt: skip
CATALAN = ITALIAN | {"ax": "ə", "r": "ɾ", "rr": "r"}
HINDI = {
    "a": "ə", "aa": "aː", "ih": "ɪ", "iy": "iː", "uh": "ʊ", "uw": "uː", "eh": "eː", "ee": "eː",
    "ay": "ɛː", "oh": "oː", "oo": "oː", "aw": "ɔː", "g": "ɡ", "ch": "tʃ", "T": "ʈ", "D": "ɖ",
    "N": "ɳ", "th": "t̪", "dh": "d̪", "y": "j", "v": "ʋ", "L": "ɭ", "R": "ɽ", "sh": "ʃ",
    "j": "dʒ", "ksh": "kʃ", "sri": "ʃr", "kh": "kʰ", "gh": "ɡʰ", "td": "ʈʰ", "tth": "t̪ʰ",
    "ddh": "d̪ʰ", "bh": "bʰ", "zh": "ʒ", "@": "ə",
}  # fmt: skip


@dataclass(frozen=True)
class RecordedVoice:
    """A voice cut from recordings: of festival by its function's name, of flite by its own."""

    name: str
    language: str
    phones: dict[str, str]
    encoding: str = "utf-8"
    program: str = "festival"
    test: bool = False

    def mark(self, symbol: str) -> str | None:
        """IPA of one of the voice's phones; stress and length as it writes them fall away."""
        if symbol in ("#", "##", "_", "pau", "h#", "brth", "x"):
            return None
        plain = symbol.rstrip("1:") or symbol
        return self.phones.get(symbol, self.phones.get(plain, plain)) + "ː" * (symbol[-1] == ":")

    def speak(self, text: str, stretch: float, pitch: float, size: float):
        """Audio at 16 kHz in ±1 and marks.

        ``stretch`` of time; ``pitch`` as a factor (flite alone); ``size`` plays the sound faster
        or slower, so that it comes from a smaller or larger mouth.
        """
        with tempfile.TemporaryDirectory() as folder:
            sound = Path(folder) / "sound.wav"
            if self.program == "flite":
                mean = {"slt": 170, "rms": 100, "awb": 120}.get(self.name, 110) * pitch
                said = subprocess.run(
                    ["flite", "-voice", self.name, "--setf", f"duration_stretch={stretch:.3f}",
                     "--setf", f"int_f0_target_mean={mean:.0f}", "-t", text, "-psdur",
                     "-o", str(sound)],
                    capture_output=True, check=True, timeout=60,
                ).stdout.decode()  # fmt: skip
                ends = [p.rsplit(":", 1) for p in said.split()]
            else:
                script = Path(folder) / "say.scm"
                plain = text.replace('"', "").replace("\\", "")
                code = (
                    f"(voice_{self.name})\n(Parameter.set 'Duration_Stretch {stretch:.3f})\n"
                    f'(set! u (utt.synth (Utterance Text "{plain}")))\n'
                    f'(utt.save.wave u "{sound}" \'riff)\n'
                    '(mapcar (lambda (s) (format t "%s %f\\n" (item.name s) (item.feat s \'end)))'
                    " (utt.relation.items u 'Segment))\n"
                )
                script.write_bytes(code.encode(self.encoding, "ignore"))
                said = subprocess.run(
                    ["festival", "-b", str(script)], capture_output=True, check=True, timeout=60
                ).stdout.decode(self.encoding, "replace")
                ends = re.findall(r"^(\S+) ([\d.]+)$", said, flags=re.MULTILINE)
            with wave.open(str(sound)) as file:
                rate = file.getframerate()
                raw = np.frombuffer(file.readframes(file.getnframes()), np.int16)
        played = round(rate * size / 100) * 100
        marks: list[tuple[float, str | None]] = []
        start = 0.0
        for symbol, end in ends:
            marks.append((start, self.mark(symbol)))
            start = float(end) * rate / played
        marks.append((start, None))
        return resampled(raw.astype(np.float32) / 32768, played), marks


RECORDED_VOICES = (
    RecordedVoice("kal_diphone", "en", RADIO),
    RecordedVoice("ked_diphone", "en", RADIO, test=True),
    RecordedVoice("cmu_us_slt_arctic_hts", "en", RADIO),
    RecordedVoice("czech_dita", "cs", CZECH, "iso-8859-2"),
    RecordedVoice("czech_krb", "cs", CZECH, "iso-8859-2"),
    RecordedVoice("czech_machac", "cs", CZECH, "iso-8859-2", test=True),
    RecordedVoice("czech_ph", "cs", CZECH, "iso-8859-2"),
    RecordedVoice("hy_fi_mv_diphone", "fi", FINNISH, "latin-1"),
    RecordedVoice("suo_fi_lj_diphone", "fi", FINNISH, "latin-1"),
    RecordedVoice("hindi_NSK_diphone", "hi", HINDI),
    RecordedVoice("lp_diphone", "it", ITALIAN, "latin-1"),
    RecordedVoice("pc_diphone", "it", ITALIAN, "latin-1", test=True),
    RecordedVoice("upc_ca_ona_hts", "ca", CATALAN, "latin-1"),
    RecordedVoice("rms", "en", RADIO, program="flite"),
    RecordedVoice("awb", "en", RADIO, program="flite"),
    RecordedVoice("slt", "en", RADIO, program="flite"),
)
