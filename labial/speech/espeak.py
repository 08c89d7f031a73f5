"""eSpeak NG, loaded once for the whole process (extra ``labial[text]``).

The library comes out of the ``espeakng-loader`` package when it is first needed; it is under the
GPL-3 and no part of Labial. It has one state for the whole process, so whoever calls it holds
:data:`LOCK` from setting the voice to the last call.
"""

from __future__ import annotations

import ctypes
import re
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any

from labial.errors import OptionError, SpeechError

LOCK = Lock()
"""Held by whoever calls the library."""
_UTF8, _IPA, _TIED = 1, 2, 0x80
# eSpeak marks a change of language within the text: "(en)".
_LANGUAGE_MARK = re.compile(r"\([^)]*\)")
_SYNCHRONOUS, _DONT_EXIT, _PHONE_EVENTS, _IPA_EVENTS = 2, 0x8000, 1, 2
# Languages that may be listed without a dictionary, and are then read as rubbish.
_DRAFTS = ("fo", "kaa", "xex")
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]+)*")


class _VoiceRow(ctypes.Structure):
    """``espeak_VOICE`` of speak_lib.h."""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("languages", ctypes.c_void_p),
        ("identifier", ctypes.c_char_p),
        ("gender", ctypes.c_ubyte),
        ("age", ctypes.c_ubyte),
        ("variant", ctypes.c_ubyte),
        ("xx1", ctypes.c_ubyte),
        ("score", ctypes.c_int),
        ("spare", ctypes.c_void_p),
    )


@lru_cache(maxsize=1)
def library() -> Any:
    """Load and start eSpeak NG, once.

    Raises
    ------
    SpeechError
        If it is not installed, or does not start.
    """
    try:
        import espeakng_loader

        loaded = ctypes.CDLL(espeakng_loader.get_library_path())
        data = espeakng_loader.get_data_path()
    except ImportError:
        raise SpeechError("text needs eSpeak NG: pip install 'labial[text]'") from None
    except (OSError, RuntimeError) as error:
        raise SpeechError(
            f"eSpeak NG cannot be loaded: {error}; pip install --force-reinstall 'labial[text]'"
        ) from error
    loaded.espeak_TextToPhonemes.restype = ctypes.c_char_p
    loaded.espeak_TextToPhonemes.argtypes = [
        ctypes.POINTER(ctypes.c_void_p),
        ctypes.c_int,
        ctypes.c_int,
    ]
    loaded.espeak_ListVoices.restype = ctypes.POINTER(ctypes.POINTER(_VoiceRow))
    how = _DONT_EXIT | _PHONE_EVENTS | _IPA_EVENTS
    if loaded.espeak_Initialize(_SYNCHRONOUS, 0, str(data).encode(), how) < 0:
        raise SpeechError(f"eSpeak NG does not start with its data in {data}")
    return loaded


@lru_cache(maxsize=1)
def languages() -> dict[str, str]:
    """Return every language code that eSpeak NG knows, and the code of the voice that reads it.

    Several codes may stand for one voice, ``"zh"`` and ``"cmn"`` for example. The caller holds
    :data:`LOCK`.
    """
    rows = library().espeak_ListVoices(None)
    import espeakng_loader

    data = Path(espeakng_loader.get_data_path())
    best: dict[str, tuple[int, str]] = {}
    i = 0
    while rows[i]:
        codes, at = [], rows[i].contents.languages
        # Its file's name is what it can be set by; "roa/fr" lies in a folder of its family.
        name = rows[i].contents.identifier.decode("ascii", "replace").rpartition("/")[2].lower()
        i += 1
        if name in _DRAFTS and not (data / f"{name}_dict").exists():
            continue
        # Pairs of a byte, how well the voice fits, and a string; a byte of 0 ends them.
        while priority := ctypes.c_ubyte.from_address(at).value:
            raw = ctypes.string_at(at + 1)
            codes.append((priority, raw.decode("ascii", "replace").lower()))
            at += len(raw) + 2
        for priority, code in codes:
            if code not in best or priority < best[code][0]:
                best[code] = priority, name
    return {code: name for code, (_, name) in sorted(best.items())}


def voice_of(language: str) -> str | None:
    """Return the code of the voice that reads ``language``; None where there is none.

    A region that eSpeak NG does not know counts for nothing: ``"fr-ca"`` is read as ``"fr"``.
    The caller holds :data:`LOCK`.
    """
    if not _LANGUAGE.fullmatch(language):
        return None
    code, known = language.lower(), languages()
    while code and code not in known:
        code = code.rpartition("-")[0]
    return known.get(code)


def set_voice(language: str, variant: str = "") -> Any:
    """Let eSpeak NG read ``language``, and return the library. The caller holds :data:`LOCK`.

    Parameters
    ----------
    language
        ``"en-us"``, ``"de"``, ``"cmn"``, …
    variant
        Name of another speaker, such as ``"f3"``.

    Raises
    ------
    SpeechError
        If eSpeak NG is not installed.
    OptionError
        If it does not know ``language``.
    """
    loaded = library()
    voice = voice_of(language)
    name = f"{voice}+{variant}" if variant else str(voice)
    if voice is None or loaded.espeak_SetVoiceByName(name.encode()) != 0:
        raise OptionError(
            f"--language {language}: not a voice of eSpeak NG; use for example "
            "en-us, en-gb, de, fr, es, it, pt-br, pl, ru, cmn, ja"
        )
    return loaded


def ipa_of(text: str, tie: str = "") -> list[str]:
    """Return the words that ``text`` is read as, each in IPA, by the voice that is set.

    The caller holds :data:`LOCK` since :func:`set_voice`.

    Parameters
    ----------
    text
        What is read.
    tie
        A character to stand between the letters of one sound.
    """
    mode = _IPA | (_TIED | ord(tie) << 8 if tie else 0)
    buffer = ctypes.create_string_buffer(text.encode("utf-8", "replace"))
    rest = ctypes.c_void_p(ctypes.addressof(buffer))
    found: list[str] = []
    while rest.value:
        read = library().espeak_TextToPhonemes(ctypes.byref(rest), _UTF8, mode)
        found += _LANGUAGE_MARK.sub("", (read or b"").decode("utf-8", "replace")).split()
    return found
