"""Load MediaPipe's networks from their bundle, quietly."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt
from ai_edge_litert.interpreter import Interpreter

from labial.weights import fetch


class Network:
    """One TFLite network with one input; not thread-safe.

    Parameters
    ----------
    member
        File name inside ``face_landmarker.task``.
    threads
        Threads that one call may use.
    """

    def __init__(self, member: str, threads: int = 1) -> None:
        content = fetch.member("face_landmarker", member)
        with _quiet_stderr():
            self._net = Interpreter(model_content=content, num_threads=threads)
            self._net.allocate_tensors()
        self._input = self._net.get_input_details()[0]["index"]
        self._outputs = [detail["index"] for detail in self._net.get_output_details()]

    def __call__(self, x: npt.NDArray[np.float32]) -> list[npt.NDArray[np.float32]]:
        """Run the network on ``x``, batch axis included; outputs in the file's order."""
        self._net.set_tensor(self._input, x)
        self._net.invoke()
        return [self._net.get_tensor(index) for index in self._outputs]


@contextmanager
def _quiet_stderr() -> Iterator[None]:
    """Hide what the library prints from C++ when it starts; Python's errors still get out."""
    sys.stderr.flush()
    saved = os.dup(2)
    null = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(null, 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(null)
