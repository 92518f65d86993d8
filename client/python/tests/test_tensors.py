"""Inputs, requests, results and the functions around the model, without a pipeline."""

import array
import json
import re

import botocore.exceptions
import numpy as np
import pytest
from conftest import IN_S3, RUN, Answer, ended_with, machine, output_of, raised

from sliced_inference import InferenceError, handlers, results, tensors
from sliced_inference.execution import parse_failure_cause
from sliced_inference.tensors import DAMAGE, NUMERIC_DTYPES, decode_file, decode_inline, encode_file, encode_inline


def sent(aws, dtype, value, shape=("n",)):
    """The tensor that a pipeline with one input gets for a value."""
    aws.begin({"DescribeStateMachine": [machine(inputs=("x", dtype, shape))]})
    aws.infer(value)
    return decode_inline("x", json.loads(aws.requests["StartExecution"][0]["input"])["inputs"]["tensors"]["x"])


class Holder:
    def __init__(self, value):
        self._value = value

    def __array__(self, dtype=None, copy=None):
        return self._value


MASKED = np.ma.masked_array(np.ones(3, np.float32), mask=[1, 0, 0])


@pytest.mark.parametrize(
    ("dtype", "value"),
    [
        ("float32", [1, -0.0]),
        ("float16", [65504.0, 2**-24]),
        ("float64", (1e308, float("nan"))),
        ("int32", []),
        ("int64", [2**63 - 1, -(2**63)]),
        ("uint64", [2**64 - 1, 2**53 + 1]),
        ("bool", [True, False]),
        ("string", ["a", "ü"]),
        ("int8", [np.int8(1), -128]),
        ("float32", np.arange(6, dtype=np.float32)[::-2]),
        ("int64", np.array([1, 2, 3], dtype=">i8")),
        ("float64", np.asfortranarray(np.arange(6.0).reshape(3, 2))[:, 1]),
        ("int32", array.array("i", [1, 2, 3])),
        ("string", np.array(["a", "b\N{GREEK SMALL LETTER ALPHA}", ""])),
        ("float32", Holder(np.ones(2, np.float32))),
    ],
)
def test_values_keep_their_elements(aws, dtype, value):
    got, expected = sent(aws, dtype, value), np.array(value, dtype=object if dtype == "string" else dtype)
    assert (got.dtype, got.shape) == (expected.dtype, expected.shape)
    assert got.tolist() == expected.tolist() or got.tobytes() == expected.tobytes()


def test_an_empty_list_takes_the_sizes_that_it_does_not_show(aws):
    assert sent(aws, "float32", [], ["n", 3]).shape == (0, 3)
    assert sent(aws, "float32", 7, None).shape == ()


@pytest.mark.parametrize(
    ("dtype", "value", "message"),
    [
        ("float32", np.zeros(2, np.int32), "expects float32[n], got int32[2]: convert it or check the input's name"),
        ("int64", np.zeros(2), "expects int64[n], got float64[2]"),
        ("float16", np.zeros((1, 2), np.float32), "expects float16[n], got float32[1,2]"),
        ("uint8", [[1, 2]], "expects uint8[n], got uint8[1,2]"),
        ("uint8", 1, "expects uint8[n], got uint8[]"),
        ("string", np.array([b"a", b"b"]), "expects string[n], got bytes[2]"),
        ("string", np.array(["a", None], dtype=object), "expects string[n], got object[2]"),
        ("string", ["a\0"], "expects strings without NUL and lone surrogates"),
        ("string", ["\ud800"], "expects strings without NUL and lone surrogates"),
        ("bool", np.array([2], np.uint8).view(bool), "expects bools that are bytes of 0 and 1"),
        ("float32", MASKED, "expects an array with all of its values, got a masked array"),
        ("float32", Holder(MASKED), "expects an array with all of its values, got a masked array"),
        ("float32", [MASKED[1], MASKED[0]], "expects arrays with all of their values, got a masked array"),
    ],
)
def test_inputs_that_do_not_fit_are_refused_before_anything_is_sent(aws, dtype, value, message):
    message = f"^InvalidInput: input 'x' {re.escape(message)}"
    caught = raised(InferenceError, message, lambda: sent(aws, dtype, value))
    assert (caught.tensor, caught.execution_arn) == ("x", None)
    assert aws.calls == ["DescribeStateMachine"]


@pytest.mark.parametrize(
    ("dtype", "items"),
    [
        ("string", [1, b"a"]),
        ("int8", [128, -129]),
        ("int64", [2**63, 1.5, True, [1]]),
        ("uint64", [-1, 2**64]),
        ("float16", [65520]),
        ("float32", [1e39, "2", [1, 2]]),
        ("float64", [10**400]),
        ("bool", [1]),
    ],
)
def test_lists_of_what_the_model_cannot_hold_are_refused(aws, dtype, items):
    message = f"expects elements that {dtype} can hold, in lists of the same length side by side, got others"
    good = {"string": "a", "bool": True}.get(dtype, 1)
    for item in items:
        raised(InferenceError, message, lambda: sent(aws, dtype, [good, item]))  # noqa: B023


CIRCLE = []
CIRCLE.append(CIRCLE)


@pytest.mark.parametrize(
    ("call", "request_", "message"),
    [
        ("infer", {}, r"input 'x' float32\[n\] is missing: the request has no tensors"),
        ("infer", {"X": [1]}, "the model has no input 'X': it takes 'x'"),
        ("invoke", "a" * 300_000, "at most 262144 bytes of JSON, got 300002: put large parts into S3"),
        ("invoke", {1, 2}, "a JSON value, got another .*set"),
        ("invoke", float("nan"), "a JSON value, got another .*JSON"),
        ("invoke", CIRCLE, "a JSON value, got another .*Circular"),
        ("invoke", "\ud800", "a JSON value, got another .*surrogates"),
    ],
    ids=["missing", "unknown", "large", "set", "nan", "circle", "surrogate"],
)
def test_unsuitable_requests_are_refused(aws, call, request_, message):
    raised(InferenceError, f"^InvalidInput: .*{message}", lambda: getattr(aws.model(), call)(request_))
    raised(ValueError, "results must be one of auto, s3, inline, got 'no'", lambda: aws.infer(results="no"))
    assert set(aws.calls) <= {"DescribeStateMachine"}


def changed(*path, to=None):
    """The output of an execution with another value, or with none."""
    output = parent = json.loads(json.dumps(output_of()))
    for name in path[:-1]:
        parent = parent[name]
    del parent[path[-1]]
    parent |= {} if to is None else {path[-1]: to}
    return output


TENSOR = ("outputs", "tensors", "y")
STRINGS = {"dtype": "string", "shape": [1], "data": [1]}


@pytest.mark.parametrize(
    ("output", "message"),
    [
        ([], "a JSON object of version 1, got another"),
        (changed("outputs", to={}), "s3 as dict, got none"),
        (changed("outputs", "s3", "key"), "key as str, got none"),
        (changed("outputs", "s3", "bucket", to="other"), "results at bucket/outputs/.*, got other/"),
        (changed("outputs", "s3", "key", to="outputs/../x"), r"results at .*, got bucket/outputs/\.\./x"),
        (changed("run", to="other/run"), "the run Test/run of its execution, got 'other/run'"),
        (changed("deploymentDigest"), "deploymentDigest as str, got none"),
        (changed(*TENSOR, "base64"), "a tensor as 'y', got a malformed one"),
        (changed(*TENSOR, "dtype", to="complex64"), "malformed one .*another dtype"),
        (changed(*TENSOR, "shape", to=[7]), "malformed one .*cannot reshape"),
        (changed(*TENSOR, "shape", to=[-1]), "malformed one .*a size of -1"),
        (changed(*TENSOR, to=STRINGS), "malformed one .*no list of str"),
        (changed(*TENSOR), "the tensors {'y': 'float32'}"),
    ],
)
def test_outputs_that_are_not_those_of_a_pipeline_are_refused(aws, output, message):
    aws.begin({"DescribeExecution": [ended_with(output)]})
    caught = raised(InferenceError, f"^InvalidOutput: .*{message}", aws.infer)
    assert caught.execution_arn.startswith("arn:aws:states:")


FILE = {"y": np.array([[1, 2]], np.float32), "s": np.array(["a", "ü"], dtype=object), "n": np.array(7)}


def assert_file(found):
    for name, tensor in FILE.items():
        assert (found[name].dtype, found[name].tolist()) == (tensor.dtype, tensor.tolist())


def test_a_bit_that_is_flipped_never_makes_other_arrays():
    file = encode_file(FILE)
    refused = 0
    for at in range(8 * len(file)):
        damaged = bytearray(file)
        damaged[at // 8] ^= 1 << at % 8
        try:
            # If the name of the header's checksum is damaged, the tensors have theirs.
            assert_file(decode_file(bytes(damaged)))
        except DAMAGE:
            refused += 1
    assert refused > 8 * len(file) - 8 * len("header_crc32") - 8
    flipped = file[:-1] + bytes([file[-1] ^ 1])
    raised(tensors.MalformedFile, "tensor '.*' must have the CRC32", lambda: decode_file(flipped))


@pytest.mark.parametrize("header", ['"text"', "[]", "7", "null", '{"__metadata__": "text"}', "[" * 100_000, None])
def test_files_that_are_none_are_refused(header):
    text = (header or "").encode()
    with pytest.raises(DAMAGE):
        decode_file(len(text).to_bytes(8, "little") + text if header else b"")


def test_damaged_results_are_read_again_and_then_refused(aws, monkeypatch):
    monkeypatch.setattr(results, "LONGEST_PAUSE", 0)
    whole = encode_file({"y": np.arange(3, dtype=np.float32)})
    damaged = Answer(whole[:-1] + bytes([whole[-1] ^ 1]))
    for good in (True, False):
        answers = [damaged, Answer(whole[:-9]), Answer(whole) if good else damaged]
        aws.begin({"DescribeExecution": [IN_S3], "GetObject": answers})
        if good:
            assert aws.infer().outputs["y"].flags.writeable
        else:
            raised(InferenceError, "^CorruptTensor: .* in 3 reads: tensor 'y' must have the CRC32", aws.infer)
        assert aws.counts("GetObject") == (3,)


def test_handlers_make_requests_of_arrays_in_any_layout(objects):
    arrays = {dtype: np.array([[0, 1]], dtype=np.dtype(dtype).newbyteorder(">")) for dtype in NUMERIC_DTYPES}
    arrays |= {"string": np.array([["a"], ["ü"]]), "scalar": np.float32(2), "turned": np.arange(6.0).reshape(2, 3).T}
    inline = json.loads(json.dumps(handlers.request(arrays)))["inputs"]["tensors"]
    large = handlers.request({**arrays, "large": np.zeros(100_000, np.float32)})
    stored = decode_file(objects[large["inputs"]["s3"]])
    for name, value in arrays.items():
        assert stored[name].tolist() == decode_inline(name, inline[name]).tolist() == value.tolist()
        assert inline[name]["shape"] == list(value.shape)
    assert inline["float32"] == {"dtype": "float32", "shape": [1, 2], "base64": "AAAAAAAAgD8="}
    for value in (np.zeros(1, np.complex64), np.array([b"a"]), np.array(["a", None]), MASKED, Holder(MASKED)):
        raised(InferenceError, "^InvalidInput: .* expects an array ", lambda: handlers.request({"x": value}))  # noqa: B023


def test_handlers_read_results_of_their_bucket_and_run(objects, monkeypatch):
    def output(key=f"outputs/{RUN}.safetensors", bucket="bucket", **outputs):
        return {**output_of(), "outputs": {"s3": {"bucket": bucket, "key": key}, **outputs}}

    objects[f"outputs/{RUN}.safetensors"] = encode_file(FILE)
    assert_file(handlers.outputs(output()))
    inline = {name: encode_inline(tensor) for name, tensor in FILE.items()}
    assert_file(handlers.outputs(output(tensors=json.loads(json.dumps(inline)))))
    for other in (output(bucket="another"), output(key="outputs/other.safetensors")):
        raised(InferenceError, "^InvalidOutput: .* results at ", lambda: handlers.outputs(other))  # noqa: B023
    broken = [botocore.exceptions.IncompleteReadError(actual_bytes=1, expected_bytes=2), encode_file(FILE)]
    objects[f"outputs/{RUN}.safetensors"] = broken
    assert_file(handlers.outputs(output()))
    objects[f"outputs/{RUN}.safetensors"] = [encode_file(FILE)[:-1]] * 3
    raised(InferenceError, "^CorruptTensor: .* in 3 reads: ", lambda: handlers.outputs(output()))
    monkeypatch.delenv("SLICED_INFERENCE_BUCKET")
    message = "must have the variable SLICED_INFERENCE_BUCKET"
    raised(InferenceError, message, lambda: handlers.outputs(output()))


@pytest.mark.parametrize(
    ("error", "name", "message"),
    [
        (KeyError("values"), "KeyError", "'values'"),
        (InferenceError("InvalidOutput", "the results"), "InvalidOutput", "the results"),
        (type("SliceFailed", (Exception,), {})("mine"), "HandlerError", "SliceFailed: mine"),
        (ValueError("two\n lines\x1b[31m\x00\x9b!"), "ValueError", "two lines [31m !"),
        (ValueError("a" * 501), "ValueError", "a" * 499 + "…"),
        (ValueError(), "ValueError", "ValueError"),
    ],
)
def test_failures_of_handlers_have_their_step_and_one_line(error, name, message):
    @handlers.step("postprocess")
    def fail(event, context):
        raise error

    caught = raised(Exception, None, lambda: fail({}, None))
    assert type(caught).__name__ == name
    cause = json.dumps({"errorMessage": str(caught), "errorType": name})
    assert parse_failure_cause(cause) == {"step": "postprocess", "message": message}
