"""Native planes to RGB and back, against FFmpeg's scaler and against formulas written out."""

import av
import cv2
import numpy as np
import pytest
from synth import (
    BT601,
    BT709,
    BT2020,
    FORMATS,
    code_values,
    make_frame,
    noise_frame,
    similarity,
    smooth_rgb,
)

from labial.pixels import Box, add_rgb, aligned, read_rgb, sample_rgb8
from labial.types import ColorTags, Frame

YUV = ["yuv420p", "yuv422p", "yuv444p", "yuv420p10le", "yuv422p10le", "yuv444p12le"]
EVERY = list(FORMATS)
W, H = 46, 34
SIZES = [(fmt, size) for size in ((44, 32), (45, 33)) for fmt in EVERY]


def whole(frame: Frame) -> Box:
    return Box(0, 0, frame.width, frame.height)


def full_range(color: ColorTags) -> ColorTags:
    return ColorTags(color.matrix, color.primaries, color.transfer, full_range=True)


# ------------------------------------------------------------------------------------- read_rgb


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("color", [BT601, BT709, BT2020], ids=["601", "709", "2020"])
@pytest.mark.parametrize("fmt", YUV)
def test_colours_by_the_formula(fmt: str, color: ColorTags, full: bool) -> None:
    color = full_range(color) if full else color
    rgb = smooth_rgb(H, W)
    got = read_rgb(make_frame(rgb, fmt, color), Box(0, 0, W, H))
    assert got.shape == (H, W, 3)
    assert got.dtype == np.float32
    # Rounding three samples to codes moves R, G, B by at most about 1.7 codes; spreading
    # subsampled chroma out again loses a little more on a picture that is smooth but not flat.
    tolerance = 1.7 / (219 * 2 ** (FORMATS[fmt].bits - 8)) + (0.02 if "444" not in fmt else 0)
    assert np.abs(got - rgb).max() < tolerance


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("color", [BT601, BT709, BT2020], ids=["601", "709", "2020"])
@pytest.mark.parametrize("fmt", ["yuv420p", "yuv422p10le", "yuv444p"])
def test_colours_by_ffmpeg(fmt: str, color: ColorTags, full: bool) -> None:
    # One flat colour a picture: then the scaler's own chroma filter has nothing to say.
    for wanted in np.array([[0.8, 0.3, 0.2], [0.1, 0.6, 0.9], [0.5, 0.5, 0.5], [1, 1, 1]]):
        tags = full_range(color) if full else color
        frame = make_frame(np.broadcast_to(wanted, (32, 32, 3)), fmt, tags)
        picture = av.VideoFrame(32, 32, fmt)
        for plane, samples in zip(picture.planes, frame.planes, strict=True):
            rows = np.frombuffer(plane, samples.dtype).reshape(plane.height, -1)
            rows[:, : samples.shape[1]] = samples
        picture.colorspace, picture.color_range = tags.matrix, 2 if full else 1
        name = {1: "ITU709", 6: "ITU601", 9: 9}[tags.matrix]
        reference = picture.reformat(
            format="gbrpf32le",
            src_colorspace=name,
            src_color_range="JPEG" if full else "MPEG",
            dst_color_range="JPEG",
            interpolation="BICUBIC",
        ).to_ndarray()
        got = read_rgb(frame, whole(frame))
        # swscale counts in fixed point, at about 8-bit precision: 1.5 codes of 255. The wrong
        # matrix or range is off by 6 and more.
        assert np.abs(got[16, 16] - reference[16, 16]).max() < 1.5 / 255


@pytest.mark.parametrize("fmt", ["gbrp", "gbrp10le", "gbrap"])
def test_rgb_planes_are_read_in_their_order(fmt: str) -> None:
    rgb = smooth_rgb(H, W)
    top = 2 ** FORMATS[fmt].bits - 1
    got = read_rgb(make_frame(rgb, fmt), Box(0, 0, W, H))
    assert np.abs(got - rgb).max() < 0.51 / top


@pytest.mark.parametrize("fmt", ["gray", "gray10le"])
def test_gray_is_luma_alone(fmt: str) -> None:
    for color in (BT709, full_range(BT709)):
        rgb = np.repeat(smooth_rgb(H, W)[..., :1], 3, -1)
        got = read_rgb(make_frame(rgb, fmt, color), Box(0, 0, W, H))
        assert np.abs(got - rgb).max() < 0.6 / (219 * 2 ** (FORMATS[fmt].bits - 8))


def test_untagged_pictures_are_601_when_small_and_709_when_large() -> None:
    planes = tuple(
        np.full((720 >> s, 16 >> s), v, np.uint8) for s, v in ((0, 120), (1, 60), (1, 180))
    )
    small = tuple(p[: 480 >> (i > 0)] for i, p in enumerate(planes))
    for color, chosen in ((BT709, planes), (BT601, small)):
        frame = Frame(chosen, FORMATS["yuv420p"], 0, make_frame(np.zeros((2, 2, 3))).time_base)
        rgb = read_rgb(frame, Box(0, 0, 4, 4))[0, 0]
        assert np.abs(code_values(rgb, 8, color) - [120, 60, 180]).max() < 1e-3


@pytest.mark.parametrize(("fmt", "size"), SIZES)
def test_a_part_is_the_part_of_the_whole(fmt: str, size: tuple[int, int]) -> None:
    frame = noise_frame(fmt, *size)
    box = aligned(Box(8, 12, 24, 28), frame.format, *size)
    part = read_rgb(frame, box)
    every = read_rgb(frame, whole(frame))[box.y0 : box.y1, box.x0 : box.x1]
    # Chroma is interpolated from the part's own samples only: its outer ring may differ.
    inner = slice(6, -6)
    assert np.abs(part - every)[inner, inner].max() < 1e-5


def test_aligned_boxes_hold_whole_chroma_samples() -> None:
    layout = FORMATS["yuv420p"]
    assert aligned(Box(3, 5, 7, 9), layout, 100, 100) == Box(2, 4, 8, 10)
    assert aligned(Box(-7, -3, 101, 99), layout, 99, 77) == Box(0, 0, 99, 77)
    assert aligned(Box(3, 5, 7, 9), FORMATS["yuv422p"], 100, 100) == Box(2, 5, 8, 9)
    assert aligned(Box(3, 5, 8, 9), FORMATS["gbrp"], 100, 100) == Box(3, 5, 8, 9)


# -------------------------------------------------------------------------------------- add_rgb

BOXES = [Box(0, 0, 45, 33), Box(10, 8, 22, 20), Box(30, 20, 45, 33), Box(44, 32, 45, 33)]


@pytest.mark.parametrize("box", BOXES, ids=str)
@pytest.mark.parametrize("fmt", EVERY)
def test_no_change_is_bit_exact(fmt: str, box: Box) -> None:
    frame = noise_frame(fmt, 45, 33)
    box = aligned(box, frame.format, 45, 33)
    nothing = np.zeros((box.height, box.width, 3), np.float32)
    out = add_rgb(frame, box, nothing, np.ones(nothing.shape[:2], np.float32))
    for new, old in zip(out.planes, frame.planes, strict=True):
        np.testing.assert_array_equal(new, old)
    assert (out.pts, out.format, out.color) == (frame.pts, frame.format, frame.color)


@pytest.mark.parametrize(("fmt", "size"), SIZES)
def test_untouched_samples_are_bit_exact_whatever_the_change(
    fmt: str, size: tuple[int, int]
) -> None:
    width, height = size
    frame = noise_frame(fmt, width, height)
    layout = frame.format
    box = aligned(Box(9, 7, width, height), layout, width, height)
    rng = np.random.default_rng(1)
    delta = rng.normal(0, 3, (box.height, box.width, 3)).astype(np.float32)
    touched = np.zeros((box.height, box.width), np.float32)
    touched[6:12, 8:20] = 1
    touched[-1, -1] = 1
    out = add_rgb(frame, box, delta, touched)
    seen = np.zeros((height, width), bool)
    seen[box.y0 : box.y1, box.x0 : box.x1] = touched > 0
    changed = 0
    for k, (new, old) in enumerate(zip(out.planes, frame.planes, strict=True)):
        mask = seen
        if layout.kind == "yuv" and k in (1, 2):
            sx, sy = 1 << layout.sub_x, 1 << layout.sub_y
            padded = np.pad(seen, ((0, -height % sy), (0, -width % sx)))
            mask = padded.reshape(padded.shape[0] // sy, sy, -1, sx).any((1, 3))
        np.testing.assert_array_equal(new[~mask], old[~mask])
        changed += int((new[mask] != old[mask]).sum())
        assert new.max() <= 2**layout.bits - 1, "values stay inside the bit depth"
    assert changed > 50
    if layout.alpha:
        np.testing.assert_array_equal(out.planes[-1], frame.planes[-1])


def test_the_source_frame_is_not_written_to() -> None:
    frame = noise_frame("yuv420p", 16, 16)
    before = [plane.copy() for plane in frame.planes]
    add_rgb(frame, whole(frame), np.ones((16, 16, 3), np.float32), np.ones((16, 16), np.float32))
    for new, old in zip(frame.planes, before, strict=True):
        np.testing.assert_array_equal(new, old)


@pytest.mark.parametrize("fmt", EVERY)
@pytest.mark.parametrize("full", [False, True])
def test_a_change_arrives_as_asked(fmt: str, full: bool) -> None:
    color = full_range(BT709) if full else BT709
    before = 0.25 + 0.5 * smooth_rgb(H, W)
    if "gray" in fmt:
        before[:] = before[..., :1]
    frame = make_frame(before, fmt, color)
    box = aligned(Box(12, 8, 36, 28), frame.format, W, H)
    delta = np.empty((box.height, box.width, 3), np.float32)
    delta[:] = [0.1, -0.05, 0.15] if "gray" not in fmt else 0.1
    out = add_rgb(frame, box, delta, np.ones(delta.shape[:2], np.float32))
    got = read_rgb(out, box) - read_rgb(frame, box)
    # Two roundings of three samples: about two codes; twice that at 4:1:0, whose chroma
    # interpolation reaches four pixels in from the border of the box.
    assert np.abs(got - delta)[4:-4, 4:-4].max() < 2.2 / (219 * 2 ** (frame.format.bits - 8))


@pytest.mark.parametrize("fmt", EVERY)
def test_too_bright_and_too_dark_stop_at_the_bit_depth(fmt: str) -> None:
    frame = noise_frame(fmt, 16, 16)
    top = 2**frame.format.bits - 1
    ones = np.ones((16, 16), np.float32)
    for delta in (9.0, -9.0):
        out = add_rgb(frame, whole(frame), np.full((16, 16, 3), delta, np.float32), ones)
        if frame.format.kind == "rgb":
            for plane in out.planes[:3]:
                assert np.all(plane == (top if delta > 0 else 0))
        else:
            assert np.all(out.planes[0] == (top if delta > 0 else 0))
            assert all(plane.max() <= top for plane in out.planes)


# ---------------------------------------------------------------------------------- sample_rgb8

IDENTITY = np.array([[1, 0, 0], [0, 1, 0]], np.float32)


def as8(frame: Frame) -> np.ndarray:
    return np.rint(read_rgb(frame, whole(frame)) * 255).clip(0, 255)


@pytest.mark.parametrize("fmt", ["yuv420p", "yuv444p", "yuv422p10le", "gbrp", "gray"])
def test_sampling_in_place_is_reading(fmt: str) -> None:
    frame = make_frame(smooth_rgb(H, W), fmt)
    got = sample_rgb8(frame, IDENTITY, (W, H))
    assert got.dtype == np.uint8
    # Chroma is interpolated by another OpenCV call: up to 2 codes on this picture.
    assert np.abs(got - as8(frame)).max() <= (0 if "444" in fmt or "g" in fmt else 2)


@pytest.mark.parametrize("fmt", ["yuv420p", "gbrp"])
def test_sampling_shifted_by_whole_pixels(fmt: str) -> None:
    frame = make_frame(smooth_rgb(H, W), fmt)
    got = sample_rgb8(frame, similarity(shift=(6, 4)).astype(np.float32), (20, 16))
    assert np.abs(got - as8(frame)[4:20, 6:26]).max() <= 2


@pytest.mark.parametrize("fmt", ["yuv420p", "gbrp"])
def test_sampling_turned_by_a_quarter(fmt: str) -> None:
    frame = make_frame(smooth_rgb(H, W), fmt)
    # Output (x, y) looks at frame (y, H - x): the picture turned clockwise.
    affine = np.array([[0, 1, 0], [-1, 0, H]], np.float32)
    got = sample_rgb8(frame, affine, (H, W))
    assert np.abs(got - np.rot90(as8(frame), -1)).max() <= 2


@pytest.mark.parametrize("fmt", ["yuv420p", "gbrp", "yuv422p10le"])
def test_a_strong_shrink_does_not_alias(fmt: str) -> None:
    y, x = np.mgrid[:512, :512]
    board = np.repeat(((x + y) % 2)[..., None], 3, -1).astype(float)
    for shrink in (4, 7.3, 16):
        affine = similarity(shrink).astype(np.float32)
        got = sample_rgb8(make_frame(board, fmt), affine, (int(512 / shrink),) * 2)
        assert np.abs(got.astype(int) - 128).max() < 12


def test_a_shrunk_picture_keeps_its_place() -> None:
    # A smooth picture, shrunk by any factor, must be the picture at the shrunk places.
    rgb = smooth_rgb(480, 640)
    for shrink in (2.0, 3.7, 8.0):
        affine = similarity(shrink, 10, (40, 20)).astype(np.float32)
        size = (int(400 / shrink), int(300 / shrink))
        got = sample_rgb8(make_frame(rgb, "yuv420p"), affine, size)
        y, x = np.mgrid[: size[1], : size[0]] + 0.5
        at = np.stack([x, y], -1) @ affine[:, :2].T + affine[:, 2] - 0.5
        place, edge = at.astype(np.float32), cv2.BORDER_REPLICATE
        want = (
            cv2.remap(rgb.astype(np.float32), place, None, cv2.INTER_LINEAR, borderMode=edge) * 255
        )
        # Smoothing and rounding: 3 codes. Half a pixel of the shrunk picture would be more.
        assert np.abs(got - want).max() < 3


def test_sampling_beyond_the_border_repeats_it() -> None:
    frame = make_frame(smooth_rgb(H, W), "gbrp")
    got = sample_rgb8(frame, similarity(shift=(-10, -6)).astype(np.float32), (W + 20, H + 12))
    want = np.pad(as8(frame), ((6, 6), (10, 10), (0, 0)), "edge")
    assert np.abs(got - want).max() <= 1


def test_sampling_far_outside_gives_a_picture_all_the_same() -> None:
    frame = make_frame(smooth_rgb(H, W), "yuv420p")
    got = sample_rgb8(frame, similarity(shift=(5000, 0)).astype(np.float32), (8, 6))
    assert got.shape == (6, 8, 3)
