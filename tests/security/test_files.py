"""Files that are not what they seem: each is refused with a reason, and nothing else happens."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import strange
import synth_media as synth
from attacking import SECRET, Shared, put
from elsewhere import Elsewhere
from live_server import until

CHOSEN = ("hls", "hls of a file", "hls of a part", "concat", "concat of numbers", "sdp", "svg")


def test_lists_of_files_and_addresses(shared: Shared, home: Path) -> None:
    with Elsewhere() as elsewhere:
        _expect_refused(shared, home, elsewhere)
    assert elsewhere.asked == []


def _expect_refused(shared: Shared, home: Path, elsewhere: Elsewhere) -> None:
    texts = strange.lists(f"{elsewhere.url}/photo", str(home / "secret.txt"))
    with shared.as_("ann") as ann:
        for what in CHOSEN:
            told = put(ann, texts[what], "film.mp4")
            assert told["state"] == "refused", what
            assert "names files or addresses" in told["reason"]
            assert SECRET not in json.dumps(told)


def test_bombs_and_claims(shared: Shared, tmp_path: Path) -> None:
    film = synth.write_video(tmp_path / "film.mp4", n=4).read_bytes()
    side = strange.PIXEL_BOMB_SIDE
    with shared.as_("ann") as ann:
        for data, said in (
            (strange.png(side, side, rows=500), "pixels are too many"),
            (strange.png(2**31 - 1, 2**31 - 1, rows=0), "pixels are too many"),
            (strange.wav(16000, 65535), "cannot be decoded"),
            (strange.with_outside_data(film, b"/etc/passwd"), "lie in another file"),
            (film[: len(film) // 2], "cut off"),
            (strange.op_atom(), "several files"),
        ):
            told = put(ann, data, "innocent.png")
            assert told["state"] == "refused" and said in told["reason"], told


def test_what_is_refused_is_no_input_and_not_kept(shared: Shared) -> None:
    with shared.as_("ann") as ann:
        told = put(ann, "#EXTM3U\n", "film.mp4")
        assert ann.get(f"v1/uploads/{told['id']}/content").status_code == 409
        body = {"kind": "check", "inputs": {"video": told["id"]}}
        assert ann.post("v1/jobs", json=body).status_code == 409
        assert not list(shared.live.data.rglob(f"*{told['id']}*"))


@pytest.fixture(scope="module")
def inputs(shared: Shared) -> dict[str, str]:
    """A photo and a sound of Bob's."""
    with shared.as_("bob") as bob:
        sound = put(bob, strange.wav(16000, 1), "a.wav")["id"]
        return {"video": put(bob, strange.png(64, 64), "a.png")["id"], "audio": sound}


@pytest.mark.parametrize(
    "options",
    [
        {"voice": "piper:/tmp/evil.onnx"}, {"speaker": "/etc/passwd.json"}, {"language": "../../x"},
        {"preview": "/tmp/x.png"}, {"segments": "/etc/passwd"}, {"srt": "/etc/passwd"},
        {"report": "/tmp/x.html"}, {"threads": 9}, {"cast": ["A=/etc/x.json"]},
    ],
    ids=str,
)  # fmt: skip
def test_options_name_no_files(
    shared: Shared, inputs: dict[str, str], options: dict[str, object]
) -> None:
    with shared.as_("bob") as bob:
        body = {"kind": "dub", "inputs": inputs, "options": options}
        assert bob.post("v1/jobs", json=body).status_code == 422


def test_segments_and_texts_name_no_files(shared: Shared, home: Path, tmp_path: Path) -> None:
    film = synth.write_video(tmp_path / "film.mp4", n=4, sound="aac").read_bytes()
    secret = str(home / "secret.txt")
    with shared.as_("bob") as bob:
        video = put(bob, film, "film.mp4")["id"]
        jobs = []
        tried = {"audio": secret}, {"audio": "../../../secret.txt"}, {"text": "a", "voice": secret}
        for row in tried:
            rows = [{"start": 0, "end": 0.1, **row}]
            segments = put(bob, json.dumps(rows), "segments.json")["id"]
            body = {"kind": "dub", "inputs": {"video": video, "segments": segments}}
            answer = bob.post("v1/jobs", json=body)
            assert answer.status_code == 201, answer.text
            jobs.append(answer.json()["id"])
        for job in jobs:
            until(lambda job=job: bob.get(f"v1/jobs/{job}").json()["state"] == "failed", 30)
            told = bob.get(f"v1/jobs/{job}").json()
            assert "give it as the input" in told["reason"] or "no file is taken" in told["reason"]
            assert told["attempts"] == 1
            assert SECRET not in json.dumps(told)
            assert str(shared.live.data) not in json.dumps(told)
