"""A file is all that is read of it: lists that name others open nothing, by no way."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import synth_media as synth

from labial.errors import ReadError
from labial.media import probe
from labial.media.demuxers import own_demuxers


class Listener:
    """Counts who comes to a port of this machine."""

    def __init__(self) -> None:
        self.came = 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._count, daemon=True).start()

    def _count(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.came += 1
            connection.close()

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def listener() -> Iterator[Listener]:
    found = Listener()
    yield found
    found.close()


def lists(port: int, film: Path) -> dict[str, str]:
    at = f"http://127.0.0.1:{port}/a"
    hls = "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{}\n#EXT-X-ENDLIST\n"
    sdp = f"v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nt=0 0\nm=video {port} RTP/AVP 96\n"
    return {
        "hls": hls.format(f"{at}.ts"),
        "hls of a file": hls.format(film.as_uri()),
        "hls of a name": hls.format(film.name),
        "concat": f"ffconcat version 1.0\nfile {film.name}\n",
        "concat of an address": f"ffconcat version 1.0\nfile {at}.ts\n",
        "sdp": f"{sdp}a=rtpmap:96 H264/90000\n",
        "dash": f'<?xml version="1.0"?><MPD type="static"><BaseURL>{at}</BaseURL></MPD>',
        "asx": f'<asx version="3.0"><entry><ref href="{at}"/></entry></asx>',
        "redirect": f"[Reference]\nRef1={at}\n",
        "rtsp": f"RTSPtext\nrtsp://127.0.0.1:{port}/a\n",
        "pls": f"[playlist]\nFile1={at}\nNumberOfEntries=1\n",
        "vobsub": "# VobSub index file, v7\nid: en, index: 0\ntimestamp: 0, filepos: 0\n",
    }


@pytest.mark.parametrize("ending", ["mp4", "m3u8", "sdp", "ts", "idx", ""])
def test_lists_open_nothing(tmp_path: Path, listener: Listener, ending: str) -> None:
    film = synth.write_video(tmp_path / "film.mkv", n=4)
    (tmp_path / "list.sub").write_bytes(film.read_bytes())
    for what, text in lists(listener.port, film).items():
        path = tmp_path / (f"list.{ending}" if ending else "list")
        path.write_text(text)
        with pytest.raises(ReadError) as caught:
            probe(path)
        assert len(str(caught.value)) < 400, what
    assert listener.came == 0


def test_it_is_said_that_others_are_named(tmp_path: Path) -> None:
    film = synth.write_video(tmp_path / "film.mkv", n=4)
    (tmp_path / "list.mp4").write_text(f"ffconcat version 1.0\nfile {film.name}\n")
    with pytest.raises(ReadError, match="names other files or addresses"):
        probe(tmp_path / "list.mp4")


def test_devices_and_lists_are_no_demuxers_of_files() -> None:
    names = own_demuxers().split(",")
    assert {"mov", "matroska", "image2", "wav", "png_pipe"} <= set(names)
    assert not {"hls", "concat", "lavfi", "sdp", "v4l2"} & set(names)
