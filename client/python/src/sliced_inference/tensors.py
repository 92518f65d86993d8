"""Tensors in JSON and in safetensors files, as the guide to requests and results describes both.

A tensor is an array in C order with little-endian numbers, or an array of objects, which are ``str``.
"""

import base64
import json
import operator
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import safetensors
import safetensors.numpy
from numpy.typing import ArrayLike, NDArray

from .contract import NUMERIC_DTYPES
from .errors import invalid_input, invalid_output

Tensor = NDArray[Any]

STRING_TENSOR = "string_tensor."
TENSOR_CRC32 = "tensor_crc32."
HEADER_CRC32 = "header_crc32"
NO_CRC32 = b"00000000"


class ChecksumMismatch(Exception):
    """A file's bytes are not those that its writer has written."""


class MalformedFile(Exception):
    """A file's bytes are not the tensors of a pipeline."""


DAMAGE = (ChecksumMismatch, MalformedFile, safetensors.SafetensorError)
"""How ``decode_file`` fails."""


def tensor_from(name: str, value: ArrayLike) -> tuple[str, Tensor]:
    """The dtype of an array in the words of the contract, and the array as a tensor. Other dtypes keep their names."""
    # `__array__` of an object may return a masked array too, whose mask `asarray` would drop.
    array = np.asanyarray(value)
    if isinstance(array, np.ma.MaskedArray):
        raise invalid_input(
            name, "an array with all of its values", "a masked array", "fill it, as no model sees its mask"
        )
    array = np.asarray(array)
    kind = array.dtype.kind
    if kind in "UT" or (kind == "O" and all(isinstance(item, str) for item in array.flat)):
        return "string", np.asarray(array, dtype=object, order="C")
    if kind == "S":
        return "bytes", array
    # `ascontiguousarray` would make a vector of a scalar.
    return array.dtype.name, np.asarray(array, dtype=array.dtype.newbyteorder("<"), order="C")


def dtype_of(tensor: Tensor) -> str:
    return "string" if tensor.dtype == object else tensor.dtype.name


def compact_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def encode_inline(tensor: Tensor) -> dict[str, Any]:
    """A tensor as the JSON of a request."""
    if tensor.dtype == object:
        return {"dtype": "string", "shape": tensor.shape, "data": tensor.reshape(-1).tolist()}
    encoded = base64.b64encode(tensor.tobytes()).decode("ascii")
    return {"dtype": tensor.dtype.name, "shape": tensor.shape, "base64": encoded}


def decode_inline(name: str, tensor: Any) -> Tensor:
    """A tensor of an execution's output. Another program may have written it."""
    try:
        dtype, shape = tensor["dtype"], [operator.index(size) for size in tensor["shape"]]
        if min(shape, default=0) < 0:
            raise ValueError(f"a size of {min(shape)}")
        if dtype == "string":
            return _string_tensor(shape, tensor["data"])
        if dtype not in NUMERIC_DTYPES:
            raise ValueError("another dtype")
        # A bytearray makes the array writable.
        data = bytearray(base64.b64decode(tensor["base64"], validate=True))
        return np.frombuffer(data, dtype=np.dtype(dtype).newbyteorder("<")).reshape(shape)
    except (KeyError, TypeError, ValueError) as error:
        raise invalid_output(f"a tensor as '{name}'", f"a malformed one ({error})") from error


def _string_tensor(shape: Sequence[int], items: Any) -> Tensor:
    if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
        raise TypeError("strings that are no list of str")
    tensor = np.empty(len(items), dtype=object)
    tensor[:] = items
    return tensor.reshape(tuple(shape))


def encode_file(tensors: Mapping[str, Tensor]) -> bytes:
    """A safetensors file. Strings and checksums are in its metadata."""
    metadata = {HEADER_CRC32: NO_CRC32.decode()}
    for name, tensor in tensors.items():
        if tensor.dtype == object:
            strings = {"shape": tensor.shape, "data": tensor.reshape(-1).tolist()}
            metadata[f"{STRING_TENSOR}{name}"] = compact_json(strings)
        else:
            metadata[f"{TENSOR_CRC32}{name}"] = _crc32(tensor.reshape(-1).view(np.uint8))
    numeric = {name: tensor for name, tensor in tensors.items() if tensor.dtype != object}
    file = safetensors.numpy.save(numeric, metadata=metadata)
    before, after = _around_header_crc32(_header_of(file))
    return b"".join((file[:8], before, _header_crc32(before, after), after, file[8 + len(_header_of(file)) :]))


def decode_file(file: bytes) -> dict[str, Tensor]:
    """The tensors of a safetensors file.

    Raises ``ChecksumMismatch`` if they do not have the file's checksums, and ``MalformedFile`` or the error of
    ``safetensors`` if the bytes are not such a file.
    """
    try:
        return _decoded(file)
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise MalformedFile(
            f"the file must have named tensors of the pipeline's types, got others ({error!r})"
        ) from error


def _decoded(file: bytes) -> dict[str, Tensor]:
    header = _header_of(file)
    if _HEADER_CRC32_FIELD in header:
        before, after = _around_header_crc32(header)
        expected, got = header[len(before) : -len(after)], _header_crc32(before, after)
        if expected != got:
            raise ChecksumMismatch(f"the header must have the CRC32 {expected!r}, got {got!r}")
    described = json.loads(header)
    metadata: dict[str, str] = described.pop("__metadata__", {})
    tensors: dict[str, Tensor] = dict(safetensors.numpy.load(file))
    data = memoryview(file)[8 + len(header) :]
    for name, tensor in described.items():
        begin, end = tensor["data_offsets"]
        recorded, computed = metadata.get(f"{TENSOR_CRC32}{name}"), _crc32(data[begin:end])
        if recorded not in (None, computed):
            raise ChecksumMismatch(f"tensor '{name}' must have the CRC32 {recorded}, got {computed}")
    for key, text in metadata.items():
        if key.startswith(STRING_TENSOR):
            strings = json.loads(text)
            tensors[key.removeprefix(STRING_TENSOR)] = _string_tensor(strings["shape"], strings["data"])
    return tensors


_HEADER_CRC32_FIELD = f'"{HEADER_CRC32}":"'.encode()
"""JSON has no bare quotation marks inside of strings, so this is no part of a name."""


def _header_of(file: bytes) -> bytes:
    return file[8 : 8 + int.from_bytes(file[:8], "little")]


def _around_header_crc32(header: bytes) -> tuple[bytes, bytes]:
    place = header.index(_HEADER_CRC32_FIELD) + len(_HEADER_CRC32_FIELD)
    return header[:place], header[place + len(NO_CRC32) :]


def _header_crc32(before: bytes, after: bytes) -> bytes:
    return _crc32(before + NO_CRC32 + after).encode()


def _crc32(data: Any) -> str:
    return f"{zlib.crc32(data):08x}"
