"""For functions before and after the slices: Lambda handlers for ``preprocess`` and ``postprocess`` of a pipeline.

    @step("preprocess")
    def preprocess(event, context):
        return request({"x": np.asarray(event["values"], dtype=np.float32)})

    @step("postprocess")
    def postprocess(event, context):
        return {"best": outputs(event)["y"].argmax(axis=-1).tolist()}

In a batch, ``step`` calls the handler for each item of a run, and a failure concerns that item alone.

The function's package needs this package; the variable ``SLICED_INFERENCE_BUCKET`` is the name of the pipeline's
bucket.
"""

import contextvars
import functools
import json
import os
import re
import time
from collections.abc import Callable, Mapping
from typing import Any

import boto3
from numpy.typing import ArrayLike

from .batch_results import item_place, tensors_of_entry
from .errors import InferenceError, invalid_input
from .packs import PACKED_REQUEST_BYTES, checked_json, handled_pack, is_pack
from .pipeline import MAX_REQUEST_BYTES, NAMES_OF_SLICES
from .request import request_of, tensor_from
from .results import ObjectReference, read_undamaged, result_from, results_place
from .tensors import NUMERIC_DTYPES, Tensor, decode_file

MAX_MESSAGE = 500
"""In characters, so that the console and the history of an execution show the cause in full."""

BUCKET_VARIABLE = "SLICED_INFERENCE_BUCKET"

Handler = Callable[[Any, Any], Any]

_most_bytes = contextvars.ContextVar("most_bytes", default=MAX_REQUEST_BYTES)
"""Of a request with its tensors inside."""


def step(name: str) -> Callable[[Handler], Handler]:
    """Lets the failures of a handler name their step, as those of a slice name the slice: ``preprocess`` or
    ``postprocess``. Of a batch's items, calls the handler for each."""

    def decorate(handler: Handler) -> Handler:
        @functools.wraps(handler)
        def handle(event: Any, context: Any) -> Any:
            def answer(item: Any) -> dict[str, Any]:
                try:
                    return {"value": checked_json(handler(item, context))}
                except Exception as error:
                    kind, line = _described(error)
                    return {"failure": {"error": kind, "message": line}}

            try:
                if is_pack(event):
                    if os.environ.get(BUCKET_VARIABLE):
                        _most_bytes.set(PACKED_REQUEST_BYTES)
                    return handled_pack(event, answer, context.get_remaining_time_in_millis)
                return handler(event, context)
            except Exception as error:
                kind, line = _described(error)
                cause = json.dumps({"step": name, "message": line})
                # Lambda takes the name of the failure from the class. Its log has the original error too.
                raise type(kind, (Exception,), {})(cause) from error
            finally:
                _most_bytes.set(MAX_REQUEST_BYTES)
                _tensors_of_items.cache_clear()

        return handle

    return decorate


def _described(error: Exception) -> tuple[str, str]:
    """The name of a failure, and its message in one line."""
    kind, message = type(error).__name__, str(error)
    if isinstance(error, InferenceError):
        kind, message = error.name, error.message
    message = message or kind
    if kind in NAMES_OF_SLICES:
        kind, message = "HandlerError", f"{kind}: {message}"
    # Without control characters, which a terminal would obey, and lone surrogates, which UTF-8 does not have.
    line = re.sub(r"[\s\x00-\x1f\x7f-\x9f\ud800-\udfff]+", " ", message).strip()
    return kind, line if len(line) <= MAX_MESSAGE else f"{line[: MAX_MESSAGE - 1]}…"


def request(arrays: Mapping[str, ArrayLike]) -> dict[str, Any]:
    """Returns a request with these arrays by name: inside of it if they fit, otherwise in an object below ``inputs/``.

    An array has numbers, bools or strings, in any layout and byte order. Raises ``InvalidInput`` for others, and for
    masked ones.
    """
    tensors: dict[str, Tensor] = {}
    for name, value in arrays.items():
        dtype, tensors[name] = tensor_from(name, value)
        if dtype not in (*NUMERIC_DTYPES, "string"):
            raise invalid_input(name, f"an array of {', '.join(NUMERIC_DTYPES)} or str", dtype)

    def put(key: str, file: bytes) -> None:
        _s3().put_object(Bucket=_bucket(), Key=key, Body=file)

    return request_of(tensors, put, "auto", _most_bytes.get())


def outputs(output: Mapping[str, Any]) -> dict[str, Tensor]:
    """Returns the results of a pipeline's output as arrays by name. Strings are arrays of objects, which are ``str``.

    Raises ``InvalidOutput`` if the results are not those of the run in the pipeline's bucket, and ``CorruptTensor`` if
    they do not have their checksums in three reads.
    """
    result, inline = result_from(output)
    if inline is not None:
        return inline
    if "entry" not in output["outputs"]:
        return _tensors(results_place(result, _bucket()))
    item = item_place(result, _bucket(), output["outputs"]["entry"])
    return tensors_of_entry(_tensors_of_items(item.bucket, item.key), item.entry)


@functools.lru_cache(maxsize=1)
def _tensors_of_items(bucket: str, key: str) -> dict[str, Tensor]:
    """Kept until the end of the pack, because its outputs are in one object."""
    return _tensors(ObjectReference(bucket, key))


def _tensors(place: ObjectReference) -> dict[str, Tensor]:
    def read() -> bytes:
        body: bytes = _s3().get_object(Bucket=place.bucket, Key=place.key)["Body"].read()
        return body

    return read_undamaged(place.key, read, decode_file, time.sleep)


def _bucket() -> str:
    name = os.environ.get(BUCKET_VARIABLE)
    if not name:
        message = f"the function must have the variable {BUCKET_VARIABLE}, got none"
        raise InferenceError("InvalidInput", f"{message}: set it to the pipeline's bucket")
    return name


@functools.cache
def _s3() -> Any:
    """Connects with the first use, so that small requests need no connection."""
    return boto3.client("s3")
