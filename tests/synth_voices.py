"""Networks in the shape of neural voices, whose lengths and sound are known: ONNX files by hand."""

from __future__ import annotations

import numpy as np

FLOAT, INT64 = 1, 7
SHARED = ("zero", 0), ("one", 1), ("step", 0.3)


def varint(n: int) -> bytes:
    head = b""
    while n > 127:
        head, n = head + bytes([n & 127 | 128]), n >> 7
    return head + bytes([n])


def number(field: int, n: int) -> bytes:
    return varint(field << 3) + varint(n)


def part(field: int, content: bytes | str) -> bytes:
    raw = content.encode() if isinstance(content, str) else content
    return varint(field << 3 | 2) + varint(len(raw)) + raw


def node(operator: str, inputs: str, output: str, **attributes: int) -> bytes:
    body = b"".join(part(1, name) for name in inputs.split()) + part(2, output) + part(4, operator)
    for name, value in attributes.items():
        body += part(5, part(1, name) + number(3, value) + number(20, 2))
    return part(1, body)


def constant(name: str, value: float, shape: tuple[int, ...] = (), dtype: int = FLOAT) -> bytes:
    raw = np.full(shape, value, np.float32 if dtype == FLOAT else np.int64).tobytes()
    dims = b"".join(number(1, n) for n in shape)
    return part(5, dims + number(2, dtype) + part(8, name) + part(9, raw))


def value(field: int, name: str, dtype: int, shape: tuple[int | str, ...]) -> bytes:
    dims = b"".join(part(1, number(1, n) if isinstance(n, int) else part(2, n)) for n in shape)
    kind = part(1, number(1, dtype) + part(2, dims))
    return part(field, part(1, name) + part(2, kind))


def model(graph: bytes) -> bytes:
    return number(1, 8) + part(8, number(2, 17)) + part(7, graph + part(2, "tiny"))


def kokoro() -> bytes:
    """Each symbol lasts 4 / speed units of 600 samples; style is how loud the tone is."""
    return model(
        node("Cast", "tokens", "f", to=FLOAT)
        + node("Mul", "f zero", "nil")
        + node("Add", "nil four", "all")
        + node("Div", "all speed", "d")
        + node("Round", "d", "r")
        + node("Clip", "r one fifty", "/encoder/Clip_output_0")
        + node("ReduceSum", "/encoder/Clip_output_0", "total", keepdims=0)
        + node("Mul", "total unit", "n")
        + node("Range", "zero n one", "ramp")
        + node("Mul", "ramp step", "phase")
        + node("Sin", "phase", "wave")
        + node("ReduceMean", "style", "loud", keepdims=0)
        + node("Mul", "wave loud", "audio")
        + b"".join(
            constant(name, x) for name, x in (*SHARED, ("four", 4), ("fifty", 50), ("unit", 600))
        )
        + value(11, "tokens", INT64, (1, "n"))
        + value(11, "style", FLOAT, (1, 256))
        + value(11, "speed", FLOAT, (1,))
        + value(12, "audio", FLOAT, ("m",))
    )


def piper(rounding: str = "Ceil") -> bytes:
    """Each id lasts 3 * length scale hops of 256 samples, rounded up."""
    return model(
        node("Cast", "input", "f", to=FLOAT)
        + node("Mul", "f zero", "nil")
        + node("Add", "nil three", "all")
        + node("Gather", "scales second", "scale")
        + node("Mul", "all scale", "d")
        + node(rounding, "d", "/Ceil_output_0")
        + node("ReduceSum", "/Ceil_output_0", "total", keepdims=0)
        + node("Mul", "total hop", "n")
        + node("Range", "zero n one", "ramp")
        + node("Mul", "ramp step", "phase")
        + node("Sin", "phase", "output")
        + b"".join(constant(name, x) for name, x in (*SHARED, ("three", 3), ("hop", 256)))
        + constant("second", 1, (), INT64)
        + value(11, "input", INT64, (1, "n"))
        + value(11, "input_lengths", INT64, (1,))
        + value(11, "scales", FLOAT, (3,))
        + value(12, "output", FLOAT, ("m",))
    )
