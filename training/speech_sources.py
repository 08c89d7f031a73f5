"""Where recorded speech lies, and how to read it out of the packages.

``SOURCES`` names the packages of recorded people, the members that are speech, and the licence
each package states. Russian is left out of all but ``festvox_ru_test``: it is the language that
tests hear for the first time.
"""

from __future__ import annotations

import io
import re
import struct
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np

RATE = 16_000


@dataclass(frozen=True)
class Source:
    """Where recordings lie: the package, and which of its members, by a regular expression.

    Its groups ``voice`` and ``language`` say who speaks, and in what language.
    """

    package: str
    members: str
    language: str
    licence: str
    voice: str = ""


SOURCES = {
    "festvox_ru_test": Source("festvox-ru_*", r"(wav|lab)/ru_\d+\.", "ru", "BSD-like", "nsh"),
    "grid": Source("", "", "en-GB", "CC-BY-4.0"),
    "asterisk_en": Source(
        "asterisk-core-sounds-en-g722_*", r"sounds/(?P<voice>\w+)/.*g722", "en-US", "CC-BY-SA-3.0"
    ),
    "asterisk_es": Source(
        "asterisk-core-sounds-es-g722_*", r"sounds/(?P<voice>\w+)/.*g722", "es-MX", "CC-BY-SA-3.0"
    ),
    "asterisk_fr": Source(
        "asterisk-core-sounds-fr-g722_*", r"sounds/(?P<voice>\w+)/.*g722", "fr-CA", "CC-BY-SA-3.0"
    ),
    "asterisk_it": Source(
        "asterisk-core-sounds-it-g722_*", r"sounds/(?P<voice>\w+)/.*g722", "it", "CC-BY-SA-3.0"
    ),
    "asterisk_it_menardi": Source(
        "asterisk-prompt-it-menardi-wav_*", r"/(?P<voice>it_IT\w+)/.*wav", "it", "CC-BY-SA-3.0"
    ),
    "asterisk_es_co": Source(
        "asterisk-prompt-es-co_*", r"sounds/es/.*gsm", "es-CO", "GPL-2+", "es_co"
    ),
    "asterisk_fr_armelle": Source(
        "asterisk-prompt-fr-armelle_*", r"sounds/fr/.*gsm", "fr", "GPL-2+", "armelle"
    ),
    "fillets_cs": Source("fillets-ng-data-cs_*", r"sound/(?P<voice>.+)\.ogg", "cs", "GPL-2+"),
    "fillets_nl": Source("fillets-ng-data-nl_*", r"sound/(?P<voice>.+)\.ogg", "nl", "GPL-2+"),
    "moonshine": Source(
        "moonshine_voice-*",
        r"assets/(?P<voice>beckett|two_cities|endgame_nagg_nell|clone-test)\.wav",
        "en",
        "MIT, of the package; the readings' own is not stated",
    ),
    "pocketsphinx_testdata": Source(
        "pocketsphinx-testdata_*",
        r"(?P<voice>librivox|cards|data)/((sense|00)[\w-]+\.wav|goforward\.raw|something\.raw"
        r"|numbers\.raw|transcription|\w+\.transcription)",
        "en-US",
        "BSD-2-Clause; LibriVox readings are in the public domain",
    ),
    "tuxpaint": Source(
        "tuxpaint-stamps-default_*",
        r"/stamps/.*(_desc(_(?P<language>(?!ru)[a-z]{2}(_BR)?))?(\.ogg)?\.(ogg|wav)|\.txt)$",
        "en",
        "GPL-2+",
    ),
    "klettres": Source(
        "klettres-data_*", r"klettres/(?P<language>(?!ru)\w+)/\w+/.*\.ogg", "", "GPL-2+"
    ),
    "ktuberling": Source(
        "ktuberling-data_*", r"sounds/(?P<language>(?!ru|uk/../)[\w@]+)/.*\.(wav|ogg)", "", "GPL-2+"
    ),
    "hedgewars": Source(
        "hedgewars-data_*",
        r"voices/(?P<voice>(?!Robot|Russian/|Singer|\w+_ru)[A-Za-z]+(_(?P<language>\w\w))?)/.*ogg",
        "en",
        "GFDL-1.3",
    ),
    "warzone2100": Source(
        "warzone2100-data_*",
        r"base\.wz!audio/(?P<voice>memressp/(missmesg|cmndrvoc|console|research|detect|status)"
        r"|tutorial|vtoltalk|taunts/taunt\d)/.*\.ogg",
        "en",
        "GPL-2+ and CC-BY-SA-3.0",
    ),
    "megaglest": Source(
        "megaglest-data_*",
        r"factions/(?P<voice>\w+/units/\w+)/sounds/\w*(ack|select)\d*\.(wav|ogg)",
        "en",
        "CC-BY-SA-3.0",
    ),
    "drascula": Source(
        "drascula_*",
        r"drascula/en/(?P<voice>(?!AUX)[A-Z]*)\d+\.ALS",
        "en",
        "freeware, Alcachofa Soft: use, copy, change and pass on; not sold by itself",
    ),
    "amazon_queen": Source(
        "flight-of-the-amazon-queen_*",
        r"queen\.1c",
        "en",
        "freeware, J. Passfield and S. Stamatiadis: use and pass on; not sold by itself",
    ),
    "steel_sky": Source(
        "beneath-a-steel-sky_*",
        r"sky\.(dsk|dnr)",
        "en",
        "freeware, Revolution Software: use and pass on; not sold by itself",
    ),
    "codec2": Source(
        "codec2-examples_*",
        r"codec2/(wav/(?P<voice>cross|david4|f2400|forig|hts1a|hts2a|m2400|mmt1|morig|ve9qrp|vk5qi"
        r"|vk2tpm_004|big_dog)\.wav|raw/(kristoff|hts1|hts2|g3plx)\.raw)",
        "en",
        "LGPL-2.1",
    ),
    "pyannote": Source("pyannote_audio-*", r"sample/sample\.wav", "en", "MIT", "several"),
}


def members(package: Path, pattern: re.Pattern[str]) -> Iterator[tuple[str, bytes]]:
    """Yield name and contents of what fits in a .deb, .tar.gz, .whl, or a game's zip inside."""
    if package.suffix == ".deb":
        with package.open("rb") as file:
            file.seek(8)
            while head := file.read(60):
                size = int(head[48:58])
                if head.startswith(b"data.tar"):
                    with tarfile.open(fileobj=io.BytesIO(file.read(size))) as inner:
                        yield from _tar_members(inner, pattern)
                    return
                file.seek(size + size % 2, 1)
    elif package.suffix in (".whl", ".zip"):
        yield from _zip_members(package.read_bytes(), "", pattern)
    else:
        with tarfile.open(package) as archive:
            yield from _tar_members(archive, pattern)


def _tar_members(archive: tarfile.TarFile, pattern: re.Pattern[str]) -> Iterator[tuple[str, bytes]]:
    for entry in archive:
        inside = entry.name.endswith(".wz")
        if not entry.isfile() or not (inside or pattern.search(entry.name)):
            continue
        file = archive.extractfile(entry)
        data = file.read() if file else b""
        if inside:
            yield from _zip_members(data, entry.name + "!", pattern)
        else:
            yield entry.name, data


def _zip_members(data: bytes, prefix: str, pattern: re.Pattern[str]) -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for name in archive.namelist():
            if pattern.search(prefix + name):
                yield prefix + name, archive.read(name)


def decoded(data: bytes, form: str | None = None, rate: int | None = None) -> np.ndarray:
    """Decode a sound file to (m,) int16 at 16 kHz."""
    options = {"sample_rate": str(rate)} if rate else {}
    resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE)
    parts = []
    with av.open(io.BytesIO(data), format=form, options=options) as container:
        for frame in container.decode(audio=0):
            parts += [f.to_ndarray()[0] for f in resampler.resample(frame)]
        parts += [f.to_ndarray()[0] for f in resampler.resample(None)]
    return np.concatenate(parts) if parts else np.zeros(0, np.int16)


def sound(name: str, data: bytes) -> np.ndarray:
    """Decode by the name's ending, for the formats without a header."""
    if name.endswith(".ALS"):
        return decoded(data, "u8", 11_025)
    if name.endswith(".raw"):
        return decoded(data, "s16le", 8_000 if "codec2" in name else RATE)
    return decoded(data, {"g722": "g722", "gsm": "gsm"}.get(name.rsplit(".", 1)[-1]))


def queen_speech(data: bytes) -> Iterator[tuple[str, str, np.ndarray]]:
    """Yield name, voice and sound of the speeches in Flight of the Amazon Queen's one file.

    Speech is named by room, line and speaker, as in 020001P2.SB.
    """
    (count,) = struct.unpack_from(">H", data, 13)
    for i in range(count):
        name, _, offset, size = struct.unpack_from(">12sBII", data, 15 + 21 * i)
        found = re.match(rb"(\w\w)\d{4}([A-Z])\w*\.SB", name)
        if found and size > 400:
            room, who = (g.decode() for g in found.groups())
            voice = "J" if who == "J" else f"{room}{who}"
            stem = name.decode("latin1").split(".")[0]
            yield stem, voice, decoded(data[offset : offset + size], "mp3")


def sky_speech(disk: bytes, table: bytes) -> Iterator[tuple[str, str, np.ndarray]]:
    """Yield name, voice and sound of the speeches in Beneath a Steel Sky's two files.

    Who speaks is not told: lines are numbered by the room and character they belong to, so that
    a hundred in a row are taken for one voice.
    """
    (count,) = struct.unpack_from("<I", table)
    for i in range(count):
        entry = table[4 + 8 * i : 12 + 8 * i]
        number = int.from_bytes(entry[:2], "little")
        place, size = int.from_bytes(entry[2:5], "little"), int.from_bytes(entry[5:8], "little")
        offset = (place & 0x7FFFFF) * (16 if place & 0x800000 else 1)
        if number >= 50_000:
            data = disk[offset + 22 : offset + (size & 0x3FFFFF)]
            yield str(number), str(number // 100), decoded(data, "u8", 11_025)
