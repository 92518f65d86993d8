"""Batches: how they start, how far they are, what they return, and what is refused."""

import json
import threading

import pytest
from conftest import ARN, EXECUTION, LOST, RUNNING, Answer, X, described, error, raised

from sliced_inference import InferenceCancelledError, InferenceError
from sliced_inference.tensors import encode_file

RESULTS = "outputs/nightly-1a2b/"
SIGNATURE = {
    **{"version": 1, "deploymentDigest": "digest", "bucket": "bucket", "resultsPrefix": RESULTS},
    "items": {"kind": "objects", "bucket": "bucket", "location": "inputs/docs/", "folder": "inputs/docs/"},
}
OUTPUT = {
    **{"version": 1, "deploymentDigest": "digest", "items": {"total": 4, "done": 2, "skipped": 1, "failed": 1}},
    "table": {"bucket": "bucket", "key": f"{RESULTS}tables/run.jsonl"},
}
FAILURE = {"error": "InvalidInput", "message": "convert it"}
ROWS = [
    {
        "index": 0,
        "item": "a",
        "status": "done",
        "result": f"{RESULTS}a.safetensors",
        "ms": 10,
        "processors": ["arm64"],
        "attempt": 1,
    },
    {"index": 1, "item": "é", "status": "skipped", "result": f"{RESULTS}b.json", "attempt": 1},
    {"index": 2, "item": "c", "status": "done", "result": f"{RESULTS}c.json", "output": {"label": 7}, "attempt": 1},
    {"index": 3, "item": "d", "status": "failed", "failure": FAILURE, "attempt": 2},
]
FILES = {"a.safetensors": encode_file({"y": X}), "b.json": b'{"label": 5}'}


def machine(**changes):
    return described("STANDARD", {"Comment": json.dumps({"inferenceBatch": {**SIGNATURE, **changes}})})


def succeeded(**changes):
    return Answer(
        {"executionArn": f"{EXECUTION}run", "status": "SUCCEEDED", "output": json.dumps({**OUTPUT, **changes})}
    )


def ended(status, **about):
    return Answer({"executionArn": f"{EXECUTION}run", "status": status, **about})


@pytest.fixture
def batch(aws, monkeypatch):
    """Starts a batch for a script of AWS, with a table of these rows."""
    monkeypatch.setattr("sliced_inference.batch.PART_BYTES", 64)

    def begin(script=None, rows=ROWS, **options):
        table = "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows).encode()

        def read(request):
            name = request.partition("?")[0].rpartition("/")[2]
            return Answer(FILES[name]) if name in FILES else Answer(table)

        success = {
            "DescribeStateMachine": [machine()],
            "DescribeExecution": [RUNNING, succeeded()],
            "GetObject": [read],
        }
        aws.begin({**success, "ListMapRuns": [Answer({"mapRuns": []})], **(script or {})})
        return aws.model().batch(**options)

    return begin


def test_a_batch_starts_once_although_the_answer_was_lost(aws, batch):
    script = {"StartExecution": [LOST, error("ExecutionAlreadyExists")]}
    arn = batch(script, items="inputs/docs/november/").execution_arn
    first, second = aws.requests["StartExecution"]
    assert (first, first["input"]) == (second, '{"items": "inputs/docs/november/"}')
    assert arn == EXECUTION + first["name"]


@pytest.mark.parametrize("end", [succeeded(), ended("FAILED", error="TooManyFailures", cause="2 of 4 failed")])
def test_rows_come_in_order_and_read_their_results(batch, end):
    rows = list(batch({"DescribeExecution": [RUNNING, end]}).rows())
    assert [(row.index, row.item, row.status) for row in rows] == [
        (row["index"], row["item"], row["status"]) for row in ROWS
    ]
    assert [row.processors for row in rows] == [["arm64"], [], [], []]
    assert rows[0].read()["y"].tolist() == X.tolist()
    assert (rows[1].read(), rows[2].read()) == ({"label": 5}, {"label": 7})
    assert raised(InferenceError, "the item 'd' failed: convert it", rows[3].read).name == "InvalidInput"


def test_progress_ends_with_the_execution(batch):
    counts = {"total": 9, "succeeded": 5, "failed": 1, "timedOut": 1, "aborted": 0, "running": 1, "pending": 1}
    runs = [Answer({"mapRuns": []}), Answer({"mapRuns": [{"mapRunArn": "the-map-run"}]})]
    first, last = batch({"ListMapRuns": runs, "DescribeMapRun": [Answer({"itemCounts": counts})]}).progress()
    assert (first.total, first.ends_at) == (0, None)
    assert (last.total, last.done, last.failed, last.running, last.pending) == (9, 5, 2, 1, 1)
    assert last.per_second > 0
    assert last.ends_at is not None


def test_a_batch_that_is_attached_to_is_not_started(aws, batch):
    run = batch(execution_arn=f"{EXECUTION}run")
    assert run.result()["items"]["total"] == 4
    run.stop()
    assert aws.counts("StartExecution", "StopExecution") == (0, 1)


@pytest.mark.parametrize(
    ("end", "name", "message"),
    [
        (ended("FAILED", error="NoItems", cause="got none: check it"), "NoItems", ": got none: check it$"),
        (ended("ABORTED"), "ExecutionAborted", "must succeed, got stopped: start it again"),
        (ended("FAILED", error="E", cause="c"), "E", "got c: start it again"),
    ],
)
def test_a_failure_says_what_to_do(batch, end, name, message):
    assert raised(InferenceError, message, batch({"DescribeExecution": [end]}).result).name == name


@pytest.mark.parametrize(
    ("script", "options", "kind", "message"),
    [
        ({}, {"items": "outputs/"}, InferenceError, "items must be below 'inputs/docs/' in bucket, got 'outputs/'"),
        ({}, {"state_machine_arn": ARN.replace("eu-west-1", "us-east-1")}, ValueError, "must be in the region eu-w"),
        ({"DescribeStateMachine": [machine(version=2)]}, {}, InferenceError, "of version 1, got 2"),
        ({"StartExecution": [error("ExecutionAlreadyExists")]}, {"name": "old"}, InferenceError, "AlreadyExists"),
    ],
)
def test_a_batch_is_refused(batch, script, options, kind, message):
    raised(kind, message, lambda: batch(script, **options))


@pytest.mark.parametrize(
    ("script", "rows"),
    [
        ({"DescribeExecution": [succeeded(version=2)]}, ROWS),
        ({"DescribeExecution": [succeeded(table={"bucket": "bucket", "key": f"{RESULTS}x"})]}, ROWS),
        ({}, [{**ROWS[0], "result": f"{RESULTS}../x"}]),
        ({}, [{"index": 0}]),
        ({}, [{**ROWS[0], "processors": 7}]),
        ({}, [{**ROWS[0], "index": 5}, {**ROWS[1], "index": 2}]),
        ({}, [{**ROWS[0], "index": 2}, {**ROWS[1], "index": 2}]),
        *(({}, [{**ROWS[0], "index": index}]) for index in (-1, "x", True, 0.5)),
        *(({}, [{**ROWS[0], **bad}]) for bad in ({"attempt": None}, {"item": 7}, {"status": "lost"})),
    ],
)
def test_malformed_output_is_refused(batch, script, rows):
    error = raised(InferenceError, "the output of the execution must have", lambda: list(batch(script, rows).rows()))
    assert error.name == "InvalidOutput"


def test_cancel_ends_the_wait_and_not_the_batch(aws, batch):
    cancel = threading.Event()
    run = batch({"DescribeExecution": [RUNNING]}, cancel=cancel)
    aws.on["DescribeExecution"] = cancel.set
    end = raised(InferenceCancelledError, "the batch goes on", run.result)
    assert end.execution_arn == run.execution_arn
    assert "StopExecution" not in aws.calls
