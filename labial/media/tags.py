"""Tags of files and streams: which go over, and how languages are called."""

from __future__ import annotations

import re
from typing import Any

from labial.errors import OptionError

# What belongs to a file itself, not to what it shows.
_OWN = {
    "major_brand",
    "minor_version",
    "compatible_brands",
    "encoder",
    "duration",
    "rotate",
    "alpha_mode",
    "vendor_id",
    "bps",
    "number_of_frames",
    "number_of_bytes",
    "source_id",
    # MXF's names for itself and for what wrote it.
    "operational_pattern_ul", "uid", "generation_uid", "product_uid", "company_name",
    "product_name", "product_version", "product_version_num", "toolkit_version_num",
    "application_platform", "material_package_umid", "file_package_umid", "modification_date",
}  # fmt: skip
# What mp4 and mov have a place for; others need a list of keys of their own.
_PLACED = {
    "title", "artist", "album_artist", "composer", "album", "date", "comment", "genre",
    "copyright", "grouping", "lyrics", "description", "synopsis", "show", "episode_id", "network",
    "keywords", "track", "disc", "location", "creation_time", "timecode", "hd_video",
    "media_type", "season_number", "episode_sort", "compilation", "rating",
}  # fmt: skip
# ISO 639-1 and ISO 639-2 (terminological) of each language that has both.
_CODES = """
aa aar ab abk ae ave af afr ak aka am amh an arg ar ara as asm av ava ay aym az aze ba bak be bel
bg bul bh bih bi bis bm bam bn ben bo bod br bre bs bos ca cat ce che ch cha co cos cr cre cs ces
cu chu cv chv cy cym da dan de deu dv div dz dzo ee ewe el ell en eng eo epo es spa et est eu eus
fa fas ff ful fi fin fj fij fo fao fr fra fy fry ga gle gd gla gl glg gn grn gu guj gv glv ha hau
he heb hi hin ho hmo hr hrv ht hat hu hun hy hye hz her ia ina id ind ie ile ig ibo ii iii ik ipk
io ido is isl it ita iu iku ja jpn jv jav ka kat kg kon ki kik kj kua kk kaz kl kal km khm kn kan
ko kor kr kau ks kas ku kur kv kom kw cor ky kir la lat lb ltz lg lug li lim ln lin lo lao lt lit
lu lub lv lav mg mlg mh mah mi mri mk mkd ml mal mn mon mr mar ms msa mt mlt my mya na nau nb nob
nd nde ne nep ng ndo nl nld nn nno no nor nr nbl nv nav ny nya oc oci oj oji om orm or ori os oss
pa pan pi pli pl pol ps pus pt por qu que rm roh rn run ro ron ru rus rw kin sa san sc srd sd snd
se sme sg sag si sin sk slk sl slv sm smo sn sna so som sq sqi sr srp ss ssw st sot su sun sv swe
sw swa ta tam te tel tg tgk th tha ti tir tk tuk tl tgl tn tsn to ton tr tur ts tso tt tat tw twi
ty tah ug uig uk ukr ur urd uz uzb ve ven vi vie vo vol wa wln wo wol xh xho yi yid yo yor za zha
zh zho zu zul
"""
# Matroska asks for ISO 639-2's bibliographic codes, where there are two.
_BIBLIOGRAPHIC = {
    "sqi": "alb", "hye": "arm", "eus": "baq", "mya": "bur", "zho": "chi", "ces": "cze",
    "nld": "dut", "fra": "fre", "kat": "geo", "deu": "ger", "ell": "gre", "isl": "ice",
    "mkd": "mac", "mri": "mao", "msa": "may", "fas": "per", "ron": "rum", "slk": "slo",
    "bod": "tib", "cym": "wel",
}  # fmt: skip

# QuickTime has numbers for languages, and only for these; by FFmpeg's names of them.
_QUICKTIME = {"hr ", "fo ", "sr ", "pa "}.union(
    """
    eng fra ger ita dut sve spa dan por nor heb jpn ara fin gre ice mlt tur chi urd hin tha kor
    lit pol hun est lav rus iri alb ron ces slk slv yid mac bul ukr bel uzb kaz aze arm geo mol
    kir tgk tuk mon pus kur kas snd tib nep san mar ben asm guj ori mal kan tam tel bur khm lao
    vie ind tgl may amh tir orm som swa run mlg epo wel baq cat lat que grn aym tat uig dzo jav
    """.split()  # noqa: SIM905
)
_UNKNOWN = ("und", "")


def kept_tags(tags: dict[str, str]) -> dict[str, str]:
    """Return those tags of a file or stream that an output takes over."""
    return {
        key: value
        for key, value in tags.items()
        if key.lower().split("-")[0] not in _OWN and not key.startswith("_STATISTICS")
    }


def timecode_of(streams: Any, index: int) -> str:
    """Return the timecode of the first picture of stream ``index``, "" where there is none."""
    others = [stream for stream in streams if stream.type == "data"]
    for stream in (streams[index], *others):
        for key, value in stream.metadata.items():
            if key.lower() == "timecode":
                return str(value)
    return ""


def placeless(tags: dict[str, str]) -> list[str]:
    """Return the keys for which mp4 and mov have no place, unless they list keys of their own."""
    return [key for key in tags if key.lower().split("-")[0] not in _PLACED]


def two_letters(language: str) -> str:
    """Return ``language`` by its code of two letters where it has one: ``"deu"`` → ``"de"``.

    What follows the code stays, ``"por_BR"`` → ``"pt-br"``; so does what is no such code.
    """
    head, *rest = language.strip().lower().replace("_", "-").split("-")
    words = _CODES.split()
    two = dict(zip(words[1::2], words[::2], strict=True))
    long = {short: long for long, short in _BIBLIOGRAPHIC.items()}.get(head, head)
    return "-".join([two.get(long, head), *rest])


def language_code(language: str, muxer: str) -> str:
    """Return how a container calls a language, "" where it has no name for it.

    Parameters
    ----------
    language
        ISO 639 code of two or three letters; a country after it (``pt-BR``) is left out, for
        which containers have no place.
    muxer
        FFmpeg's name of the container's format.

    Raises
    ------
    OptionError
        It is no such code.
    """
    match = re.fullmatch(r"([a-z]{2,3})([-_][a-z0-9]+)*", language.strip().lower())
    words = _CODES.split()
    two = dict(zip(words[::2], words[1::2], strict=True))
    code = match[1] if match else ""
    if len(code) == 2:
        code = two.get(code, "")
    if not code:
        raise OptionError(f"--language {language}: give an ISO 639 code, such as es, fr or cmn")
    code = {short: long for long, short in _BIBLIOGRAPHIC.items()}.get(code, code)
    if muxer in ("matroska", "webm"):
        return _BIBLIOGRAPHIC.get(code, code)
    if muxer == "mov":
        short = {long: f"{letters} " for letters, long in two.items()}.get(code, "")
        names = (code, _BIBLIOGRAPHIC.get(code, ""), short)
        return next((name for name in names if name in _QUICKTIME), "")
    return code


def stream_tags(tags: dict[str, str], muxer: str) -> tuple[dict[str, str], str]:
    """Return the tags of a stream that go over, and its language where that does not."""
    kept = kept_tags(tags)
    # FFmpeg reads a track's name under one key, and writes it under another.
    name = kept.pop("name", "")
    if name:
        kept.setdefault("title", name)
    language = kept.pop("language", "")
    if language in _UNKNOWN:
        return kept, ""
    try:
        code = language_code(language, muxer)
    except OptionError:  # a word of the file's own; muxers take three letters only
        code = ""
    return (kept | {"language": code}, "") if code else (kept, language)
