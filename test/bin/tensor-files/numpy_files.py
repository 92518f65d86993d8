"""Writes random arrays as NumPy does, with what they must decode to, and compares the project's files with what they must hold.

`write FOLDER` writes `*.npy`, `*.npz` and `expected.json`. `read FOLDER` reads `ours.npz` and prints its tensors.
"""

import base64
import json
import pathlib
import random
import sys

import numpy as np

NUMERIC = "f4 f8 f2 i1 i2 i4 i8 u1 u2 u4 u8 b1".split()


def described(array):
    """A tensor as JSON: numbers as base64 of their little-endian bytes in C order."""
    shape = list(array.shape)
    if array.dtype.kind == "U":
        return {"dtype": "string", "shape": shape, "data": array.reshape(-1).tolist()}
    if array.dtype.kind == "S":
        return {"dtype": "string", "shape": shape, "data": [item.decode() for item in array.reshape(-1).tolist()]}
    little = array.astype(array.dtype.newbyteorder("<"))
    return {"dtype": array.dtype.name, "shape": shape, "base64": base64.b64encode(little.tobytes("C")).decode()}


def random_array(numbers):
    shape = tuple(numbers.choice([0, 1, 2, 3, 5]) for _ in range(numbers.randrange(5)))
    count = int(np.prod(shape))
    kind = numbers.choice([*NUMERIC, "U", "S"])
    if kind in "US":
        words = [numbers.choice(["", "a", "ü", "日本", "\N{GRINNING FACE}", "x" * 9]) for _ in range(count)]
        flat = np.array(words, dtype="U") if kind == "U" else np.array([word.encode() for word in words], dtype="S")
        if kind == "U" and numbers.random() < 0.5:
            flat = flat.astype(flat.dtype.newbyteorder(">"))
    else:
        dtype = np.dtype(numbers.choice("<>") + kind)
        data = bytes(numbers.randrange(2 if kind == "b1" else 256) for _ in range(count * dtype.itemsize))
        flat = np.frombuffer(data, dtype=dtype)
    array = flat.reshape(shape)
    return np.asfortranarray(array) if numbers.random() < 0.5 else array


def write(folder):
    numbers = random.Random(1)
    expected, named = {}, {}
    for index in range(300):
        array = random_array(numbers)
        with open(folder / f"{index}.npy", "wb") as file:
            np.lib.format.write_array(file, array, version=numbers.choice([None, (1, 0), (2, 0), (3, 0)]))
        expected[f"{index}.npy"] = {"x": described(array)}
        named[f"tensor {index} \N{GREEK SMALL LETTER ALPHA}"] = array
    np.savez(folder / "all.npz", **named)
    np.savez_compressed(folder / "packed.npz", **named)
    for name in ("all.npz", "packed.npz"):
        expected[name] = {key: described(array) for key, array in named.items()}
    (folder / "expected.json").write_text(json.dumps(expected))


def read(folder):
    with np.load(folder / "ours.npz") as arrays:
        print(json.dumps({name: described(arrays[name]) for name in arrays.files}))


{"write": write, "read": read}[sys.argv[1]](pathlib.Path(sys.argv[2]))
