from itertools import pairwise

import numpy as np
import pytest

from labial.speech.phones import PHONES
from labial.speech.segments import Phone
from labial.speech.visemes import (
    CLOSED,
    SHORTEST_SECONDS,
    VISEME_OF,
    VISEME_OF_PHONE,
    VISEME_SETS,
    VISEMES,
    held,
    viseme_of,
    visemes_at,
    visemes_of,
)
from labial.types import MouthMotion, SpeechTrack

SIZES = {"oculus": 15, "mpeg4": 15, "preston-blair": 10, "rhubarb": 9, "azure": 19}


def test_every_phone_has_a_viseme_and_every_viseme_a_phone() -> None:
    assert set(VISEME_OF) == set(PHONES)
    assert set(VISEME_OF.values()) == set(VISEMES)
    assert len(VISEMES) == 15 and VISEMES[0] == viseme_of("sil") == "sil"


def test_the_index_follows_the_names() -> None:
    assert VISEME_OF_PHONE.shape == (len(PHONES),) and VISEME_OF_PHONE.dtype == np.int32
    assert [VISEMES[i] for i in VISEME_OF_PHONE] == [viseme_of(phone) for phone in PHONES]


@pytest.mark.parametrize(
    ("phone", "viseme"),
    [("m", "PP"), ("v", "FF"), ("θ", "TH"), ("ʃ", "CH"), ("ɑ", "aa"), ("i", "ih"), ("u", "ou")],
)
def test_visemes_that_nobody_disputes(phone: str, viseme: str) -> None:
    assert viseme_of(phone) == viseme


@pytest.mark.parametrize(("name", "size"), SIZES.items())
def test_a_set_covers_every_phone(name: str, size: int) -> None:
    table = VISEME_SETS[name]
    assert set(table) == set(PHONES) and len(set(table.values())) == size
    rest = [phone for phone in PHONES if table[phone] == table["sil"]]
    assert rest == ["sil"]
    assert {phone for phone in PHONES if table[phone] == CLOSED[name]} == {"p", "b", "m"}
    assert len({table["f"], table["v"]}) == 1
    assert viseme_of("m", name) == CLOSED[name]


def shapes(*parts: tuple[str, float]) -> list[Phone]:
    edges = np.cumsum([0.0, *(seconds for _, seconds in parts)])
    return [
        Phone(name, float(a), float(a + b) / 2, float(b), 0.9)
        for (name, _), a, b in zip(parts, edges[:-1], edges[1:], strict=True)
    ]


def test_what_looks_alike_is_joined() -> None:
    phones = shapes(("sil", 0.3), ("p", 0.1), ("m", 0.2), ("ɑ", 0.1), ("sil", 0.2))
    found = visemes_of(phones)
    assert [shape.name for shape in found] == ["sil", "PP", "aa", "sil"]
    assert (found[1].onset, found[1].release) == (0.3, pytest.approx(0.6))
    assert found[1].confidence == pytest.approx(0.9)
    assert [shape.name for shape in visemes_of(phones, "rhubarb")] == ["X", "A", "D", "X"]
    assert visemes_of([]) == []


def test_pictures_that_switch_are_held() -> None:
    phones = shapes(("sil", 0.01), ("s", 0.1), ("m", 0.01), ("ɑ", 0.1), ("f", 0.02), ("sil", 0.2))
    found = held(visemes_of(phones, "rhubarb"), "A")
    assert [shape.name for shape in found] == ["B", "A", "D", "X"]
    assert found[0].onset == 0 and found[-1].release == pytest.approx(0.44)
    for a, b in pairwise(found):
        assert a.release == b.onset
    assert min(shape.release - shape.onset for shape in found) > SHORTEST_SECONDS - 1e-9


@pytest.mark.parametrize("seed", range(20))
def test_held_shapes_have_no_gaps(seed: int) -> None:
    rng = np.random.default_rng(seed)
    names = rng.choice(["sil", "m", "ɑ", "f", "s", "u"], 30)
    found = held(visemes_of(shapes(*((str(n), float(rng.exponential(0.06))) for n in names))), "PP")
    assert found[0].onset == 0
    for a, b in pairwise(found):
        assert a.release == b.onset and a.name != b.name
        assert a.onset <= a.peak <= a.release
    assert held([], "PP") == []


def test_visemes_at_any_time_are_sums_of_phones() -> None:
    phones = np.zeros((50, len(PHONES)), np.float32)
    phones[:, PHONES.index("p")] = 0.25
    phones[:, PHONES.index("m")] = 0.25
    phones[:, PHONES.index("a")] = 0.5
    track = SpeechTrack(MouthMotion(np.zeros((50, 12), np.float32)), phones)
    weights = visemes_at(track, np.array([-1.0, 0.5, 0.98, 3.0]))
    assert weights.shape == (4, 15)
    np.testing.assert_allclose(weights.sum(1), 1, atol=1e-6)
    assert weights[0, VISEMES.index("sil")] == weights[3, VISEMES.index("sil")] == 1
    for row in (1, 2):
        assert weights[row, VISEMES.index("PP")] == 0.5
        assert weights[row, VISEMES.index("aa")] == 0.5
