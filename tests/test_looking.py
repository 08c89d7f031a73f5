"""What a page shows of a file, before anything is done with it."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from synth import need_face_model
from synth_media import write_sound, write_video
from test_dubbing import HEIGHT, WIDTH, actor, write_clip, write_speech

from labial import analysis, looking, seen
from labial.dubbing import dub
from labial.errors import ReadError
from labial.jobs import Job, run
from labial.looking import look_over
from labial.speaking.boxes import read_boxes

N = 20


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    need_face_model()
    # Nobody in the first four frames, and then a man on the right.
    wide = []
    for k, picture in enumerate([np.full_like(actor()[0], 90)] * 4 + actor()[: N - 4]):
        whole = np.full((HEIGHT, 2 * WIDTH, 3), 90, np.uint8)
        whole[:, WIDTH:] = picture
        wide.append(whole if k >= 4 else np.full_like(whole, 90))
    return write_clip(tmp_path_factory.mktemp("look") / "film.mkv", wide)


def test_a_film(film: Path, tmp_path: Path) -> None:
    done = run(Job("look", {"media": film}), tmp_path)
    facts = json.loads(done.to_json())["facts"]
    assert facts["holds"] == "video" and facts["worst"] == facts["findings"][0]["severity"]
    media = facts["media"]
    assert (media["width"], media["height"], media["fps"]) == (2 * WIDTH, HEIGHT, 25)
    assert media["seconds"] == pytest.approx(N / 25, abs=0.002) and media["sound"] is None
    (person,) = facts["people"]
    assert person["first"] == pytest.approx(4 / 25, abs=0.002)
    assert person["seconds"] == pytest.approx((N - 4) / 25, abs=0.002)
    left, top, width, height = person["box"]
    assert left > WIDTH and left + width < 2 * WIDTH and 0 < top < top + height < HEIGHT
    assert person["able"] and person["time"] >= person["first"]
    assert done.files == {"poster": "poster.jpg", "person-0": "person-0.jpg"}
    poster, tile = (cv2.imread(str(tmp_path / name)) for name in done.files.values())
    assert poster.shape == (HEIGHT, 2 * WIDTH, 3) and tile.shape == (192, 192, 3)
    assert poster[:, WIDTH:].std() > 20 > 5 > poster[:, : WIDTH - 20].std()
    # Five a second: every fifth frame of an appearance from its first on.
    assert [row["frame"] for row in person["boxes"]] == [4, 9, 14, 19]
    boxes = tmp_path / "boxes.json"
    boxes.write_text(json.dumps({"people": facts["people"]}))
    assert len(read_boxes(boxes).people) == 1


def test_the_dub_after_it_need_not_look_again(
    film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seen, "folder", lambda: tmp_path / "seen")
    look_over(film, tmp_path)
    monkeypatch.setattr(analysis, "_looked", lambda *_: pytest.fail("it looked again"))
    speech = write_speech(tmp_path / "speech.wav", 0.8)
    assert dub(film, speech, tmp_path / "out.mkv", quality="fast").resynced == N - 4


def test_boxes_and_phones_are_bounded(
    film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looking, "MOST_BOXES", 2)
    monkeypatch.setattr(looking, "MOST_PHONES", 3)
    monkeypatch.setattr(looking, "MOST_PEAKS", 10)
    (person,) = look_over(film, tmp_path).facts["people"]
    assert [row["frame"] for row in person["boxes"]] == [4, 14]
    facts = look_over(write_speech(tmp_path / "s.wav", 4), tmp_path).facts
    assert len(facts["phones"]) == 3 and facts["heard_until"] == facts["phones"][-1]["release"]
    assert 5 <= len(facts["peaks"]) <= 10


def test_speech(tmp_path: Path) -> None:
    done = look_over(write_speech(tmp_path / "s.wav", 4), tmp_path)
    facts = done.facts
    assert (facts["holds"], facts["media"]["width"], facts["people"]) == ("speech", None, [])
    assert facts["media"]["seconds"] == pytest.approx(4) and done.files == {}
    assert len(facts["peaks"]) * facts["peak_seconds"] == pytest.approx(4, abs=0.01)
    low, high = np.array(facts["peaks"]).T
    assert (low <= high).all() and high.max() > 0.01
    first = facts["phones"][0]
    assert set(first) == {"name", "onset", "release", "viseme"}
    assert {phone["name"] for phone in facts["phones"]}.isdisjoint({"sil"})
    begin, end = facts["voiced"][0]
    assert 0 <= begin < end <= 4


def test_nobody_a_photo_and_no_media(tmp_path: Path) -> None:
    need_face_model()
    empty = look_over(write_video(tmp_path / "v.mp4", sound="aac"), tmp_path)
    assert empty.facts["worst"] == "problem" and empty.facts["people"] == []
    assert set(empty.files) == {"poster"} and empty.facts["media"]["sound"]["codec"] == "aac"
    photo = tmp_path / "photo.png"
    cv2.imwrite(str(photo), actor()[0][..., ::-1])
    seen = look_over(photo, tmp_path)
    assert seen.facts["holds"] == "photo" and seen.facts["media"]["fps"] is None
    assert len(seen.facts["people"]) == 1 and "person-0" in seen.files
    silence = write_sound(tmp_path / "s.wav", np.zeros((1, 16000), np.float32), 16000)
    assert look_over(silence, tmp_path).facts["phones"] == []
    script = tmp_path / "s.srt"
    script.write_text("1\n00:00:00,000 --> 00:00:01,000\nhello\n")
    with pytest.raises(ReadError):
        look_over(script, tmp_path)
