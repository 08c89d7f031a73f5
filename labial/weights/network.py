"""Open ONNX networks, alike everywhere, and let them give out what lies inside them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import onnxruntime as ort


def open_network(model: bytes | Path, threads: int = 1) -> ort.InferenceSession:
    """Return a session on one thread of one core; several threads may run it at once.

    Parameters
    ----------
    model
        The file's bytes, or where it lies.
    threads
        More of them for what runs alone; 0 is one on each core.
    """
    options = ort.SessionOptions()
    # Frames and stages run side by side already.
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    # Threads that wait for each other in a loop would take the cores from whoever else runs.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # Files of others hold initial values that nothing uses; each would be a line on stderr.
    options.log_severity_level = 3
    file = str(model) if isinstance(model, Path) else model
    return ort.InferenceSession(file, options, providers=["CPUExecutionProvider"])


def with_output(model: bytes, tensor: str) -> bytes:
    """Return an ONNX file whose graph gives out the float tensor called ``tensor`` as well.

    A protobuf message that comes in two pieces is merged, so the file stays as it is, and a model
    whose graph is this one output is appended.

    Raises
    ------
    ValueError
        If ``model`` is no ONNX file.
    """
    name = _field(1, tensor.encode())
    if any(bytes(output).startswith(name) for output in _parts(model, 12)):
        return model
    kind = _field(2, _field(1, b"\x08\x01"))  # a tensor of floats
    return model + _field(7, _field(12, name + kind))


def tensors_of(model: bytes, operator: str) -> list[str]:
    """Return the names of all that nodes of type ``operator`` give out, in order.

    Raises
    ------
    ValueError
        If ``model`` is no ONNX file.
    """
    found = []
    for node in _parts(model, 1):
        entries = [(key, bytes(value)) for key, value in _fields(node) if key in (2, 4)]
        if (4, operator.encode()) in entries:
            found += [value.decode() for key, value in entries if key == 2]
    return found


def _parts(model: bytes, kind: int) -> Iterator[memoryview]:
    """Yield the nodes (1) or the outputs (12) of a model's graph."""
    for field, graph in _fields(memoryview(model)):
        if field == 7:
            yield from (part for key, part in _fields(graph) if key == kind)


def _field(number: int, content: bytes) -> bytes:
    size, length = b"", len(content)
    while length > 127:
        size, length = size + bytes([length & 127 | 128]), length >> 7
    return bytes([number << 3 | 2]) + size + bytes([length]) + content


def _fields(message: memoryview) -> Iterator[tuple[int, memoryview]]:
    """Yield (number, content) of the fields of a protobuf message that have a length."""
    at = 0

    def varint() -> int:
        nonlocal at
        value = shift = 0
        while True:
            if at >= len(message):
                raise ValueError("not an ONNX file")
            byte = message[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(message):
        key = varint()
        if key & 7 == 0:
            varint()
        elif key & 7 == 2:
            length = varint()
            if at + length > len(message):
                raise ValueError("not an ONNX file")
            yield key >> 3, message[at : at + length]
            at += length
        elif key & 7 in (1, 5):
            at += 8 if key & 7 == 1 else 4
        else:
            raise ValueError("not an ONNX file")
