"""From Python's values to tensors of the model's types."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .contract import NUMERIC_DTYPES
from .errors import InferenceError, invalid_input
from .pipeline import PipelineSignature, TensorSpec, described
from .tensors import Tensor, tensor_from

UNFIT_CHARACTERS = re.compile("[\0\ud800-\udfff]")
"""ONNX Runtime's JavaScript binding cuts strings at NUL and replaces lone surrogates."""

SIDE_BY_SIDE = "lists of the same length side by side"

NUMBERS = (int, np.integer)
ELEMENTS: dict[str, tuple[type, ...]] = {
    "i": NUMBERS,
    "u": NUMBERS,
    "f": (float, np.floating, *NUMBERS),
    "b": (bool, np.bool_),
    "O": (str,),
}
"""What a list may have, by NumPy's kind of the model's dtype."""


def tensors_from(signature: PipelineSignature, inputs: Mapping[str, ArrayLike]) -> dict[str, Tensor]:
    """The inputs as tensors that fit the model. Raises ``InvalidInput`` for others."""
    if signature.preprocess or signature.postprocess:
        function = "preprocess" if signature.preprocess else "postprocess"
        message = (
            f"infer expects a pipeline that takes and returns tensors, got one with a {function} function: use invoke"
        )
        raise InferenceError("InvalidInput", message)
    specs = {spec.name: spec for spec in signature.inputs}
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
    if dtype != spec.dtype or not _fits(spec.shape, tensor.shape):
        got = described(dtype, tensor.shape)
        raise invalid_input(spec.name, str(spec), got, "convert it or check the input's name")
    if dtype == "string" and any(UNFIT_CHARACTERS.search(text) for text in tensor.flat):
        raise invalid_input(spec.name, "strings without NUL and lone surrogates", "others")
    if dtype == "bool" and tensor.size and tensor.view(np.uint8).max() > 1:
        raise invalid_input(spec.name, "bools that are bytes of 0 and 1", "others")
    return tensor


def _from_list(spec: TensorSpec, value: Any) -> Tensor:
    """A number, text or nested list as a tensor of the model's dtype, if that can hold every element."""
    if spec.dtype not in (*NUMERIC_DTYPES, "string"):
        raise invalid_input(spec.name, f"one of {', '.join(NUMERIC_DTYPES)} and string", spec.dtype)
    if isinstance(value, (list, tuple)) and any(isinstance(item, np.ma.MaskedArray) for item in value):
        raise invalid_input(spec.name, "arrays with all of their values", "a masked array", "fill it")
    dtype = np.dtype(object if spec.dtype == "string" else spec.dtype)
    try:
        # NumPy would convert elements of other kinds than the first.
        objects = np.array(value, dtype=object)
    except ValueError as error:
        raise invalid_input(spec.name, SIDE_BY_SIDE, "lists of different lengths") from error
    wanted = ELEMENTS[dtype.kind]
    for item in objects.flat:
        if isinstance(item, (list, tuple)):
            raise invalid_input(spec.name, SIDE_BY_SIDE, "lists of different lengths")
        # A bool is an int in Python, but no number of a tensor.
        if not isinstance(item, wanted) or (isinstance(item, bool) and bool not in wanted):
            names = " or ".join(kind.__name__ for kind in wanted if kind.__module__ == "builtins")
            raise invalid_input(spec.name, f"elements of Python's {names} for {spec.dtype}", type(item).__name__)
    if objects.size == 0:
        return np.empty(_empty_shape(spec, objects.shape), dtype)
    if dtype.kind in "fiu" and not _is_in_range(objects, dtype):
        raise invalid_input(spec.name, f"numbers in the range of {spec.dtype}", "others")
    return objects.astype(dtype)


def _is_in_range(numbers: Tensor, dtype: np.dtype[Any]) -> bool:
    if dtype.kind != "f":
        limits = np.iinfo(dtype)
        return all(limits.min <= number <= limits.max for number in numbers.flat)
    try:
        exact = numbers.astype(np.float64)
    except OverflowError:
        return False
    with np.errstate(over="ignore"):
        return not np.any(np.isinf(exact.astype(dtype)) & np.isfinite(exact))


def _empty_shape(spec: TensorSpec, shape: tuple[int, ...]) -> tuple[int, ...]:
    """`[]` is [0,3] for an input [N,3]: an empty list does not show the sizes behind it."""
    rest = () if spec.shape is None else spec.shape[len(shape) :]
    return (*shape, *(size if isinstance(size, int) else 0 for size in rest))


def _fits(spec: Sequence[int | str | None] | None, shape: tuple[int, ...]) -> bool:
    if spec is None:
        return True
    return len(spec) == len(shape) and all(
        not isinstance(size, int) or size == shape[at] for at, size in enumerate(spec)
    )
