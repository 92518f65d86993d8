"""Writes model.onnx, a small classifier with four layers, and x.npz, an input for it."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

FEATURES, HIDDEN, CLASSES = 64, 256, 10
WIDTHS = [FEATURES, HIDDEN, HIDDEN, HIDDEN, CLASSES]

random = np.random.default_rng(seed=1)
nodes, weights = [], []
tensor = "x"
for layer, (rows, columns) in enumerate(zip(WIDTHS, WIDTHS[1:])):
    matrix = random.normal(scale=rows**-0.5, size=(rows, columns)).astype(np.float32)
    weights.append(numpy_helper.from_array(matrix, f"weights{layer}"))
    is_last = columns == CLASSES
    product, result = f"product{layer}", "probabilities" if is_last else f"hidden{layer}"
    nodes.append(helper.make_node("MatMul", [tensor, f"weights{layer}"], [product]))
    nodes.append(helper.make_node("Softmax" if is_last else "Relu", [product], [result]))
    tensor = result

graph = helper.make_graph(
    nodes,
    "classifier",
    inputs=[helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", FEATURES])],
    outputs=[helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["batch", CLASSES])],
    initializer=weights,
)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
onnx.checker.check_model(model)
onnx.save(model, "model.onnx")
np.savez("x.npz", x=random.normal(size=(8, FEATURES)).astype(np.float32))
