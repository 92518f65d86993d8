"""Tensors in JSON and in safetensors files, as the guide to requests and results describes both.

A tensor is an array in C order with little-endian numbers, or an array of objects, which are ``str``.
"""

import base64
import json
import operator
import re
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import safetensors
import safetensors.numpy
from numpy.typing import NDArray

from .errors import invalid_output

Tensor = NDArray[Any]

NUMERIC_DTYPES = (
    *("float32", "float64", "float16", "int8", "int16", "int32", "int64"),
    *("uint8", "uint16", "uint32", "uint64", "bool"),
)

STRING_TENSOR, TENSOR_CRC32 = "string_tensor.", "tensor_crc32."

# JSON has no bare quotation marks inside of strings, so this is no part of a name.
HEADER_CRC32 = re.compile(rb'("header_crc32":").{8}', re.DOTALL)


class MalformedFile(Exception):
    """A file's bytes are not the tensors of a pipeline, or not those that its writer has written."""


DAMAGE = (MalformedFile, safetensors.SafetensorError)
"""How ``decode_file`` fails."""


def compact_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def encode_inline(tensor: Tensor) -> dict[str, Any]:
    if tensor.dtype == object:
        return {"dtype": "string", **_elements(tensor)}
    encoded = base64.b64encode(tensor.tobytes()).decode("ascii")
    return {"dtype": tensor.dtype.name, "shape": tensor.shape, "base64": encoded}


MAX_NUMBER = 2**31
"""Smaller integers are exact in each interpreter of state machines, whether it has them as integers or as floats."""


def encode_shortest(tensor: Tensor) -> dict[str, Any]:
    """As ``encode_inline``, but 32- and 64-bit integers are ``data`` where that is shorter, as it is for token ids."""
    encoded = encode_inline(tensor)
    if tensor.dtype.kind not in "iu" or tensor.itemsize < 4:
        return encoded
    numbers = _elements(tensor)
    is_small = all(abs(number) <= MAX_NUMBER for number in numbers["data"])
    is_shorter = len(compact_json(numbers["data"])) < len(encoded["base64"])
    return {"dtype": tensor.dtype.name, **numbers} if is_small and is_shorter else encoded


def decode_inline(name: str, tensor: Any) -> Tensor:
    """A tensor of an execution's output. Another program may have written it."""
    try:
        dtype, shape = tensor["dtype"], [operator.index(size) for size in tensor["shape"]]
        if min(shape, default=0) < 0:
            raise ValueError(f"a size of {min(shape)}")
        if dtype == "string":
            return _string_tensor(tensor)
        if dtype not in NUMERIC_DTYPES:
            raise ValueError("another dtype")
        # A bytearray makes the array writable.
        data = bytearray(base64.b64decode(tensor["base64"], validate=True))
        return np.frombuffer(data, dtype=np.dtype(dtype).newbyteorder("<")).reshape(shape)
    except (KeyError, TypeError, ValueError) as error:
        raise invalid_output(f"a tensor as '{name}'", f"a malformed one ({error})") from error


def _elements(tensor: Tensor) -> dict[str, Any]:
    return {"shape": tensor.shape, "data": tensor.reshape(-1).tolist()}


def _string_tensor(strings: Mapping[str, Any]) -> Tensor:
    items = strings["data"]
    if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
        raise TypeError("strings that are no list of str")
    tensor = np.empty(len(items), dtype=object)
    tensor[:] = items
    return tensor.reshape(tuple(strings["shape"]))


def encode_file(tensors: Mapping[str, Tensor]) -> bytes:
    """A safetensors file. Strings and checksums are in its metadata."""
    metadata, numeric = {"header_crc32": "00000000"}, {}
    for name, tensor in tensors.items():
        if tensor.dtype == object:
            metadata[f"{STRING_TENSOR}{name}"] = compact_json(_elements(tensor))
        else:
            metadata[f"{TENSOR_CRC32}{name}"] = _crc32(tensor.reshape(-1).view(np.uint8))
            numeric[name] = tensor
    file = safetensors.numpy.save(numeric, metadata=metadata)
    header = _header_of(file)
    return b"".join((file[:8], _with_checksum(header), file[8 + len(header) :]))


def decode_file(file: bytes) -> dict[str, Tensor]:
    """The tensors of a safetensors file.

    Raises one of ``DAMAGE`` if the bytes are not such a file, or do not have the checksums that are in it.
    """
    header = _header_of(file)
    if _with_checksum(header) != header:
        raise MalformedFile("the header must have its CRC32, got another")
    try:
        described = json.loads(header)
        metadata: dict[str, str] = described.pop("__metadata__", {})
        tensors: dict[str, Tensor] = dict(safetensors.numpy.load(file))
        for name, tensor in described.items():
            begin, end = (8 + len(header) + offset for offset in tensor["data_offsets"])
            recorded, computed = metadata.get(f"{TENSOR_CRC32}{name}"), _crc32(memoryview(file)[begin:end])
            if recorded not in (None, computed):
                raise MalformedFile(f"tensor '{name}' must have the CRC32 {recorded}, got {computed}")
        for key, text in metadata.items():
            if key.startswith(STRING_TENSOR):
                tensors[key.removeprefix(STRING_TENSOR)] = _string_tensor(json.loads(text))
        return tensors
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        message = f"the file must have named tensors of the pipeline's types, got others ({error!r})"
        raise MalformedFile(message) from error


def _header_of(file: bytes) -> bytes:
    return file[8 : 8 + int.from_bytes(file[:8], "little")]


def _with_checksum(header: bytes) -> bytes:
    """The header with its CRC32, which is computed with zeros in its place. A header without a place stays as it is."""
    zeroed = HEADER_CRC32.sub(rb"\g<1>00000000", header, count=1)
    return HEADER_CRC32.sub(rb"\g<1>" + _crc32(zeroed).encode(), zeroed, count=1)


def _crc32(data: Any) -> str:
    return f"{zlib.crc32(data):08x}"
