import numpy as np
import pytest

from labial.audio.peaks import PeakMeter


@pytest.mark.parametrize("n", [0, 1, 63, 640, 5000, 123_457])
@pytest.mark.parametrize("block", [1000, 4096])
def test_the_outline_is_that_of_all_samples(n: int, block: int) -> None:
    rng = np.random.default_rng(n)
    sound = rng.normal(size=(n, 2)).astype(np.float32)
    meter = PeakMeter(20)
    for first in range(0, n, block):
        meter.add(sound[first : first + block])
    mono, step = sound.mean(1), meter.step
    wanted = [(p.min(), p.max()) for p in np.split(mono, range(step, n, step)) if len(p)]
    assert len(wanted) <= 20 and (n < 64 * 20 or len(wanted) >= 10)
    np.testing.assert_array_equal(meter.pairs(), np.array(wanted, np.float32).reshape(-1, 2))
