"""Write the graph of Spleeter's U-Net without its weights: ``labial/audio/spleeter.onnx``.

R. Hennequin et al., "Spleeter: a fast and efficient music source separation tool with pre-trained
models", JOSS 5(50), 2020. The weights are fetched when they are needed, and put in by name.

    python -m training.spleeter_graph
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper

from labial.audio.separate import shapes

OUT = Path(__file__).parent.parent / "labial" / "audio" / "spleeter.onnx"
_EPSILON = 1e-3


def graph() -> onnx.ModelProto:
    nodes: list[onnx.NodeProto] = []

    def node(kind: str, inputs: list[str], **attributes: object) -> str:
        name = f"x{len(nodes)}"
        nodes.append(helper.make_node(kind, inputs, [name], **attributes))
        return name

    def normed(x: str, name: str) -> str:
        parts = [f"{name}.{part}" for part in ("weight", "bias", "running_mean", "running_var")]
        return node("BatchNormalization", [x, *parts], epsilon=_EPSILON)

    x, kept = "magnitude", []
    for k in range(1, 7):
        conv = [x, f"down{k}_conv.1.weight", f"down{k}_conv.1.bias"]
        kept.append(node("Conv", conv, kernel_shape=[5, 5], strides=[2, 2], pads=[1, 1, 2, 2]))
        if k < 6:
            x = node("LeakyRelu", [normed(kept[-1], f"down{k}_act.0")], alpha=0.2)
    x = kept.pop()
    for k in range(1, 7):
        conv = [x, f"up{k}.0.weight", f"up{k}.0.bias"]
        x = node("ConvTranspose", conv, kernel_shape=[5, 5], strides=[2, 2], pads=[1, 1, 2, 2])
        x = normed(node("Relu", [x]), f"up{k}.3")
        if kept:
            x = node("Concat", [kept.pop(), x], axis=1)
    x = node(
        "Conv", [x, "up7.0.weight", "up7.0.bias"],
        kernel_shape=[4, 4], dilations=[2, 2], pads=[3, 3, 3, 3],
    )  # fmt: skip
    nodes.append(helper.make_node("Sigmoid", [x], ["share"]))
    weights = []
    for name, shape in shapes().items():
        tensor = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=shape)
        tensor.data_location = TensorProto.EXTERNAL
        for key, value in (("location", "weights"), ("length", str(4 * int(np.prod(shape))))):
            entry = tensor.external_data.add()
            entry.key, entry.value = key, value
        weights.append(tensor)
    size = ["n", 2, "rows", 1024]
    made = helper.make_graph(
        nodes, "spleeter",
        [helper.make_tensor_value_info("magnitude", TensorProto.FLOAT, size)],
        [helper.make_tensor_value_info("share", TensorProto.FLOAT, size)],
        weights,
    )  # fmt: skip
    return helper.make_model(
        made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8, producer_name="labial"
    )


if __name__ == "__main__":
    OUT.write_bytes(graph().SerializeToString(deterministic=True))
    print(OUT, OUT.stat().st_size)
