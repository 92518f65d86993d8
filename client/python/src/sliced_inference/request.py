"""From Python's values to tensors of the model's types, and to the input of an execution."""

import re
import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from .errors import InferenceError, invalid_input
from .pipeline import CONTRACT_VERSION, MAX_REQUEST_BYTES, PipelineSignature, TensorSpec
from .tensors import Tensor, compact_json, encode_file, encode_inline

Inputs = Mapping[str, ArrayLike]
ResultsPlace = Literal["auto", "s3", "inline"]

INLINE_MODES: dict[ResultsPlace, str] = {"auto": "auto", "s3": "never", "inline": "only"}
"""By the place of results: the field ``output.inline`` of a request."""

UNFIT_CHARACTERS = re.compile("[\0\ud800-\udfff]")
"""ONNX Runtime's JavaScript binding cuts strings at NUL and replaces lone surrogates."""

ELEMENTS: dict[str, tuple[type, ...]] = {"i": (int, np.integer), "u": (int, np.integer), "O": (str,)}
"""What a list may have, by NumPy's kind of the model's dtype. NumPy itself would make floats of large integers, and
texts of numbers."""


def tensors_from(signature: PipelineSignature, inputs: Inputs) -> dict[str, Tensor]:
    if signature.preprocess or signature.postprocess:
        function = "preprocess" if signature.preprocess else "postprocess"
        got = f"got one with a {function} function: use invoke"
        raise InferenceError("InvalidInput", f"infer expects a pipeline that takes and returns tensors, {got}")
    return suited_tensors(signature.inputs, inputs)


def suited_tensors(inputs_of_model: Iterable[TensorSpec], inputs: Inputs) -> dict[str, Tensor]:
    """Raises ``InvalidInput`` for inputs that the model does not take."""
    specs = {spec.name: spec for spec in inputs_of_model}
    for name in inputs:
        if name not in specs:
            takes = _listed(specs)
            message = f"the model has no input '{name}': it takes {takes}"
            raise InferenceError("InvalidInput", message, tensor=name, expected=takes)
    for name, spec in specs.items():
        if name not in inputs:
            got = _listed(inputs)
            message = f"input '{name}' {spec} is missing: the request has {got}"
            raise InferenceError("InvalidInput", message, tensor=name, expected=str(spec), got=got)
    return {name: _tensor(spec, inputs[name]) for name, spec in specs.items()}


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"'{name}'" for name in names) or "no tensors"


def _tensor(spec: TensorSpec, value: ArrayLike) -> Tensor:
    is_list = isinstance(value, (list, tuple, bool, int, float, str)) and not isinstance(value, np.generic)
    dtype, tensor = (spec.dtype, _from_list(spec, value)) if is_list else tensor_from(spec.name, value)
    shape = tensor.shape if spec.shape is None else spec.shape
    fits = len(shape) == tensor.ndim and all(
        not isinstance(size, int) or size == got for size, got in zip(shape, tensor.shape, strict=True)
    )
    if dtype != spec.dtype or not fits:
        got = TensorSpec(spec.name, dtype, tensor.shape)
        raise invalid_input(spec.name, str(spec), str(got), "convert it or check the input's name")
    if dtype == "string" and any(UNFIT_CHARACTERS.search(text) for text in tensor.flat):
        raise invalid_input(spec.name, "strings without NUL and lone surrogates", "others")
    if dtype == "bool" and tensor.size and tensor.view(np.uint8).max() > 1:
        raise invalid_input(spec.name, "bools that are bytes of 0 and 1", "others")
    return tensor


def tensor_from(name: str, value: ArrayLike) -> tuple[str, Tensor]:
    """The dtype of an array in the words of the contract, and the array as a tensor. Other dtypes keep their names."""
    # `__array__` of an object may return a masked array too, whose mask `asarray` would drop.
    array = np.asanyarray(value)
    if isinstance(array, np.ma.MaskedArray):
        advice = "fill it, as no model sees its mask"
        raise invalid_input(name, "an array with all of its values", "a masked array", advice)
    array = np.asarray(array)
    kind = array.dtype.kind
    if kind in "UT" or (kind == "O" and all(isinstance(item, str) for item in array.flat)):
        return "string", np.asarray(array, dtype=object, order="C")
    if kind == "S":
        return "bytes", array
    # `ascontiguousarray` would make a vector of a scalar.
    return array.dtype.name, np.asarray(array, dtype=array.dtype.newbyteorder("<"), order="C")


def _from_list(spec: TensorSpec, value: Any) -> Tensor:
    """A number, text or nested list as a tensor of the model's dtype, if that can hold every element."""
    if isinstance(value, (list, tuple)) and any(isinstance(item, np.ma.MaskedArray) for item in value):
        raise invalid_input(spec.name, "arrays with all of their values", "a masked array", "fill it")
    dtype = np.dtype(object if spec.dtype == "string" else spec.dtype)
    try:
        found = np.array(value, dtype=object if dtype.kind in ELEMENTS else None)
        if found.size == 0:
            # `[]` is [0,3] for an input [N,3]: an empty list does not show the sizes behind it.
            hidden = () if spec.shape is None else spec.shape[found.ndim :]
            return np.empty((*found.shape, *(size if isinstance(size, int) else 0 for size in hidden)), dtype)
        if dtype.kind == "f" and any(isinstance(item, bool) for item in np.array(value, dtype=object).flat):
            raise ValueError
        if not _holds(dtype, found):
            raise ValueError
    except ValueError as error:
        expected = f"elements that {spec.dtype} can hold, in lists of the same length side by side"
        raise invalid_input(spec.name, expected, "others") from error
    return found.astype(dtype)


def _holds(dtype: np.dtype[Any], found: Tensor) -> bool:
    if dtype.kind in ELEMENTS:
        wanted = ELEMENTS[dtype.kind]
        # A bool is an int in Python, but no number of a tensor.
        if not all(isinstance(item, wanted) and not isinstance(item, bool) for item in found.flat):
            return False
        limits = None if dtype.kind == "O" else np.iinfo(dtype)
        return limits is None or bool(limits.min <= found.min() and found.max() <= limits.max)
    if dtype.kind == "b" or found.dtype.kind not in "fiu":
        return dtype.kind == found.dtype.kind
    with np.errstate(over="ignore"):
        return not np.any(np.isinf(found.astype(dtype)) & np.isfinite(found))


def request_of(
    tensors: Mapping[str, Tensor],
    put: Callable[[str, bytes], object],
    results: ResultsPlace,
    most: int = MAX_REQUEST_BYTES,
) -> dict[str, Any]:
    """A request with these tensors, of ``most`` bytes at most. Tensors that are too large for it are put into S3."""
    output = {"inline": INLINE_MODES[results]}
    request: dict[str, Any] = {"version": CONTRACT_VERSION, "inputs": "", "output": output}
    inputs = inputs_of(tensors, put, most - len(compact_json(request).encode()))
    return request | {"inputs": inputs}


def inputs_of(
    tensors: Mapping[str, Tensor],
    put: Callable[[str, bytes], object],
    most: int,
    encode: Callable[[Tensor], dict[str, Any]] = encode_inline,
) -> dict[str, Any]:
    """The inputs of a request, of ``most`` bytes as JSON. Tensors that are too large for it are put into S3."""
    # Tensors that cannot fit are not encoded. In the shortest JSON, an int64 has a digit and a comma. Only the texts of
    # strings say how long they are.
    if sum(tensor.nbytes / 4 for tensor in tensors.values() if tensor.dtype != object) <= most:
        inputs = {"tensors": {name: encode(tensor) for name, tensor in tensors.items()}}
        if len(compact_json(inputs).encode()) <= most:
            return inputs
    # Each request has a new key: a run whose request is replaced fails.
    key = f"inputs/{uuid.uuid4()}.safetensors"
    put(key, encode_file(tensors))
    return {"s3": key}


def invoked_text(request: Any, most: int) -> str:
    """The JSON of a request of ``invoke``, which may be anything of ``most`` bytes."""
    try:
        text = compact_json(request)
        size = len(text.encode())
    except (TypeError, ValueError, RecursionError) as error:
        # Of these kinds are also NaN, circles and lone surrogates.
        message = f"the request of invoke must be a JSON value, got another ({error}): convert it"
        raise InferenceError("InvalidInput", message) from error
    if size > most:
        expected = f"at most {most} bytes of JSON"
        message = f"the request of invoke must be {expected}, got {size}: put large parts into S3 and pass their key"
        raise InferenceError("InvalidInput", message, expected=expected, got=str(size))
    return text
