"""Functions before and after the slices: Lambda handlers for `preprocess` and `postprocess`.

Install `sliced-inference-client` into the function's package; Lambda's Python has boto3. The variable
SLICED_INFERENCE_BUCKET is the name of the pipeline's bucket.
"""

import numpy as np
from sliced_inference.handlers import outputs, request, step


@step("preprocess")
def preprocess(event, context):
    """Turn any JSON into a request: {"values": [[1, 2]]} into the tensor x."""
    return request({"x": np.asarray(event["values"], dtype=np.float32)})


@step("postprocess")
def postprocess(event, context):
    """Turn results into any JSON."""
    y = outputs(event)["y"]
    return {"best": y.argmax(axis=-1).tolist(), "run": event["run"]}
