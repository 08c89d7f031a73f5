"""Faults of footage: what cameras, editors and converters produce."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from faults.case import Case, Job, job, refused
from faults.clips import TICK, face, film, wall

N = 6
# Floats are not made by FFmpeg's own converter, or not taken by its encoder.
UNMADE = ("f16le", "f32le")

RAW = (
    "nv12", "nv21", "yuyv422", "uyvy422", "yvyu422", "rgb24", "bgr24", "rgb0", "rgba", "argb",
    "abgr", "rgb565le", "rgb555le", "gray16be", "yuv420p10be", "gbrp10be", "y210le", "xv30le",
    "vuya",
    "yuva420p9le", "gray14le",
)  # fmt: skip


def made(
    name: str, ending: str = ".mkv", out: str = "out.mkv", says: str = "", same: bool = True,
    more: tuple[str, ...] = ("--codec", "ffv1"), **settings: Any,
) -> Case:  # fmt: skip
    """A film of the face in a format, dubbed."""
    h264 = settings.get("codec") == "libx264"

    def make(folder: Path) -> Job:
        scene = face(N, *settings.get("size", (160, 164)))
        video = film(folder / "in" / f"film{ending}", scene, **settings)
        # FFmpeg takes times of packets for those of pictures where these only count packets.
        times = [i * TICK for i in range(N)] if ending in (".avi", ".mxf") and h264 else None
        return job(folder, video, out=out, more=more, scene=scene, times=times)

    return Case(name, make, says=says, same=same)


def pixel_formats() -> Iterator[Case]:
    """Every format of FFV1 on this machine, and how others are packed."""
    for fmt in av.Codec("ffv1", "w").video_formats or ():
        if not fmt.name.endswith(UNMADE):
            yield made(f"{fmt.name} ffv1", fmt=fmt.name)
    for name in RAW:
        yield made(f"{name} raw", ".nut", codec="rawvideo", fmt=name)
    for codec, fmt, ending in (
        ("mjpeg", "yuvj420p", ".avi"), ("mjpeg", "yuvj422p", ".mov"),
        ("v210", "yuv422p10le", ".mov"),
        ("v410", "yuv444p10le", ".mov"), ("r210", "gbrp10le", ".mov"), ("png", "rgba64be", ".mov"),
        ("qtrle", "argb", ".mov"), ("gif", "bgr8", ".gif"),
    ):  # fmt: skip
        yield made(f"{fmt} {codec}", ending, codec=codec, fmt=fmt)


def colours() -> Iterator[Case]:
    """Tags of colour, each as it comes from cameras."""
    named = {
        "BT.601 PAL": (5, 5, 6, 1), "BT.601 NTSC": (6, 6, 6, 1), "BT.709": (1, 1, 1, 1),
        "BT.709 full range": (1, 1, 1, 2), "BT.2020 10 bit": (9, 9, 14, 1),
        "BT.2020 PQ": (9, 9, 16, 1), "BT.2020 HLG": (9, 9, 18, 1),
        "BT.2020 HLG full": (9, 9, 18, 2),
        "P3 PQ": (9, 12, 16, 1), "SMPTE 240M": (7, 7, 7, 1), "untagged": (2, 2, 2, 0),
    }  # fmt: skip
    for name, tags in named.items():
        fmt = "yuv420p10le" if tags[0] == 9 else "yuv420p"
        yield made(f"{name}", fmt=fmt, setup=_tagged(*tags))
    yield made("BT.2020 HLG in hevc", ".mp4", codec="libx265", fmt="yuv420p10le",
               setup=_tagged(9, 9, 18, 1))  # fmt: skip


def _tagged(matrix: int, primaries: int, transfer: int, levels: int) -> Callable[..., None]:
    def setup(container: Any, stream: Any) -> None:
        context = stream.codec_context
        context.colorspace, context.color_primaries = matrix, primaries
        context.color_trc, context.color_range = transfer, levels

    return setup


def codecs() -> Iterator[Case]:
    """What a film may be packed in."""
    for codec, ending, fmt in (
        ("libx264", ".mp4", "yuv420p"), ("libx264", ".mov", "yuv422p10le"),
        ("libx264", ".mkv", "yuv444p"), ("libx264", ".ts", "yuv420p"),
        ("libx264", ".flv", "yuv420p"),
        ("libx264", ".avi", "yuv420p"), ("libx264", ".mxf", "yuv422p10le"),
        ("libx265", ".mp4", "yuv420p10le"), ("libx265", ".mkv", "yuv422p12le"),
        ("libx265", ".ts", "yuv420p"), ("libvpx", ".webm", "yuv420p"),
        ("libvpx-vp9", ".webm", "yuv420p"), ("libvpx-vp9", ".mp4", "yuv444p"),
        ("libvpx-vp9", ".webm", "yuva420p"), ("libsvtav1", ".mp4", "yuv420p"),
        ("libsvtav1", ".webm", "yuv420p10le"), ("prores_ks", ".mov", "yuv422p10le"),
        ("prores_ks", ".mov", "yuva444p10le"), ("prores_ks", ".mkv", "yuv444p10le"),
        ("ffv1", ".avi", "yuv422p"), ("mpeg2video", ".ts", "yuv420p"),
        ("mpeg2video", ".mpg", "yuv420p"), ("mpeg2video", ".mxf", "yuv422p"),
        ("mpeg4", ".avi", "yuv420p"), ("mpeg4", ".mp4", "yuv420p"), ("msmpeg4", ".avi", "yuv420p"),
        ("mjpeg", ".avi", "yuvj420p"), ("huffyuv", ".avi", "yuv422p"),
        ("ffvhuff", ".avi", "yuv420p"),
        ("utvideo", ".avi", "gbrp"), ("magicyuv", ".avi", "yuv444p"), ("flv", ".flv", "yuv420p"),
        ("wmv2", ".wmv", "yuv420p"), ("cfhd", ".mov", "yuv422p10le"), ("svq1", ".mov", "yuv410p"),
        ("jpeg2000", ".mov", "yuv420p"), ("libx264", ".3gp", "yuv420p"),
        ("libx264", ".nut", "yuv420p"),
        ("libvpx-vp9", ".ivf", "yuv420p"),
    ):  # fmt: skip
        name = f"{codec.removeprefix('lib').removesuffix('_ks')} {fmt} in {ending}"
        yield made(name, ending, codec=codec, fmt=fmt)
    profile = {"profile": "dnxhr_hq"}
    for ending in (".mov", ".mxf"):
        yield made(f"dnxhr in {ending}", ending, codec="dnxhd", fmt="yuv422p", options=profile,
                   size=(256, 264))  # fmt: skip
    yield made(
        "dv pal in .avi", ".avi", codec="dvvideo", fmt="yuv420p", size=(720, 576), same=False
    )
    yield made("h261 in .avi", ".avi", codec="h261", fmt="yuv420p", size=(352, 288))


def outputs() -> Iterator[Case]:
    """Outputs as they come by default, in each container."""
    for codec, ending, fmt, out in (
        ("libx264", ".mp4", "yuv420p", ".mp4"), ("libx264", ".mp4", "yuv422p10le", ".mov"),
        ("libx265", ".mkv", "yuv420p10le", ".mp4"), ("libvpx-vp9", ".webm", "yuv420p", ".webm"),
        ("libsvtav1", ".mp4", "yuv420p10le", ".webm"),
        ("prores_ks", ".mov", "yuva444p10le", ".mov"),
        ("mpeg2video", ".ts", "yuv420p", ".m4v"), ("mjpeg", ".avi", "yuvj420p", ".mkv"),
        ("dnxhd", ".mov", "yuv422p", ".mov"), ("libx264", ".mkv", "gray", ".mp4"),
        ("ffv1", ".mkv", "gbrp16le", ".mp4"), ("ffv1", ".mkv", "ya8", ".webm"),
        ("ffv1", ".mkv", "yuv411p", ".mp4"), ("libx264", ".flv", "yuv420p", ".mkv"),
    ):  # fmt: skip
        more = {"options": {"profile": "dnxhr_hq"}, "size": (256, 264)} if codec == "dnxhd" else {}
        name = f"{codec.removeprefix('lib')} {fmt} in {ending} to {out}"
        yield made(name, ending, f"out{out}", more=(), codec=codec, fmt=fmt, **more)


def sizes() -> Iterator[Case]:
    """Odd, small, squeezed and turned pictures."""
    for width, height in ((161, 164), (160, 165), (161, 165), (163, 197), (98, 96)):
        yield made(f"{width}x{height}", size=(width, height))
    for width, height in ((1, 1), (2, 2), (16, 16), (4000, 2)):

        def tiny(folder: Path, size: tuple[int, int] = (width, height)) -> Job:
            scene = wall(3, *size)
            return job(folder, film(folder / "in" / "film.mkv", scene), scene=scene)

        yield refused(f"{width}x{height}", "no face to re-sync in film.mkv", tiny)
    yield made("161x165 to mp4", ".mkv", "out.mp4", more=(), size=(161, 165))
    for aspect in (Fraction(16, 15), Fraction(64, 45), Fraction(8, 1), Fraction(1, 9)):
        yield made(f"pixel aspect {aspect}", ".mp4", codec="libx264", setup=_aspect(aspect))
    for degrees in (90, 180, 270):
        yield _turned(degrees, ".mp4")
    yield _turned(90, ".mkv")


def _aspect(aspect: Fraction) -> Callable[..., None]:
    def setup(container: Any, stream: Any) -> None:
        stream.codec_context.sample_aspect_ratio = aspect

    return setup


def _turned(degrees: int, ending: str) -> Case:
    def make(folder: Path) -> Job:
        scene = face(N).turned(degrees // 90)

        def setup(container: Any, stream: Any) -> None:
            stream.set_display_rotation(-degrees)

        codec = "libx264" if ending == ".mp4" else "ffv1"
        video = film(folder / "in" / f"film{ending}", scene, codec=codec, setup=setup)
        return job(folder, video, scene=scene)

    return Case(f"turned by {degrees} in {ending}", make)


def people() -> Iterator[Case]:
    """Who is in the picture, and when."""
    gone, here = wall(3), face(N)
    for name, scene, count in (
        ("nobody in the first frames", gone + here, 3),
        ("nobody in the last frames", here + gone, 3),
        ("nobody in the middle", here + gone + here, 3),
        ("somebody every other frame", sum([face(1) + wall(1)] * 4, face(1)), 4),
        ("one frame", face(1), 0),
        ("two frames", face(2), 0),
        ("a jump cut", face(N) + face(N).sized(100, 102).on(160, 164, [(30, 40)] * N), 0),
    ):

        def make(folder: Path, scene: Any = scene) -> Job:
            return job(folder, film(folder / "in" / "film.mkv", scene), scene=scene)

        yield Case(name, make, says=f"no face {count}" if count else "re-synced")

    def two(folder: Path) -> Job:
        left = face(N).on(330, 164, [(0, 0)] * N)
        both = [p.copy() for p in left.pictures]
        masks = [m.copy() for m in left.masks]
        for picture, mask, other, own in zip(both, masks, face(N).pictures[::-1],
                                             face(N).masks[::-1], strict=True):  # fmt: skip
            picture[:, 170:], mask[:, 170:] = other, own
        scene = type(left)(both, masks)
        return job(folder, film(folder / "in" / "film.mkv", scene), scene=scene)

    def small(folder: Path) -> Job:
        scene = face(N).sized(40, 42).on(320, 180, [(140, 60)] * N)
        return job(folder, film(folder / "in" / "film.mkv", scene), scene=scene)

    def leaving(folder: Path) -> Job:
        scene = face(14).on(160, 164, [(i * 14, 0) for i in range(14)])
        return job(folder, film(folder / "in" / "film.mkv", scene), scene=scene)

    def nobody(folder: Path) -> Job:
        return job(folder, film(folder / "in" / "film.mkv", wall(5)))

    yield Case("two faces", two)
    yield Case("a face of 26 pixels", small, "either", "re-synced|no face")
    yield Case("a face that leaves", leaving)
    yield refused("nobody at all", r"no face to re-sync in film\.mkv.*no face 5", nobody)
