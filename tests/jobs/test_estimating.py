"""How long jobs are thought to take: more where there is more to do."""

import subprocess
import sys
from typing import Any

import pytest

from labial.jobs import KINDS, estimate

VIDEO = {"seconds": 60.0, "width": 1280, "height": 720, "fps": 25.0}
AUDIO = {"seconds": 60.0}
PHOTO = {"seconds": 0.0, "width": 800, "height": 600}
INPUTS = {
    "dub": {"video": VIDEO, "audio": AUDIO},
    "animate": {"photo": PHOTO, "audio": AUDIO},
    "check": {"video": VIDEO},
    "fix": {"video": VIDEO},
    "visemes": {"audio": AUDIO},
    "look": {"media": VIDEO},
}


def seconds(kind: str = "dub", more: dict[str, Any] | None = None, **how: Any) -> float:
    found = estimate(kind, INPUTS[kind] | (more or {}), **{"cores": 2, **how})
    assert found is not None
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_takes_longer_with_longer_files(kind: str) -> None:
    more = {role: each | {"seconds": 10 * each["seconds"]} for role, each in INPUTS[kind].items()}
    assert 0 < 5 * seconds(kind) < seconds(kind, more) + 20


@pytest.mark.parametrize("kind", ["dub", "animate", "check", "fix", "look"])
def test_and_with_larger_pictures(kind: str) -> None:
    sized = {"width": 1600, "height": 1440}
    more = {role: each | sized for role, each in INPUTS[kind].items() if "width" in each}
    assert seconds(kind, more) > 1.15 * seconds(kind)


def test_a_dub_takes_what_is_asked_of_it() -> None:
    plain = seconds()
    assert seconds(options={"quality": "fast"}) < plain < seconds(options={"quality": "pro"})
    slow = {"quality": "pro", "adapt_seconds": 600.0}
    assert seconds(options=slow) > seconds(options={"quality": "pro"}) + 200
    assert seconds(looked=True) < 0.8 * plain < plain < seconds(report=True)
    assert seconds(options={"keep_background": True}) > plain + 5
    part = seconds(options={"trim": "10-13", "speech_at": 0}, looked=True)
    assert part < 0.25 * seconds(looked=True)
    assert seconds(options={"mux": "source"}, looked=True) < 0.3 * plain
    fast = seconds("dub", {"video": VIDEO | {"fps": 50.0}})
    assert fast > 1.7 * plain
    assert fast == seconds("dub", {"video": VIDEO | {"frames": 3000}})


def test_the_output_counts_and_not_the_video() -> None:
    long = {"audio": {"seconds": 240.0}}
    assert seconds("dub", long) < 1.2 * seconds()
    assert seconds("dub", long, options={"sync_mode": "loop"}) > 2 * seconds()
    short = {"audio": {"seconds": 6.0}}
    assert seconds("dub", short, options={"sync_mode": "cut_off"}) < 0.7 * seconds()
    two = {"video": VIDEO, "audio.es": AUDIO, "audio.fr": AUDIO}
    both, one = (estimate("dub", two, {"mux": mux}, cores=2) for mux in ("off", "first"))
    assert both is not None and one is not None and both > 1.4 * one
    said = {"text": "word " * 200}
    spoken = estimate("animate", {"photo": PHOTO}, said, cores=2)
    longer = estimate("animate", {"photo": PHOTO}, {"text": said["text"] * 5}, cores=2)
    assert spoken is not None and longer is not None and longer > 4 * spoken - 10


def test_cores_help_up_to_a_point() -> None:
    one, two, eight, many = (seconds(cores=n) for n in (1, 2, 8, 64))
    assert one > 1.5 * two and two > 1.5 * eight and eight == many


def test_what_a_look_found_will_do_and_what_is_not_known_has_no_estimate() -> None:
    assert seconds("dub", {"video": {"media": VIDEO, "people": []}}) == seconds()
    assert estimate("dub", {"video": {"seconds": 3.0}}) is None
    assert estimate("dub", {"audio": AUDIO}) is None
    assert estimate("visemes", {}) is None
    assert estimate("sing", {}) is None
    assert estimate("dub", INPUTS["dub"], {"crf": 99}) is None


def test_it_can_be_asked_without_loading_anything() -> None:
    code = "import sys, labial.jobs; print({'av', 'cv2', 'onnxruntime'} & {*sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
