"""What lies inside a network is found, and given out."""

import numpy as np
import pytest
import synth_voices

from labial.weights.network import open_network, tensors_of, with_output


def test_tensors_of_an_operator() -> None:
    model = synth_voices.piper()
    assert tensors_of(model, "Ceil") == ["/Ceil_output_0"]
    assert tensors_of(model, "Mul") == ["nil", "d", "n", "phase"]
    assert tensors_of(model, "Conv") == []


def test_another_output() -> None:
    model = synth_voices.piper()
    given = {
        "input": np.zeros((1, 5), np.int64),
        "input_lengths": np.array([5]),
        "scales": np.array([0, 1.5, 0], np.float32),
    }
    (sound,) = open_network(model).run(None, given)
    again, lengths = open_network(with_output(model, "/Ceil_output_0")).run(None, given)
    assert np.array_equal(sound, again) and len(sound) == 5 * 5 * 256
    assert lengths.tolist() == [[5] * 5]


def test_an_output_that_is_there_is_not_added_again() -> None:
    model = with_output(synth_voices.piper(), "/Ceil_output_0")
    assert with_output(model, "/Ceil_output_0") == model
    assert with_output(model, "output") == model


@pytest.mark.parametrize("data", [b"no network", b"\x3a\x7f", b"\x3a", b"\xff\xff"])
def test_what_is_no_network(data: bytes) -> None:
    with pytest.raises(ValueError, match="not an ONNX file"):
        tensors_of(data, "Ceil")
