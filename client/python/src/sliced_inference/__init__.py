# SPDX-License-Identifier: Apache-2.0
"""Calls a pipeline of cdk-sliced-inference: NumPy arrays in, NumPy arrays out.

    from sliced_inference import SlicedInferenceClient

    model = SlicedInferenceClient("arn:aws:states:eu-central-1:111122223333:stateMachine:Ocr")
    result = model.infer({"x": array})
    print(result.outputs["y"].shape)

The ARN is all that a caller needs: the state machine's comment names the bucket, inputs and outputs of the pipeline.
The construct's ``grant_invoke`` allows a role to do everything that the client does. ``sliced_inference.handlers``
helps functions before and after the model, ``sliced_inference.tensors`` reads and writes the files of requests and
results, and ``sliced_inference.local`` serves a stack on this machine for tests.
"""

from .batch import BatchProgress, SlicedInferenceBatchRun
from .batch_requests import BatchRequest, BatchRequests
from .batch_results import BatchResult
from .batch_rows import BatchRow
from .call import InferenceProgress
from .client import SlicedInferenceClient
from .errors import InferenceCancelledError, InferenceError, InferenceTimeoutError
from .pipeline import PipelineDescription, PipelineLimits, PipelineSignature, TensorSpec
from .results import Inference, Invocation, ObjectReference

__version__ = "0.2.0"

__all__ = [
    "BatchProgress",
    "BatchRequest",
    "BatchRequests",
    "BatchResult",
    "BatchRow",
    "Inference",
    "InferenceCancelledError",
    "InferenceError",
    "InferenceProgress",
    "InferenceTimeoutError",
    "Invocation",
    "ObjectReference",
    "PipelineDescription",
    "PipelineLimits",
    "PipelineSignature",
    "SlicedInferenceBatchRun",
    "SlicedInferenceClient",
    "TensorSpec",
]
