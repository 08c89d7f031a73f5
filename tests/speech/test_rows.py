import numpy as np
import pytest

from labial.speech.phones import PHONE_INDEX, PHONES
from labial.speech.rows import phone_rows
from labial.speech.segments import Phone, best_path


def phone(name: str, onset: float, release: float) -> Phone:
    return Phone(name, onset, (onset + release) / 2, release, 1.0)


def test_a_row_is_the_time_nearest_to_it() -> None:
    said = [phone("m", 0.1, 0.2), phone("a", 0.2, 0.305)]
    rows = phone_rows(said, 20)
    assert rows.shape == (20, len(PHONES)) and rows.dtype == np.float32
    assert np.allclose(rows.sum(1), 1)
    m, a = rows[:, PHONE_INDEX["m"]], rows[:, PHONE_INDEX["a"]]
    assert m[5:11] == pytest.approx([0.5, 1, 1, 1, 1, 0.5]) and m.sum() == pytest.approx(5)
    assert a[10:16] == pytest.approx([0.5, 1, 1, 1, 1, 0.75]) and a[16:].sum() == 0
    assert (rows[:5, 0] == 1).all() and (rows[16:, 0] == 1).all()


def test_phones_shorter_than_a_row_keep_their_share() -> None:
    said = [phone("t", 0.096, 0.104), phone("ʃ", 0.104, 0.12)]
    rows = phone_rows(said, 10)
    assert rows[:, PHONE_INDEX["t"]].sum() == pytest.approx(0.4)
    assert rows[5, PHONE_INDEX["t"]] == pytest.approx(0.4)


def test_rows_lead_back_to_the_phones() -> None:
    names = ["p", "a", "m", "u", "sil", "f", "i", "t"]
    said = [phone(name, 0.1 * k, 0.1 * (k + 1)) for k, name in enumerate(names)]
    path = best_path(phone_rows(said, 41), 50)
    assert [PHONES[k] for k in path[2::5][:8]] == names


def test_what_lies_outside_is_left_out() -> None:
    rows = phone_rows([phone("a", 0.0, 10.0)], 5)
    assert rows[1:, PHONE_INDEX["a"]] == pytest.approx(1) and rows[0, 0] == pytest.approx(0.5)
    assert phone_rows([], 3)[:, 0] == pytest.approx(1)
    assert phone_rows([], 0).shape == (0, len(PHONES))
