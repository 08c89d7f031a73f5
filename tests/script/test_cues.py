"""Cues of subtitle files, as programs and people write them."""

import random
from fractions import Fraction
from pathlib import Path

import pytest

from labial.errors import LabialError, ReadError, ScriptError
from labial.script.cues import Cue, read_cues, read_text
from labial.script.segments import read_segments

PLAIN = """1
00:00:01,000 --> 00:00:02,500
One and
two

2
00:00:03,000 --> 00:00:04,000
Three
"""
TWO = [(Fraction(1), Fraction(5, 2), "One and two"), (Fraction(3), Fraction(4), "Three")]


@pytest.fixture
def write(tmp_path):
    def written(text, name="a.srt", encoding="utf-8"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
        return path

    return written


def cues_of(path: Path) -> list[tuple[Fraction, Fraction, str]]:
    return [(cue.start, cue.end, cue.text) for cue in read_cues(path)]


HARMLESS = {
    "as it should be": PLAIN,
    "windows": PLAIN.replace("\n", "\r\n"),
    "old mac": PLAIN.replace("\n", "\r"),
    "no end of the last line": PLAIN.strip(),
    "byte order mark": "\ufeff" + PLAIN,
    "mark twice": "\ufeff\ufeff" + PLAIN,
    "dots": PLAIN.replace(",", "."),
    "no milliseconds": PLAIN.replace(",000", ""),
    "one digit": PLAIN.replace("00:00:01,000", "0:0:1,0"),
    "tenths": PLAIN.replace(",500", ",5"),
    "no hours": PLAIN.replace("00:00:0", "00:0"),
    "no spaces": PLAIN.replace(" --> ", "-->"),
    "tabs": PLAIN.replace(" --> ", "\t-->\t"),
    "space in times": PLAIN.replace("00:00:01,000", "00: 00: 01, 000"),
    "a typist's arrow": PLAIN.replace("-->", "->"),
    "a word processor's arrow": PLAIN.replace("-->", "–>"),
    "escaped": PLAIN.replace("-->", "--&gt;"),
    "no blank lines": PLAIN.replace("\n\n", "\n"),
    "many blank lines": PLAIN.replace("\n\n", "\n\n\n\n"),
    "blank line after the number": PLAIN.replace("2\n0", "2\n\n0"),
    "no numbers": PLAIN.replace("1\n0", "0").replace("2\n0", "0"),
    "number twice": PLAIN.replace("2\n0", "1\n0"),
    "numbers from nought": PLAIN.replace("1\n0", "0\n0").replace("2\n0", "1\n0"),
    "number too many": PLAIN + "\n3\n",
    "ctrl-z": PLAIN + "\x1a",
    "blank line in a cue": PLAIN.replace("and\n", "and\n\n"),
    "italics": PLAIN.replace("One", "<i>One</i>"),
    "font": PLAIN.replace("One", '<font color="#fff">One</font>'),
    "never closed": PLAIN.replace("One", "<b>One"),
    "place": PLAIN.replace("One", "{\\an8}One"),
    "place after the times": PLAIN.replace("500\n", "500  X1:1 X2:2 Y1:3 Y2:4\n"),
    "a broken line": PLAIN.replace("One and", "One\\Nand"),
    "dashes": PLAIN.replace("One", "- One").replace("two", "-two"),
    "a sound": PLAIN.replace("One", "[door] One"),
    "a cue of sounds": PLAIN + "\n3\n00:00:05,000 --> 00:00:06,000\n[applause] ♪\n",
    "a cue of dots": PLAIN + "\n3\n00:00:05,000 --> 00:00:06,000\n...\n",
    "directions": PLAIN.replace("One", "\u202aOne\u202c").replace("Three", "\u200eThree"),
    "rounded": PLAIN.replace("02,500", "03,040").replace("03,040", "02,500"),
    "web": "WEBVTT\n\n" + PLAIN.replace(",", "."),
    "web with spaces for blank lines": "WEBVTT\n\nNOTE x\n \n"
    + PLAIN.replace(",", ".").replace("\n\n", "\n  \n"),
    "settings that are none": "WEBVTT\n\n" + PLAIN.replace(",", ".").replace("500\n", "500 %:1\n"),
    "web in a hurry": "WEBVTT\n" + PLAIN.replace(",", "."),
    "web with all": "WEBVTT - title\nKind: captions\n\nNOTE\nnot\nsaid\n\nSTYLE\n::cue { top: 1 }"
    "\n\nREGION\nid:x\n\nname of it\n00:01.000 --> 00:02.500 align:start position:10%\n"
    "<c.loud>One</c> <00:00:01.500>and\ntwo\n\n00:03.000 --> 00:04.000\n<lang en>Three</lang>\n",
}


@pytest.mark.parametrize("text", HARMLESS.values(), ids=HARMLESS)
def test_what_is_meant_is_read(write, text):
    assert cues_of(write(text)) == TWO


def test_hours_beyond_99(write):
    text = "1\n123:00:01,000 --> 123:00:02,000\nLate\n"
    assert cues_of(write(text)) == [(Fraction(442801), Fraction(442802), "Late")]


def test_an_overlap_from_rounding_is_parted(write):
    one, two = read_cues(write(PLAIN.replace("02,500", "03,040")))
    assert one.end == two.start == 3


def test_a_number_that_is_said_is_kept(write):
    text = "00:00:01,000 --> 00:00:02,000\n42\n\n00:00:03,000 --> 00:00:04,000\n43\n"
    assert [cue[2] for cue in cues_of(write(text))] == ["42", "43"]


def test_entities_and_ruby(write):
    text = "WEBVTT\n\n00:01.000 --> 00:02.000\nR&amp;D &lt;3 <ruby>漢<rt>kan</rt></ruby>\n"
    assert cues_of(write(text, "a.vtt"))[0][2] == "R&D <3 漢"


@pytest.mark.parametrize(
    ("said", "speaker", "text"),
    [
        ("ANNA: So?", "ANNA", "So?"),
        ("ANNA (off): So?", "ANNA", "So?"),
        ("- DR. O'NEIL: So?", "DR. O'NEIL", "So?"),
        ("ÉLÉA: So?", "ÉLÉA", "So?"),
        ("2: So?", "2", "So?"),
        ("<v Anna>So?</v>", "Anna", "So?"),
        ("<v.loud Anna B>So?", "Anna B", "So?"),
        ("Remember: so?", "", "Remember: so?"),
        ("At 12:30 so?", "", "At 12:30 so?"),
        ("12:30 is so", "", "12:30 is so"),
        ("WARNING: SO IT IS", "", "WARNING: SO IT IS"),
        ("-5 degrees", "", "-5 degrees"),
    ],
)
def test_who_speaks(write, said, speaker, text):
    (cue,) = read_cues(write(f"1\n00:00:01,000 --> 00:00:02,000\n{said}\n"))
    assert (cue.speaker, cue.text) == (speaker, text)


def test_a_small_name_counts_when_it_comes_again(write):
    text = PLAIN.replace("One and", "Anna: One and").replace("Three", "Anna: Three")
    assert [(cue.speaker, cue.text) for cue in read_cues(write(text))] == [
        ("Anna", "One and two"),
        ("Anna", "Three"),
    ]


def test_two_who_are_named_may_speak_at_once(write):
    text = (
        "1\n00:00:01,000 --> 00:00:03,000\nANNA: So\n\n2\n00:00:02,000 --> 00:00:04,000\nBEN: No\n"
    )
    assert [cue.speaker for cue in read_cues(write(text))] == ["ANNA", "BEN"]


ROLLING = """WEBVTT
Kind: captions

00:00:00.160 --> 00:00:02.389 align:start position:0%
 
hello<00:00:00.480><c> there</c>

00:00:02.389 --> 00:00:02.399 align:start position:0%
hello there
 

00:00:02.399 --> 00:00:04.000 align:start position:0%
hello there
you<00:00:03.000><c> all</c>

00:00:04.000 --> 00:00:04.010 align:start position:0%
you all
 
"""  # noqa: W293


def test_captions_that_roll_up_are_said_once(write):
    assert cues_of(write(ROLLING, "a.vtt")) == [
        (Fraction("0.16"), Fraction("2.389"), "hello there"),
        (Fraction("2.399"), Fraction(4), "you all"),
    ]


LANGUAGES = {
    "de": ("Ich möchte über die Größe der Häuser sprechen, daß es schön ist.", "cp1252 iso8859-15"),
    "fr": ("Où êtes-vous allé cet été ? J'ai déjà mangé à la maison.", "cp1252"),
    "ru": ("Привет, как дела? Сегодня хорошая погода.", "cp1251 koi8-r cp866"),
    "pl": ("Dzień dobry, jak się masz? Źle, ale będzie lepiej.", "cp1250 iso8859-2"),
    "zh": ("你好,今天天气很好。我们去公园散步吧。", "gb18030"),
    "tw": ("你好,今天天氣很好。我們去公園散步吧。這是一個測試。", "big5"),
    "ja": ("こんにちは、今日はいい天気ですね。公園に行きましょう。", "shift-jis euc-jp iso2022-jp"),
    "ko": ("안녕하세요, 오늘 날씨가 좋네요. 공원에 갑시다.", "cp949"),
    "el": ("Καλημέρα, τι κάνετε; Σήμερα ο καιρός είναι καλός.", "cp1253"),
    "tr": ("Günaydın, nasılsınız? Bugün hava çok güzel. İşte böyle.", "cp1254"),
}
ENCODED = [
    (text, encoding)
    for text, names in LANGUAGES.values()
    for encoding in ("utf-8", "utf-8-sig", "utf-16", *names.split())
]


@pytest.mark.parametrize(("text", "encoding"), ENCODED)
def test_encodings(write, text, encoding):
    srt = PLAIN.replace("One and\ntwo", text).replace("Three", text)
    assert [cue[2] for cue in cues_of(write(srt, encoding=encoding))] == [text, text]


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32"])
def test_wide_letters(write, encoding):
    assert cues_of(write(PLAIN, encoding=encoding)) == TWO


def test_one_damaged_letter_is_one_letter(write):
    data = b"\xef\xbb\xbf" + PLAIN.encode().replace(b"Three", b"Thr\xffee")
    assert cues_of(write(data))[1][2] == "Thr\ufffdee"


def cue(number: int, start: str, end: str, text: str = "So") -> str:
    return f"{number}\n00:00:{start} --> 00:00:{end}\n{text}\n\n"


BROKEN = {
    "reversed": (cue(1, "02,000", "01,000"), ["line 2: ends at 0:01.000, before it starts"]),
    "no time": (cue(1, "01,000", "01,000"), ["line 2: starts and ends at 0:01.000"]),
    "no text": (cue(1, "01,000", "02,000", ""), ["line 2: no text"]),
    "only markup": (cue(1, "01,000", "02,000", "<i></i>"), ["line 2: no text"]),
    "letters": (cue(1, "0a,000", "02,000"), ["line 2: cannot read the time '00:00:0a,000'"]),
    "no second time": (cue(1, "01,000", ""), ["line 2: cannot read the time '00:00:'"]),
    "frames": (cue(1, "01:12", "02:00"), ["line 2: cannot read the time '00:00:01:12'"]),
    "minutes": ("1\n00:61:01,000 --> 01:02:00,000\nSo\n", ["line 2: 00:61:01,000 has 61 minutes"]),
    "negative": ("1\n-00:00:01,000 --> 00:00:02,000\nSo\n", ["line 2: -00:00:01,000 lies before"]),
    "endless": ("1\n00:00:01,000 --> 999999:00:02,000\nSo\n", ["line 2: '999999:00:02,000' is no"]),
    "order": (
        cue(1, "05,000", "06,000") + cue(2, "01,000", "02,000"),
        ["line 6: starts at 0:01.000, before the cue of line 2"],
    ),
    "overlap": (
        cue(1, "01,000", "03,000") + cue(2, "02,000", "04,000"),
        ["line 6: starts at 0:02.000, while the cue of line 2 lasts until 0:03.000"],
    ),
    "long overlap": (
        cue(1, "01,000", "09,000", "A: so") + cue(2, "02,000", "04,000", "B: so")
        + cue(3, "05,000", "06,000", "A: so"),
        ["line 10: starts at 0:05.000, while the cue of line 2"],
    ),
    "same times": (
        cue(1, "01,000", "03,000") + cue(2, "01,000", "03,000"),
        ["line 6: starts at 0:01.000, while"],
    ),
    "two in one": (
        cue(1, "01,000", "03,000", "ANNA: So\nBEN: No"),
        ["line 2: ANNA and BEN speak in one cue"],
    ),
    "text first": ("Subtitles by me\n" + PLAIN, ["line 1: text before the first cue"]),
    "web text": ("WEBVTT\n\nlost\n\n00:01.000 --> 00:02.000\nSo\n", ["line 3: text outside"]),
    "no cues": ("So it is\n", ["there are no cues in it"]),
    "nothing said": (cue(1, "01,000", "02,000", "[door]"), ["nothing is said in it"]),
    "empty": ("", ["there is nothing in it"]),
    "blank": ("\n \n", ["there is nothing in it"]),
    "binary": (bytes(range(256)) * 20, ["not a text file"]),
    "all at once": (
        cue(1, "02,000", "01,000") + cue(2, "03,000", "04,000", "") + cue(3, "0x,000", "06,000"),
        ["line 2: ends", "line 6: no text", "line 10: cannot read"],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "problems"), BROKEN.values(), ids=BROKEN)
def test_all_that_is_wrong_is_told_with_its_line(write, text, problems):
    with pytest.raises(ScriptError) as caught:
        read_cues(write(text))
    told = caught.value.problems
    assert len(told) == len(problems), told
    for problem, begin in zip(told, problems, strict=True):
        assert problem.startswith(begin)


def test_what_is_not_there(tmp_path):
    with pytest.raises(ReadError, match=r"cannot read .*a\.srt"):
        read_cues(tmp_path / "a.srt")
    with pytest.raises(ReadError, match="cannot read"):
        read_cues(tmp_path)


def test_paragraphs_of_a_text(write):
    path = write("Once upon\na time.\n\n\nANNA: Hello.\n  \n[door]\n\nThe end.", "a.txt", "cp1252")
    told = [(p.text, p.line, p.speaker) for p in read_text(path)]
    assert told == [("Once upon a time.", 1, ""), ("Hello.", 5, "ANNA"), ("The end.", 9, "")]


def test_a_cue_of_no_file_has_no_line():
    assert Cue(Fraction(0), Fraction(1), "So").line == 0


SEEDS = {
    "a.srt": PLAIN + "\n3\n00:00:05,000 --> 00:00:06,000\n<i>ANNA: Größe</i> {\\an8}[x]\n",
    "a.vtt": HARMLESS["web with all"] + "\n<v Anna>So</v>\n",
    "a.json": '{"cast": {"ANNA": "0"}, "segments": [{"start": 1.5, "end": "0:03", "text": "sö",\n'
    '"speaker": "ANNA", "rest": false}, {"start": 4, "end": 5e0, "audio": "a.wav"}]}',
    "a.csv": 'start;end;text;speaker;articulation\n1,5;0:03;"so;\nso";1;1,2\n4;5;no;auto;1\n',
    "a.txt": "ANNA: Once upon\n\na <i>time</i>",
}


@pytest.mark.parametrize("name", SEEDS)
def test_damage_is_known_or_harmless(write, name):
    chance = random.Random(7)
    read = {"txt": read_text, "vtt": read_cues}.get(name[2:], read_segments)
    refused = 0
    for trial in range(400):
        data = bytearray(SEEDS[name].encode(chance.choice(["utf-8", "utf-16", "cp1252"])))
        for _ in range(chance.randint(1, 8)):
            at, what = chance.randrange(len(data) or 1), chance.randrange(4)
            if what == 0 and data:
                data[at] = chance.randrange(256)
            elif what == 1:
                del data[at : at + chance.randint(1, 9)]
            elif what == 2:
                data[at:at] = bytes(chance.randrange(256) for _ in range(chance.randint(1, 5)))
            else:
                end = chance.randrange(len(data) or 1)
                data[at:at] = data[end : end + 20]
        path = write(bytes(data), name)
        try:
            read(path)
            if trial % 2 and name.endswith("srt"):
                read_segments(path, "a.wav")
        except LabialError:
            refused += 1
    assert refused > 0
