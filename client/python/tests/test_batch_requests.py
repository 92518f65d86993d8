"""Requests that a batch gets from its caller: they go into one list, and large arrays beside it."""

import json
import re
import threading
import urllib.parse

import numpy as np
import pytest
from conftest import EXECUTION, Answer, X, error, raised, s3_error
from test_batch import machine

from sliced_inference import InferenceError, batch_requests
from sliced_inference.tensors import decode_file, decode_inline

INPUTS = [{"name": "x", "dtype": "float32", "shape": ["n"]}]
ITEMS = {"kind": "jsonLines", "bucket": "bucket", "location": "lists/a.jsonl", "folder": "lists/"}
LARGE = np.arange(28_800, dtype=np.float32)
"""In base64, it has 150 KiB."""


@pytest.fixture
def batch(aws):
    def begin(requests, script=None, signature=None, **options):
        answers = {
            "DescribeStateMachine": [machine(**{"items": ITEMS, "inputs": INPUTS, **(signature or {})})],
            "CreateMultipartUpload": [Answer(b"<R><UploadId>upload</UploadId></R>")],
            "UploadPart": [Answer()],
            "CompleteMultipartUpload": [Answer(b"<CompleteMultipartUploadResult/>")],
            "AbortMultipartUpload": [Answer()],
        }
        aws.begin({**answers, **(script or {})})
        return aws.model().batch(requests=requests, **options)

    return begin


def put(aws, operation="PutObject"):
    """What was put, by key."""
    found = {}
    for path, body in aws.requests.get(operation, ()):
        key = urllib.parse.unquote(urllib.parse.urlsplit(path).path).removeprefix("/bucket/").removeprefix("/")
        found[key] = found.get(key, b"") + unchunked(body)
    return found


def unchunked(body):
    """Without the lengths and checksums that boto3 sends between the chunks of a body."""
    rest, content = body, b""
    while (head := re.match(rb"([0-9a-f]+)\r\n", rest)) is not None:
        size = int(head[1], 16)
        content += rest[head.end() : head.end() + size]
        rest = rest[head.end() + size + 2 :]
    return content or body


def lines(aws, operation="PutObject"):
    key = json.loads(aws.requests["StartExecution"][0]["input"])["items"]
    return key, [json.loads(line) for line in put(aws, operation)[key].splitlines()]


def values(line):
    return decode_inline("x", line["inputs"]["tensors"]["x"]).tolist()


def test_requests_go_into_one_object_with_their_ids(aws, batch):
    run = batch([{"x": X}, ("b", {"x": [3.0]})])
    assert run.execution_arn == f"{EXECUTION}run"
    assert aws.calls == ["DescribeStateMachine", "PutObject", "StartExecution"]
    key, found = lines(aws)
    assert re.fullmatch(r"lists/[0-9a-f-]{36}\.jsonl", key)
    assert [line.get("id") for line in found] == [None, "b"]
    assert [values(line) for line in found] == [[0, 1, 2], [3]]
    assert [list(line) for line in found] == [["inputs"], ["id", "inputs"]]


@pytest.mark.parametrize(
    ("dtype", "given", "numbers"),
    [
        ("int64", [101, -7], [101, -7]),
        ("uint32", [9, 9], [9, 9]),
        ("int32", [2**31 - 1, -(2**31)], None),
        ("int64", [2**31 + 1, 0, 0, 0], None),
        ("uint64", [2**64 - 1, 0, 0, 0], None),
        ("int16", [0, 1], None),
        ("float64", [0, 1], None),
    ],
)
def test_integers_are_numbers_where_that_is_shorter(aws, batch, dtype, given, numbers):
    array = np.array(given, dtype=dtype)
    batch([{"x": array}], signature={"inputs": [{"name": "x", "dtype": dtype, "shape": ["n"]}]})
    inline = lines(aws)[1][0]["inputs"]["tensors"]["x"]
    assert inline.get("data") == numbers
    assert ("base64" in inline) == (numbers is None)
    assert inline["dtype"] == dtype


def test_requests_may_be_the_items_of_a_dict_or_come_from_a_generator(aws, batch):
    batch({"a": {"x": X}, "b": {"x": X + 1}}.items(), items="lists/mine.jsonl")
    key, found = lines(aws)
    assert (key, [line["id"] for line in found]) == ("lists/mine.jsonl", ["a", "b"])
    batch({"x": X + at} for at in range(100))
    assert [values(line)[0] for line in lines(aws)[1]] == list(range(100))


def test_requests_may_have_numbers_as_names(aws, batch):
    batch({0: {"x": X}, 7: {"x": X}}.items())
    assert [line["id"] for line in lines(aws)[1]] == ["0", "7"]


def test_large_requests_go_up_side_by_side_in_bounded_memory(aws, batch):
    at_once = threading.Barrier(batch_requests.LARGE_AT_ONCE)
    large, waiting = 2 * batch_requests.LARGE_AT_ONCE, []

    def answer(request):
        if ".safetensors" in request[0]:
            # It breaks if requests are sent one after the other.
            at_once.wait(20)
        return Answer()

    def requests():
        array = LARGE.copy()
        for at in range(large):
            waiting.append(at - aws.calls.count("PutObject"))
            # Callers may use an array again.
            array[:] = at
            yield str(at), {"x": array}

    batch(requests(), {"PutObject": [answer]})
    found = put(aws)
    assert [decode_file(found[line["inputs"]["s3"]])["x"][0] for line in lines(aws)[1]] == [*range(large)]
    assert max(waiting) <= batch_requests.LARGE_AT_ONCE


def test_an_upload_that_fails_names_its_request(batch):
    requests = [{"x": X}, {"x": LARGE}, {"x": X}]
    script = {"PutObject": [s3_error("AccessDenied", 403)]}
    found = raised(InferenceError, "AccessDenied", lambda: batch(requests, script))
    assert found.message.startswith("request 1: ")


def test_a_long_list_goes_in_parts(aws, batch, monkeypatch):
    monkeypatch.setattr(batch_requests, "PART_BYTES", 200)
    batch({"x": X + at} for at in range(7))
    paths = [path for path, _ in aws.requests["UploadPart"]]
    assert [re.search(r"partNumber=(\d+)", path)[1] for path in paths] == [str(1 + at) for at in range(len(paths))]
    assert len(paths) > 2
    assert [values(line)[0] for line in lines(aws, "UploadPart")[1]] == list(range(7))
    assert aws.counts("CompleteMultipartUpload", "AbortMultipartUpload", "PutObject") == (1, 0, 0)


def test_arrays_that_do_not_fit_into_a_line_are_objects(aws, batch):
    batch([("large", {"x": LARGE}), {"x": LARGE[:-100]}])
    (large, full) = lines(aws)[1]
    key = large["inputs"]["s3"]
    assert large == {"id": "large", "inputs": {"s3": key}}
    assert re.fullmatch(r"inputs/[0-9a-f-]{36}\.safetensors", key)
    np.testing.assert_array_equal(decode_file(put(aws)[key])["x"], LARGE)
    assert values(full) == LARGE[:-100].tolist()


def test_json_goes_to_the_preprocess_function(aws, batch):
    batch([{"text": "é"}, ("b", {"text": "b"})], signature={"preprocess": True})
    assert lines(aws)[1] == [{"text": "é"}, {"text": "b", "id": "b"}]


@pytest.mark.parametrize(
    ("requests", "message", "signature"),
    [
        ([], "must have requests, got none: pass at least one", {}),
        ([{"x": X}, {}], "request 1: input 'x' .* is missing", {}),
        ([("a", {"x": X}, 1)], "request 0: .* dicts of arrays, got tuple: pass", {}),
        ([("", {"x": X})], "request 0: .* ids that are texts or numbers, got ''", {}),
        ([(True, {"x": X})], "request 0: .* ids that are texts or numbers, got True", {}),
        ([(b"a", {"x": X})], "request 0: .* ids that are texts or numbers, got b'a'", {}),
        ([{}, "x"], "request 1: .* dicts, got str: pass", {"preprocess": True}),
        ([{}, {"x": X}], "request 1: .* JSON values, got another", {"preprocess": True}),
        ([{"x": "x" * 92_160}], "request 0: .* at most 92160 bytes as JSON, got 92168", {"preprocess": True}),
        (
            [{"x": X}],
            "a batch of one object of JSON Lines, got one of csv: set its items",
            {"items": {**ITEMS, "kind": "csv"}},
        ),
        ([{"x": X}], "got one of jsonLines below lists/: set its items", {"items": {**ITEMS, "location": "lists/"}}),
    ],
)
def test_says_which_requests_do_not_fit(aws, batch, requests, message, signature):
    script = {"DescribeStateMachine": [machine(**{"items": ITEMS, "inputs": INPUTS, **signature})]}
    assert raised(InferenceError, message, lambda: batch(requests, script)).name == "InvalidInput"
    assert aws.calls == ["DescribeStateMachine"]


def test_requests_start_a_batch(batch):
    with pytest.raises(ValueError, match="requests must start a batch, got execution_arn too"):
        batch([{"x": X}], execution_arn=f"{EXECUTION}run")


@pytest.mark.parametrize("operation", ["UploadPart", "CompleteMultipartUpload"])
def test_a_long_list_is_given_up_if_a_request_fails(aws, batch, monkeypatch, operation):
    monkeypatch.setattr(batch_requests, "PART_BYTES", 200)
    script = {operation: [s3_error("AccessDenied", 403)], "AbortMultipartUpload": [s3_error("AccessDenied", 403)]}
    found = raised(InferenceError, operation, lambda: batch(({"x": X} for _ in range(9)), script))
    assert found.name == "AccessDenied"
    assert aws.counts("AbortMultipartUpload", "StartExecution") == (1, 0)


def test_a_long_list_is_given_up_if_the_caller_fails(aws, batch, monkeypatch):
    monkeypatch.setattr(batch_requests, "PART_BYTES", 200)

    def requests():
        for _ in range(9):
            yield {"x": X}
        raise KeyError("no more")

    with pytest.raises(KeyError, match="no more"):
        batch(requests())
    assert aws.counts("AbortMultipartUpload", "StartExecution") == (1, 0)


def test_the_list_is_put_before_the_batch_starts(aws, batch):
    raised(
        InferenceError,
        "StateMachineDoesNotExist",
        lambda: batch([{"x": X}], {"StartExecution": [error("StateMachineDoesNotExist")]}),
    )
    assert aws.calls[-2:] == ["PutObject", "StartExecution"]
