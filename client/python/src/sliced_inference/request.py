"""The input of an execution."""

import uuid
from collections.abc import Callable, Mapping
from typing import Any

from .contract import CONTRACT_VERSION, MAX_INPUT_BYTES, MAX_REQUEST_BYTES
from .errors import InferenceError
from .tensors import Tensor, compact_json, encode_file, encode_inline


def request_of(
    tensors: Mapping[str, Tensor], put: Callable[[str, bytes], object], inline_mode: str = "auto"
) -> dict[str, Any]:
    """A request with these tensors. Tensors that are too large for it are put into S3."""
    request: dict[str, Any] = {"version": CONTRACT_VERSION, "inputs": {}, "output": {"inline": inline_mode}}
    # Tensors that cannot fit are not encoded. Only the texts of strings say how long they are.
    if sum(tensor.nbytes for tensor in tensors.values() if tensor.dtype != object) <= MAX_REQUEST_BYTES:
        request["inputs"] = {"tensors": {name: encode_inline(tensor) for name, tensor in tensors.items()}}
        if len(compact_json(request).encode()) <= MAX_REQUEST_BYTES:
            return request
    # Each request has a new key: a run whose request is replaced fails.
    key = f"inputs/{uuid.uuid4()}.safetensors"
    put(key, encode_file(tensors))
    request["inputs"] = {"s3": key}
    return request


def invoked_text(request: Any) -> str:
    """The JSON of a request of ``invoke``, which may be anything."""
    try:
        text = compact_json(request)
        size = len(text.encode())
    except (TypeError, ValueError, RecursionError) as error:
        # Of these kinds are also NaN, circles and lone surrogates.
        raise InferenceError(
            "InvalidInput", f"the request of invoke must be a JSON value, got another ({error}): convert it"
        ) from error
    if size > MAX_INPUT_BYTES:
        expected = f"at most {MAX_INPUT_BYTES} bytes of JSON"
        message = f"the request of invoke must be {expected}, got {size}: put large parts into S3 and pass their key"
        raise InferenceError("InvalidInput", message, expected=expected, got=str(size))
    return text
