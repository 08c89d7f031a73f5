import pytest

from labial.speech.phones import (
    BILABIAL,
    LABIODENTAL,
    OPEN,
    PHONES,
    ROUNDED,
    SILENCE,
    VOWELS,
    classes_of_ipa,
)


@pytest.mark.parametrize(
    ("symbol", "classes"),
    [
        ("p", ("p",)),
        ("pʰ", ("p",)),
        ("t͡ʃ", ("t", "ʃ")),
        ("ʧ", ("t", "ʃ")),
        ("aɪ", ("a", "ɪ")),
        ("ɔ̃", ("ɔ",)),
        ("ç", ("x",)),
        ("c\u0327", ("x",)),
        ("ˈuː", ("u",)),
        ("mː", ("m",)),
        ("nn", ("n",)),
        ("˥", ()),
        ("", ()),
    ],
)
def test_ipa_falls_into_classes(symbol: str, classes: tuple[str, ...]) -> None:
    assert classes_of_ipa(symbol) == classes


def test_every_class_is_its_own_symbol() -> None:
    assert len(set(PHONES)) == len(PHONES)
    assert PHONES[0] == SILENCE
    for name in PHONES[1:]:
        assert classes_of_ipa(name) == (name,)


def test_groups_are_classes() -> None:
    assert set(BILABIAL + LABIODENTAL + ROUNDED + OPEN) <= set(PHONES)
    assert set(OPEN) <= set(VOWELS)
    assert not set(VOWELS) & set(BILABIAL + LABIODENTAL)
