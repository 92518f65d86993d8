"""Calls the pipeline that STATE_MACHINE_ARN names with the arrays of x.npz, on AWS or in the local cloud."""

import os

import numpy as np
from sliced_inference import SlicedInferenceClient

model = SlicedInferenceClient(os.environ["STATE_MACHINE_ARN"])
result = model.infer(dict(np.load("x.npz")))
print(result.outputs["probabilities"].argmax(axis=1))
