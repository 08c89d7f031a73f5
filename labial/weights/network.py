"""Open ONNX networks, alike everywhere."""

from __future__ import annotations

from pathlib import Path

import onnxruntime as ort


def open_network(model: bytes | Path) -> ort.InferenceSession:
    """Return a session on one thread of one core; several threads may run it at once.

    Parameters
    ----------
    model
        The file's bytes, or where it lies.
    """
    options = ort.SessionOptions()
    # Frames and stages run side by side already.
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    # Files of others hold initial values that nothing uses; each would be a line on stderr.
    options.log_severity_level = 3
    file = str(model) if isinstance(model, Path) else model
    return ort.InferenceSession(file, options, providers=["CPUExecutionProvider"])
