"""What is transparent stays transparent, wherever the output has a place for it."""

import numpy as np
import pytest
import synth_media as synth
from rewriting import through

from labial.media import EncodeSettings, VideoReader, probe


def with_alpha(_, stream):
    stream.metadata["alpha_mode"] = "1"


def source_of(tmp_path, codec, fmt, name, options=None):
    setup = with_alpha if codec.startswith("libvpx") else None
    return synth.write_video(
        tmp_path / name, codec=codec, fmt=fmt, n=4, options=options, setup=setup
    )


VPX = {"auto-alt-ref": "0", "lag-in-frames": "0"}


@pytest.mark.parametrize(
    ("codec", "fmt", "name", "target", "family"),
    [
        ("libvpx-vp9", "yuva420p", "a.webm", "b.webm", "vp9"),
        ("libvpx-vp9", "yuva420p", "a.mkv", "b.mkv", "vp9"),
        ("libvpx-vp9", "yuva420p", "a.webm", "b.mov", "prores"),
        ("libvpx", "yuva420p", "a.webm", "b.webm", "vp9"),
        ("prores_ks", "yuva444p10le", "a.mov", "b.mov", "prores"),
        ("prores_ks", "yuva444p10le", "a.mov", "b.webm", "vp9"),
        ("qtrle", "argb", "a.mov", "b.mov", "prores"),
        ("png", "rgba", "a.mov", "b.mkv", "ffv1"),
        ("ffv1", "yuva422p10le", "a.mkv", "b.mkv", "ffv1"),
        ("ffv1", "bgra", "a.mkv", "b.mov", "prores"),
    ],
)
def test_alpha_is_kept(tmp_path, codec, fmt, name, target, family):
    options = VPX if codec.startswith("libvpx") else None
    source = source_of(tmp_path, codec, fmt, name, options)
    out = tmp_path / target
    writer = through(source, out)
    assert writer.plan.family == family
    assert "alpha channel" not in writer.dropped
    before, after = list(VideoReader(source).frames()), list(VideoReader(out).frames())
    assert len(before) == len(after) == 4
    for a, b in zip(before, after, strict=True):
        assert a.format.alpha
        assert b.format.alpha
        p, q = (f.planes[-1].astype(float) / (2**f.format.bits - 1) for f in (a, b))
        assert np.ptp(p) > 0.1
        assert np.abs(p - q).max() < 0.03


@pytest.mark.parametrize(("codec", "target"), [("source", "b.mp4"), ("h264", "b.mkv")])
def test_alpha_that_is_lost_is_said(tmp_path, codec, target):
    source = source_of(tmp_path, "libvpx-vp9", "yuva420p", "a.webm", VPX)
    writer = through(source, tmp_path / target, EncodeSettings(codec))
    assert "alpha channel" in writer.dropped
    info = probe(tmp_path / target).video
    assert not info.format.alpha
    assert len(list(VideoReader(tmp_path / target).frames())) == 4


def test_video_without_alpha_is_not_said_to_have_it(tmp_path):
    """A tag alone makes no alpha: this file has the tag, but not the second stream."""
    source = source_of(tmp_path, "libvpx-vp9", "yuv420p", "a.webm")
    out = tmp_path / "b.webm"
    assert through(source, out).dropped == []
    assert not probe(source).video.format.alpha
    assert not probe(out).video.format.alpha
