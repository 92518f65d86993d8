"""Batches: how they start, how far they are, what they return, and what is refused."""

import json
import threading
import urllib.parse
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from conftest import ARN, EXECUTION, HANGS, LOST, RUNNING, Answer, X, described, error, raised, s3_error

from sliced_inference import BatchResult, InferenceCancelledError, InferenceError
from sliced_inference.tensors import encode_file

RESULTS = "outputs/nightly-1a2b/"
SIGNATURE = {
    **{"version": 1, "deploymentDigest": "digest", "bucket": "bucket", "resultsPrefix": RESULTS},
    "items": {"kind": "objects", "bucket": "bucket", "location": "inputs/docs/", "folder": "inputs/docs/"},
}
OUTPUT = {
    **{"version": 1, "deploymentDigest": "digest"},
    "items": {"total": 5, "done": 2, "skipped": 1, "failed": 1, "pending": 1},
    "table": {"bucket": "bucket", "key": f"{RESULTS}tables/run.jsonl"},
}
FAILURE = {"error": "InvalidInput", "message": "convert it"}


def result(name, entry):
    return {"key": f"{RESULTS}{name}", "entry": entry}


ROWS = [
    {
        **{"index": 0, "item": "a", "status": "done", "result": result("pack.safetensors", 1)},
        **{"ms": 10, "processors": ["arm64"]},
    },
    {"index": 1, "item": "é", "status": "skipped", "result": result("pack.jsonl", 1)},
    {"index": 2, "item": "c", "status": "done", "result": result("pack.jsonl", 0), "output": {"label": 7}},
    {"index": 3, "item": "d", "status": "failed", "failure": FAILURE},
    {"index": 4, "item": "e", "status": "pending"},
]
FILES = {
    "pack.safetensors": encode_file({"0/y": X + 1, "1/y": X, "1/text": np.array(["é"], object), "11/y": X + 2}),
    "pack.jsonl": b'{"digest": "0", "output": 4}\n{"digest": "1", "output": {"label": 5}}\n{"digest": "2"}\n',
}


def row_of(name, entry, index=0):
    return {"index": index, "item": "a", "status": "done", "result": result(name, entry)}


def machine(**changes):
    return described("STANDARD", {"Comment": json.dumps({"inferenceBatch": {**SIGNATURE, **changes}})})


def succeeded(**changes):
    return Answer(
        {"executionArn": f"{EXECUTION}run", "status": "SUCCEEDED", "output": json.dumps({**OUTPUT, **changes})}
    )


def listed(*keys, token=None):
    """A page of a list of objects, and the token of the next one."""
    contents = "".join(f"<Contents><Key>{key}</Key></Contents>" for key in keys)
    more = "" if token is None else f"<NextContinuationToken>{token}</NextContinuationToken>"
    return Answer(f"<ListBucketResult>{contents}{more}</ListBucketResult>".encode())


def ended(status, **about):
    return Answer({"executionArn": f"{EXECUTION}run", "status": status, **about})


FAILED = ended("FAILED", error="TooManyFailures", cause="2 of 4 failed")


@pytest.fixture
def batch(aws, monkeypatch):
    """Starts a batch for a script of AWS, with a table of these rows."""
    monkeypatch.setattr("sliced_inference.batch.PART_BYTES", 64)

    def begin(script=None, rows=ROWS, **options):
        table = "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows).encode()

        def read(request):
            name = request.partition("?")[0].rpartition("/")[2]
            return Answer(FILES.get(name, table) if not name.startswith("pack-") else FILES["pack.safetensors"])

        success = {
            "DescribeStateMachine": [machine()],
            "DescribeExecution": [RUNNING, succeeded()],
            "GetObject": [read],
            "ListObjectsV2": [listed()],
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


@pytest.mark.parametrize(
    ("options", "given"),
    [
        ({}, {}),
        ({"again": True}, {"again": True}),
        ({"again": False, "items": "inputs/docs/x"}, {"items": "inputs/docs/x"}),
    ],
)
def test_a_batch_repeats_what_has_a_result_only_if_it_is_asked_to(aws, batch, options, given):
    batch(**options)
    assert json.loads(aws.requests["StartExecution"][0]["input"]) == given


@pytest.mark.parametrize(
    "end",
    [succeeded(), FAILED, *(ended("FAILED", error=name, cause="c") for name in ("ItemsPending", "States.Runtime"))],
)
def test_rows_come_in_order_and_read_their_results(batch, end):
    rows = list(batch({"DescribeExecution": [RUNNING, end]}).rows())
    assert [(row.index, row.item, row.status) for row in rows] == [
        (row["index"], row["item"], row["status"]) for row in ROWS
    ]
    assert [row.processors for row in rows] == [["arm64"], [], [], [], []]
    assert (rows[0].result, rows[4].result) == (BatchResult("bucket", f"{RESULTS}pack.safetensors", 1), None)
    tensors = rows[0].read()
    assert {name: tensor.tolist() for name, tensor in tensors.items()} == {"y": X.tolist(), "text": ["é"]}
    assert (rows[1].read(), rows[2].read()) == ({"label": 5}, {"label": 7})
    assert raised(InferenceError, "the item 'd' failed: convert it", rows[3].read).name == "InvalidInput"
    message = "the item 'e' must have a result, got none, because it did not run: start the batch again"
    assert raised(InferenceError, message, rows[4].read).name == "ItemsPending"


@pytest.mark.parametrize(
    ("end", "name", "reads"),
    [
        (FAILED, "TooManyFailures", 1),
        (ended("FAILED", error="NoItems", cause="c"), "NoItems", 0),
        (ended("ABORTED"), "ExecutionAborted", 0),
        (ended("TIMED_OUT"), "States.Timeout", 0),
        (succeeded(), "NoSuchKey", 1),
    ],
)
def test_a_batch_without_a_table_raises_why_it_has_failed(aws, batch, end, name, reads):
    run = batch({"DescribeExecution": [end], "GetObject": [s3_error("NoSuchKey", 404)]})
    assert raised(InferenceError, None, lambda: list(run.rows())).name == name
    assert aws.calls.count("GetObject") == reads


def reads_of(aws):
    """The names of the objects that were read for results, in their order."""
    paths = (request.partition("?")[0] for request in aws.requests["GetObject"])
    return [path.rpartition("/")[2] for path in paths if "/tables/" not in path]


def test_rows_read_the_objects_that_they_share_once(aws, batch):
    one, two = row_of("pack.safetensors", 0), row_of("pack.safetensors", 1, 1)
    first, second = batch(rows=[one, two]).rows()
    first.read()["y"][:] = 7
    assert first.read()["y"].tolist() == (X + 1).tolist()
    assert second.read()["y"].tolist() == X.tolist()
    assert reads_of(aws) == ["pack.safetensors"]


def test_the_latest_objects_are_kept(aws, batch):
    names = [f"pack-{place}" for place in (0, 1, 2, 3, 0, 4, 0, 1)]
    rows = list(batch(rows=[row_of(name, 0, index) for index, name in enumerate(names)]).rows())
    assert {len(row.read()) for row in rows} == {1}
    assert reads_of(aws) == [f"pack-{place}" for place in (0, 1, 2, 3, 4, 1)]


def test_threads_that_read_the_same_object_wait_for_each_other(aws, batch):
    rows = list(batch(rows=[row_of("pack.safetensors", 0, index) for index in range(8)]).rows())
    asked = threading.Event()
    aws.on["GetObject"] = asked.wait
    with ThreadPoolExecutor(8) as pool:
        reads = [pool.submit(row.read) for row in rows]
        asked.set()
    assert {read.result()["y"].tolist() == (X + 1).tolist() for read in reads} == {True}
    assert reads_of(aws) == ["pack.safetensors"]


def test_an_object_that_could_not_be_read_is_read_again(aws, batch):
    (row,) = batch(rows=ROWS[:1]).rows()
    aws.script["GetObject"] = [s3_error("AccessDenied", 403), Answer(FILES["pack.safetensors"])]
    assert raised(InferenceError, "AccessDenied", row.read).execution_arn == f"{EXECUTION}run"
    assert row.read()["y"].tolist() == X.tolist()


@pytest.mark.parametrize(
    ("name", "entry", "message"),
    [
        ("pack.safetensors", 2, "tensors of the entry 2, got none"),
        *(("pack.jsonl", entry, f"the line {entry} of .*pack.jsonl, got none") for entry in (2, 3, 4)),
    ],
)
def test_an_entry_that_is_missing_is_refused(batch, name, entry, message):
    (row,) = batch(rows=[row_of(name, entry)]).rows()
    assert raised(InferenceError, message, row.read).name == "InvalidOutput"


COUNTS = {"total": 9, "succeeded": 4, "failed": 1, "timedOut": 1, "aborted": 1, "running": 1, "pending": 1}


@pytest.mark.parametrize(
    ("names", "done", "failed"),
    [
        ([], 4, 2),
        (["0-ab-1.json", "4-12-2.json", "7-.json", "8-ab-1.jsonl", "9.json"], 1, 5),
        # A child that still runs has reported some of them.
        (["0-ab-31.json"], 0, 6),
    ],
)
def test_progress_ends_with_the_execution(aws, batch, names, done, failed):
    keys = [f"{RESULTS}failures/run/{name}" for name in names]
    runs = [Answer({"mapRuns": []}), Answer({"mapRuns": [{"mapRunArn": "the-map-run"}]})]
    script = {
        "DescribeExecution": [RUNNING, ended("TIMED_OUT")],
        **{"ListMapRuns": runs, "DescribeMapRun": [Answer({"itemCounts": COUNTS})]},
        "ListObjectsV2": [s3_error("SlowDown", 503), listed(), listed(*keys[:1], token="to/ken"), listed(*keys[1:])],
    }
    first, last = batch(script, execution_arn=f"{EXECUTION}run").progress()
    assert (first.total, first.ends_at) == (0, None)
    assert (last.total, last.done, last.failed, last.running, last.pending) == (9, done, failed, 1, 2)
    assert last.per_second > 0
    assert last.ends_at is not None
    queries = [urllib.parse.parse_qs(path.partition("?")[2]) for path in aws.requests["ListObjectsV2"]]
    assert {query["prefix"][0] for query in queries} == {f"{RESULTS}failures/run/"}
    assert [query.get("continuation-token") for query in queries] == [None, None, None, ["to/ken"]]


@pytest.mark.parametrize(
    ("end", "items"),
    [
        (succeeded(), (5, 3, 1, 0, 1)),
        (FAILED, (5, 3, 1, 0, 1)),
        # Without a table, only children are counted.
        (ended("FAILED", error="NoItems", cause="c"), (9, 4, 2, 1, 2)),
        (ended("ABORTED"), (9, 4, 2, 1, 2)),
    ],
)
def test_progress_ends_with_the_items_that_had_no_time(batch, end, items):
    runs = [Answer({"mapRuns": [{"mapRunArn": "the-map-run"}]})]
    script = {"ListMapRuns": runs, "DescribeMapRun": [Answer({"itemCounts": COUNTS})], "DescribeExecution": [end]}
    *_, last = batch(script, execution_arn=f"{EXECUTION}run").progress()
    assert (last.total, last.done, last.failed, last.running, last.pending) == items


def test_a_batch_that_is_attached_to_is_not_started(aws, batch):
    run = batch(execution_arn=f"{EXECUTION}run")
    assert run.result()["items"]["total"] == 5
    run.stop()
    assert aws.counts("StartExecution", "StopExecution") == (0, 1)


@pytest.mark.parametrize(
    ("end", "name", "message"),
    [
        (
            ended("FAILED", error="NoItems", cause="got none: start the batch again"),
            "NoItems",
            ": got none: start the batch again$",
        ),
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
    ("kind", "location", "items", "expected"),
    [
        ("csv", "lists/a.csv", "lists/b.csv", None),
        ("csv", "lists/a.csv", "lists/b/", "the key of one list"),
        ("csv", "lists/", "lists/b/", None),
        ("csv", "lists/", "lists/b.csv", "a prefix with a slash at its end"),
        ("inventory", "lists/manifest.json", "lists/b/", "the key of one list"),
        ("objects", "lists/", "lists/b", None),
    ],
)
def test_a_batch_of_lists_takes_places_of_the_same_kind(aws, batch, kind, location, items, expected):
    own = {"kind": kind, "bucket": "bucket", "location": location, "folder": "lists/"}
    script = {"DescribeStateMachine": [machine(items=own)]}
    if expected is None:
        batch(script, items=items)
        assert json.loads(aws.requests["StartExecution"][0]["input"]) == {"items": items}
        return
    message = f"^InvalidInput: items must be {expected}, below 'lists/' in bucket, got '{items}': correct it$"
    raised(InferenceError, message, lambda: batch(script, items=items))
    assert aws.calls == ["DescribeStateMachine"]


@pytest.mark.parametrize(
    ("script", "rows"),
    [
        ({"DescribeExecution": [succeeded(version=2)]}, ROWS),
        ({"DescribeExecution": [succeeded(table={"bucket": "bucket", "key": f"{RESULTS}x"})]}, ROWS),
        ({}, [{"index": 0}]),
        ({}, [{**ROWS[0], "index": 5}, {**ROWS[1], "index": 2}]),
        ({}, [{**ROWS[0], "index": 2}, {**ROWS[1], "index": 2}]),
        *(({}, [{**ROWS[0], "index": index}]) for index in (-1, "x", True, 0.5)),
        *(({}, [{**ROWS[0], "result": result("a", entry)}]) for entry in (-1, "0", True, 0.5, None)),
        *(({}, [{**ROWS[0], "result": result(name, 0)}]) for name in ("../x", "x/./y", "..")),
        *(({}, [{**ROWS[0], "result": bad}]) for bad in ({"key": "x", "entry": 0}, {"entry": 0}, f"{RESULTS}x", None)),
        *(({}, [{**ROWS[0], "processors": bad}]) for bad in (7, "arm64", [7], None)),
        *(({}, [{**ROWS[0], **bad}]) for bad in ({"item": 7}, {"status": "lost"}, {"failure": FAILURE})),
        *(({}, [{**ROWS[3], **bad}]) for bad in ({"failure": {"error": "E"}}, {"failure": "E"}, {"status": "pending"})),
        *(({}, [{**row, "result": result("a", 0)}]) for row in ROWS[3:]),
        ({}, [{**ROWS[4], "status": "lost"}]),
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


def test_cancel_ends_reading_the_table_of_a_batch_that_has_failed(aws, batch):
    cancel = threading.Event()
    run = batch({"DescribeExecution": [FAILED], "GetObject": [HANGS]}, cancel=cancel)
    aws.on["GetObject"] = cancel.set
    raised(InferenceCancelledError, "the batch goes on", lambda: list(run.rows()))
