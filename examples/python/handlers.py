# SPDX-License-Identifier: Apache-2.0
"""Functions before and after the slices: Lambda handlers for `preprocess` and `postprocess`.

Copy this file, and write your own `preprocess` and `postprocess`. They need numpy and safetensors in the function's package;
Lambda's Python has boto3. The variable SLICED_INFERENCE_BUCKET is the name of the pipeline's bucket.
"""

import base64
import functools
import json
import os
import re
import uuid

import boto3
import numpy as np
from safetensors.numpy import load, save

# Step Functions passes at most 256 KiB to a function, and the request is a part of that.
MAX_REQUEST_BYTES = 255 * 1024

DTYPES = (
    *("float32", "float64", "float16", "int8", "int16", "int32", "int64"),
    *("uint8", "uint16", "uint32", "uint64", "bool"),
)

# In characters, so that the console and the history of an execution show the cause in full.
MAX_MESSAGE = 500

# safetensors has no strings, so they are in the metadata of a file, as JSON under this name and that of the tensor.
STRING_TENSOR = "string_tensor."


class InvalidInput(Exception):
    """An array is no tensor that a model can take."""


def step(name):
    """Let the failures of a handler name their step, as those of a slice name the slice: `preprocess` or `postprocess`."""

    def decorate(handler):
        @functools.wraps(handler)
        def handle(event, context):
            try:
                return handler(event, context)
            except Exception as error:
                cause = json.dumps({"step": name, "message": one_line(str(error) or type(error).__name__)})
                # Lambda takes the name of the failure from the class. Its log has the original error too.
                raise type(type(error).__name__, (Exception,), {})(cause) from error

        return handle

    return decorate


@step("preprocess")
def preprocess(event, context):
    """Turn any JSON into a request: {"values": [[1, 2]]} into the tensor x."""
    return request({"x": np.asarray(event["values"], dtype=np.float32)})


@step("postprocess")
def postprocess(event, context):
    """Turn results into any JSON."""
    y = outputs(event)["y"]
    return {"best": y.argmax(axis=-1).tolist(), "run": event["run"]}


def request(arrays):
    """Return a request with these arrays by name: inside of it if they fit, otherwise in an object below inputs/.

    An array has numbers, bools or strings, in any layout and byte order. Raises InvalidInput for others, and for masked ones.
    """
    tensors = {name: plain(name, array) for name, array in arrays.items()}
    inline = {name: encoded(tensor) for name, tensor in tensors.items()}
    whole = {"version": 1, "inputs": {"tensors": inline}}
    if len(json.dumps(whole)) <= MAX_REQUEST_BYTES:
        return whole
    key = f"inputs/{uuid.uuid4()}.safetensors"
    s3().put_object(Bucket=os.environ["SLICED_INFERENCE_BUCKET"], Key=key, Body=file_of(tensors))
    return {"version": 1, "inputs": {"s3": key}}


def outputs(output):
    """Return the results of a pipeline's output as arrays by name. Strings are arrays of objects, which are str."""
    results = output["outputs"]
    if "tensors" in results:
        return {name: decoded(tensor) for name, tensor in results["tensors"].items()}
    place = results["s3"]
    return tensors_of(s3().get_object(Bucket=place["bucket"], Key=place["key"])["Body"].read())


def plain(name, value):
    """Return an array as a tensor: numbers little-endian and in C order, strings as objects."""
    # `__array__` of an object may return a masked array too, whose mask `asarray` would drop.
    array = np.asanyarray(value)
    if isinstance(array, np.ma.MaskedArray):
        raise InvalidInput(f"input '{name}' must have all of its values, got a masked array: fill it")
    if array.dtype.kind in "UT" or (array.dtype.kind == "O" and all(isinstance(item, str) for item in array.flat)):
        return np.asarray(array, dtype=object, order="C")
    # `name` does not depend on the byte order.
    if array.dtype.name not in DTYPES:
        raise InvalidInput(
            f"input '{name}' must be an array of {', '.join(DTYPES)} or str, got {array.dtype.name}: convert it"
        )
    # `ascontiguousarray` would make a vector of a scalar.
    return np.asarray(array, dtype=array.dtype.newbyteorder("<"), order="C")


def encoded(tensor):
    """Return a tensor as JSON."""
    shape = list(tensor.shape)
    if tensor.dtype == object:
        return {"dtype": "string", "shape": shape, "data": tensor.reshape(-1).tolist()}
    return {"dtype": tensor.dtype.name, "shape": shape, "base64": base64.b64encode(tensor.tobytes()).decode()}


def decoded(tensor):
    """Return an inline tensor as an array."""
    if tensor["dtype"] == "string":
        return strings(tensor)
    dtype = np.dtype(tensor["dtype"]).newbyteorder("<")
    return np.frombuffer(base64.b64decode(tensor["base64"]), dtype=dtype).reshape(tensor["shape"])


def file_of(tensors):
    """Return tensors as a safetensors file."""
    texts = {name: json.dumps(encoded(tensor)) for name, tensor in tensors.items() if tensor.dtype == object}
    numbers = {name: tensor for name, tensor in tensors.items() if name not in texts}
    return save(numbers, metadata={f"{STRING_TENSOR}{name}": text for name, text in texts.items()})


def tensors_of(file):
    """Return the tensors of a safetensors file."""
    header = json.loads(file[8 : 8 + int.from_bytes(file[:8], "little")])
    tensors = dict(load(file))
    for key, text in header.get("__metadata__", {}).items():
        if key.startswith(STRING_TENSOR):
            tensors[key.removeprefix(STRING_TENSOR)] = strings(json.loads(text))
    return tensors


def strings(tensor):
    """Return a tensor of strings as an array of objects."""
    array = np.empty(len(tensor["data"]), dtype=object)
    array[:] = tensor["data"]
    return array.reshape(tensor["shape"])


def one_line(text):
    """Return a text without control characters, which a terminal would obey."""
    line = re.sub(r"[\s\x00-\x1f\x7f-\x9f]+", " ", text).strip()
    return line if len(line) <= MAX_MESSAGE else f"{line[: MAX_MESSAGE - 1]}…"


@functools.cache
def s3():
    """Connect with the first use, so that small requests need no connection."""
    return boto3.client("s3")
