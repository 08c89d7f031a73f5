"""HDR10: on which display a film was mastered, and how bright it gets."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from fractions import Fraction

# FFmpeg's AVMasteringDisplayMetadata: red, green, blue, white (x, y each), darkest, brightest.
_DISPLAY = struct.Struct("=20i2i")
_LIGHT = struct.Struct("=2I")
# SMPTE ST 2086 counts in these units.
_CHROMATICITY, _LUMINANCE = 50_000, 10_000


@dataclass(frozen=True)
class Mastering:
    """SMPTE ST 2086 and CTA-861.3.

    Parameters
    ----------
    primaries
        Chromaticities x and y of red, green, blue and white; None where the file does not say.
    luminance
        Darkest and brightest in cd/m²; None where the file does not say.
    light
        Brightest pixel and brightest mean of a frame in cd/m²; None where the file does not say.
    """

    primaries: tuple[tuple[Fraction, Fraction], ...] | None = None
    luminance: tuple[Fraction, Fraction] | None = None
    light: tuple[int, int] | None = None

    def encoder_options(self, encoder: str) -> dict[str, str]:
        """Parameters, by name, with which an encoder writes this into its stream."""
        names = _NAMES.get(encoder)
        if names is None:
            return {}
        display, light, whole = names
        found = {}
        if self.primaries is not None and self.luminance is not None:
            (red, green, blue, white), (dark, bright) = self.primaries, self.luminance

            def point(xy: tuple[Fraction, Fraction]) -> str:
                scale = _CHROMATICITY if whole else 1
                return f"({_number(xy[0] * scale, whole)},{_number(xy[1] * scale, whole)})"

            levels = [_number(v * (_LUMINANCE if whole else 1), whole) for v in (bright, dark)]
            found[display] = (
                f"G{point(green)}B{point(blue)}R{point(red)}WP{point(white)}L({','.join(levels)})"
            )
        if self.light is not None:
            found[light] = f"{self.light[0]},{self.light[1]}"
        return found


# Encoder -> its names of the two, and whether it counts in the standard's whole units.
_NAMES = {
    "libx265": ("master-display", "max-cll", True),
    "libx264": ("mastering-display", "cll", True),
    "libsvtav1": ("mastering-display", "content-light", False),
}


def _number(value: Fraction, whole: bool) -> str:
    return str(round(value)) if whole else f"{float(value):.5f}".rstrip("0").rstrip(".")


def mastering(display: bytes | None, light: bytes | None) -> Mastering | None:
    """Read FFmpeg's two blocks of side data; None where there is neither."""
    points = levels = content = None
    if display is not None and len(display) >= _DISPLAY.size:
        *numbers, has_points, has_levels = _DISPLAY.unpack_from(display)
        values = [
            Fraction(a, b) if b else Fraction(0)
            for a, b in zip(numbers[::2], numbers[1::2], strict=True)
        ]
        if has_points:
            points = tuple(zip(values[:8:2], values[1:8:2], strict=True))
        if has_levels:
            levels = values[8], values[9]
    if light is not None and len(light) >= _LIGHT.size:
        content = _LIGHT.unpack_from(light)
    if points is None and levels is None and content is None:
        return None
    return Mastering(points, levels, content)
