"""Functions before and after the slices: Lambda handlers for `preprocess` and `postprocess`.

Copy `request` and `outputs`, and write your own `preprocess` and `postprocess`. They need numpy and safetensors in the function's
package; Lambda's Python has boto3. The variable SLICED_INFERENCE_BUCKET is the name of the pipeline's bucket.
"""

import base64
import json
import os
import uuid

import boto3
import numpy as np
from safetensors.numpy import load, save

# Step Functions passes at most 256 KiB to a function, and the request is a part of that.
MAX_REQUEST_BYTES = 255 * 1024

_s3 = None


def preprocess(event, context):
    """Turn any JSON into a request: {"values": [[1, 2]]} into the tensor x."""
    return request({"x": np.asarray(event["values"], dtype=np.float32)})


def postprocess(event, context):
    """Turn results into any JSON."""
    y = outputs(event)["y"]
    return {"best": y.argmax(axis=-1).tolist(), "run": event["run"]}


def request(tensors):
    """Return a request with these arrays: inside of it if they fit, otherwise in an object below inputs/."""
    inline = {
        name: {
            "dtype": str(array.dtype),
            "shape": list(array.shape),
            "base64": base64.b64encode(np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<")).tobytes()).decode(),
        }
        for name, array in tensors.items()
    }
    whole = {"version": 1, "inputs": {"tensors": inline}}
    if len(json.dumps(whole)) <= MAX_REQUEST_BYTES:
        return whole
    key = f"inputs/{uuid.uuid4()}.safetensors"
    body = save({name: np.ascontiguousarray(array) for name, array in tensors.items()})
    s3().put_object(Bucket=os.environ["SLICED_INFERENCE_BUCKET"], Key=key, Body=body)
    return {"version": 1, "inputs": {"s3": key}}


def outputs(output):
    """Return the results of a pipeline's output as arrays by name."""
    results = output["outputs"]
    if "tensors" in results:
        return {name: array(tensor) for name, tensor in results["tensors"].items()}
    place = results["s3"]
    return load(s3().get_object(Bucket=place["bucket"], Key=place["key"])["Body"].read())


def array(tensor):
    """Return an inline tensor of numbers as an array."""
    dtype = np.dtype(tensor["dtype"]).newbyteorder("<")
    return np.frombuffer(base64.b64decode(tensor["base64"]), dtype=dtype).reshape(tensor["shape"])


def s3():
    """Connect with the first use, so that small requests need no connection."""
    global _s3
    if _s3 is None:
        _s3 = boto3.client("s3")
    return _s3
