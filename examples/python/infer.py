"""Calls the pipeline that STATE_MACHINE_ARN names with the arrays of x.npz, on AWS or in the local cloud."""

import os
import sys

import numpy as np
from sliced_inference import SlicedInferenceClient

state_machine_arn = os.environ.get("STATE_MACHINE_ARN")
if state_machine_arn is None:
    sys.exit("STATE_MACHINE_ARN is not set: run `. ./cloud.env`")
model = SlicedInferenceClient(state_machine_arn)
result = model.infer(dict(np.load("x.npz")))
print(result.outputs["probabilities"].argmax(axis=1))
