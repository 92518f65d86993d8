# SPDX-License-Identifier: Apache-2.0
"""Functions before and after the slices: Lambda handlers for `preprocess` and `postprocess`.

Copy this file and sliced_inference.py, and write your own `preprocess` and `postprocess`. They need numpy and safetensors in
the function's package; Lambda's Python has boto3. The variable SLICED_INFERENCE_BUCKET is the name of the pipeline's bucket.
"""

import functools
import json
import os
import re
import uuid

import boto3
import numpy as np
from sliced_inference import (
    BROKEN_BODY,
    DAMAGE,
    MAX_REQUEST_BYTES,
    NAMES_OF_SLICES,
    NUMERIC_DTYPES,
    READS,
    InferenceError,
    decode_file,
    decode_inline,
    encode_file,
    encode_inline,
)

# In characters, so that the console and the history of an execution show the cause in full.
MAX_MESSAGE = 500


def step(name):
    """Let the failures of a handler name their step, as those of a slice name the slice: `preprocess` or `postprocess`."""

    def decorate(handler):
        @functools.wraps(handler)
        def handle(event, context):
            try:
                return handler(event, context)
            except Exception as error:
                is_ours = isinstance(error, InferenceError)
                kind = error.name if is_ours else type(error).__name__
                message = (error.message if is_ours else str(error)) or kind
                if kind in NAMES_OF_SLICES:
                    kind, message = "HandlerError", f"{kind}: {message}"
                cause = json.dumps({"step": name, "message": one_line(message)})
                # Lambda takes the name of the failure from the class. Its log has the original error too.
                raise type(kind, (Exception,), {})(cause) from error

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
    inline = {name: encode_inline(tensor) for name, tensor in tensors.items()}
    whole = {"version": 1, "inputs": {"tensors": inline}}
    if len(json.dumps(whole)) <= MAX_REQUEST_BYTES:
        return whole
    key = f"inputs/{uuid.uuid4()}.safetensors"
    s3().put_object(Bucket=bucket(), Key=key, Body=encode_file(tensors))
    return {"version": 1, "inputs": {"s3": key}}


def outputs(output):
    """Return the results of a pipeline's output as arrays by name. Strings are arrays of objects, which are str.

    Raises InvalidOutput if the results are not those of the run in the pipeline's bucket, and CorruptTensor if they do not
    have their checksums in three reads.
    """
    results = output["outputs"]
    if "tensors" in results:
        return {name: decode_inline(name, tensor) for name, tensor in results["tensors"].items()}
    place = {"bucket": bucket(), "key": f"outputs/{output['run']}.safetensors"}
    if results["s3"] != place:
        raise InferenceError("InvalidOutput", f"the results must be {place}, got {results['s3']}: check the variable")
    for _ in range(READS):
        try:
            return decode_file(s3().get_object(Bucket=place["bucket"], Key=place["key"])["Body"].read())
        except (*DAMAGE, *BROKEN_BODY) as error:
            damage = error
    raise InferenceError("CorruptTensor", f"{place['key']} was damaged in {READS} reads: {damage}") from damage


def bucket():
    """Return the name of the pipeline's bucket."""
    name = os.environ.get("SLICED_INFERENCE_BUCKET")
    if not name:
        message = (
            "the function must have the variable SLICED_INFERENCE_BUCKET, got none: set it to the pipeline's bucket"
        )
        raise InferenceError("InvalidInput", message)
    return name


def plain(name, value):
    """Return an array as a tensor: numbers little-endian and in C order, strings as objects."""
    # `__array__` of an object may return a masked array too, whose mask `asarray` would drop.
    array = np.asanyarray(value)
    if isinstance(array, np.ma.MaskedArray):
        raise InferenceError(
            "InvalidInput", f"input '{name}' must have all of its values, got a masked array: fill it", tensor=name
        )
    if array.dtype.kind in "UT" or (array.dtype.kind == "O" and all(isinstance(item, str) for item in array.flat)):
        return np.asarray(array, dtype=object, order="C")
    # `name` does not depend on the byte order.
    if array.dtype.name not in NUMERIC_DTYPES:
        expected = f"an array of {', '.join(NUMERIC_DTYPES)} or str"
        message = f"input '{name}' must be {expected}, got {array.dtype.name}: convert it"
        raise InferenceError("InvalidInput", message, tensor=name)
    # `ascontiguousarray` would make a vector of a scalar.
    return np.asarray(array, dtype=array.dtype.newbyteorder("<"), order="C")


def one_line(text):
    """Return a text without control characters, which a terminal would obey."""
    line = re.sub(r"[\s\x00-\x1f\x7f-\x9f]+", " ", text).strip()
    return line if len(line) <= MAX_MESSAGE else f"{line[: MAX_MESSAGE - 1]}…"


@functools.cache
def s3():
    """Connect with the first use, so that small requests need no connection."""
    return boto3.client("s3")
