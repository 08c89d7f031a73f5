import numpy as np
import pytest

from labial.speech.phones import PHONES
from labial.speech.visemes import VISEME_OF, VISEME_OF_PHONE, VISEMES, viseme_of


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
