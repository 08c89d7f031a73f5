"""A script becomes a file of sound, with what the synthesiser knows of it."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from labial.errors import OptionError, ScriptError
from labial.media.sound_file import sound_blocks, sound_info
from labial.options import DubOptions
from labial.spoken import spoken_script

ENGLISH = DubOptions(language="en")


def test_cues_become_one_sound(tmp_path: Path) -> None:
    srt = tmp_path / "a.srt"
    srt.write_text("1\n00:00:01,000 --> 00:00:02,000\nGood morning.\n")
    spoken = spoken_script(str(srt), "", ENGLISH, tmp_path)
    sound = np.concatenate([*sound_blocks(spoken.path)])[:, 0]
    rate = sound_info(spoken.path).rate
    assert not sound[: round(0.98 * rate)].any()
    assert sound[rate : 2 * rate].any()
    said = [phone for phone in spoken.phones if phone.name != "sil"]
    assert said[0].onset >= 0.98
    assert spoken.notes == ("spoken by espeak: 1 cue, 1.00 to 1.00 times the usual speed",)


def test_what_does_not_fit_is_told_with_its_line(tmp_path: Path) -> None:
    srt = tmp_path / "a.srt"
    words = "far too many words for so short a time " * 3
    srt.write_text(f"1\n00:00:00,000 --> 00:00:01,000\n{words}\n")
    _, told = spoken_script(str(srt), "", ENGLISH, tmp_path).notes
    assert told.startswith("line ") and "too long by" in told


def test_a_text_needs_a_language(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="--language"):
        spoken_script(None, "Hello", DubOptions(), tmp_path)


def test_cues_past_the_end_are_told_with_all_else(tmp_path: Path) -> None:
    srt = tmp_path / "a.srt"
    srt.write_text(
        "1\n00:00:00,000 --> 00:00:01,000\n...!\n\n"
        "2\n00:00:02,000 --> 00:00:01,000\nBackwards.\n\n"
        "3\n00:00:03,000 --> 00:00:04,000\nGood morning.\n"
    )
    with pytest.raises(ScriptError) as error:
        spoken_script(str(srt), "", ENGLISH, tmp_path, Fraction(3))
    told = str(error.value)
    assert "line 6: ends at 0:01.000" in told
    assert "starts at 0:03.000, and the video ends at 0:03.000" in told
    assert not [*tmp_path.glob("*.caf")]
    fine = tmp_path / "b.srt"
    fine.write_text("1\n00:00:00,500 --> 00:00:04,000\nGood morning.\n")
    spoken_script(str(fine), "", ENGLISH, tmp_path, Fraction(3))
