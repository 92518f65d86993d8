"""Batches of a ``SlicedInferenceBatch``: starts them, or attaches to them, and reads what they return."""

import json
import re
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import partial
from typing import Any, TypeVar

from .aws import explained
from .batch_results import BatchResult, Content, ResultReader
from .batch_rows import BatchRow, row_from
from .call import Call
from .errors import InferenceError, InferenceTimeoutError, invalid_output
from .execution import execution_arn, failure_of, may_know_later
from .pipeline import CONTRACT_VERSION, json_object
from .results import BROKEN_BODY, ObjectReference, read_object, read_undamaged
from .tensors import decode_file

T = TypeVar("T")

PART_BYTES = 4 * 2**20
"""The table is read in parts, so that neither its size nor a slow reader matters."""

RUNNING = ("RUNNING", "PENDING_REDRIVE")

NO_ITEMS, ITEMS_PENDING = "NoItems", "ItemsPending"

OWN_ADVICE = re.compile("start (?:the batch again|several batches)")
"""In the messages of the batch's own function, which say what to do."""

FAILED_ITEMS = re.compile(r"-([0-9]+)\.json\Z")
"""How the name of an object with failures ends: with their number."""


@dataclass(frozen=True)
class BatchProgress:
    """How far a batch is."""

    total: int
    """Items that the batch has found so far."""
    done: int
    """Items with a result. Skipped ones have one too. Until the batch has ended, those that their runs had no time for
    count too."""
    failed: int
    running: int
    """Items of child executions that run."""
    pending: int
    """Items that wait, or whose child executions were stopped."""
    per_second: float
    """Items that ended per second, since the first report of this iterator."""
    ends_at: datetime | None
    """When the batch will end at this speed; ``None`` while nothing is known."""


class SlicedInferenceBatchRun:
    """A batch that runs or has ended. Made by ``client.batch``."""

    def __init__(
        self, execution_arn: str, signature: dict[str, Any], new_call: Callable[[], Call], max_result_bytes: int
    ) -> None:
        self.execution_arn = execution_arn
        self._signature, self._new_call, self._max_bytes = signature, new_call, max_result_bytes
        self._name = execution_arn.rpartition(":")[2]
        self._table = ObjectReference(signature["bucket"], f"{signature['resultsPrefix']}tables/{self._name}.jsonl")
        """The batch's function writes it here, also before it fails."""
        self._results = ResultReader(self._load)

    def progress(self) -> Iterator[BatchProgress]:
        """Yields how far the batch is after each pause, and at last when the execution has ended, even if it failed."""
        pauses, since, before = self._new_call().pauses(), 0.0, 0
        while True:
            execution = self._describe()
            is_running = execution["status"] in RUNNING
            items = None if is_running else self._items_at_end(execution)
            total, done, failed, running, pending = self._items_of_children() if items is None else items
            now = time.time()
            if since == 0:
                since, before = now, done + failed
            speed = max(0.0, (done + failed - before) / (now - since)) if now > since else 0.0
            seconds = (running + pending) / speed if speed > 0 else None
            ends_at = None if seconds is None else datetime.now(timezone.utc) + timedelta(seconds=seconds)
            yield BatchProgress(total, done, failed, running, pending, speed, ends_at)
            if not is_running:
                return
            self._run(lambda call: call.sleep(next(pauses)))

    def result(self) -> dict[str, Any]:
        """Waits until the batch has ended, and returns the output of its execution: counts of ``items``, ``failures``
        by cause, the ``table`` and more.

        Raises ``InferenceError`` if the execution failed, had too many failures, was stopped or took too long.
        """
        return self._output(self._ended())

    def rows(self) -> Iterator[BatchRow]:
        """Waits until the batch has ended, and yields its rows in the order of the inputs, as slowly as you take them.

        Raises as ``result``, except that a batch that has failed has rows too, unless it was stopped, took too long or
        has no items.
        """
        execution, failure = self._ended(), None
        try:
            self._output(execution)
        except InferenceError as error:
            # The table is written last, also of a batch that fails by itself.
            if execution["status"] != "FAILED" or error.name == NO_ITEMS:
                raise
            failure = error
        rows = self._table_rows()
        try:
            first = next(rows, None)
        except (InferenceError, InferenceTimeoutError) as error:
            if failure is None:
                raise
            # It explains why there is no table.
            raise failure from error
        if first is not None:
            yield first
        yield from rows

    def stop(self) -> None:
        """Stops the batch. Start it again to run the items that have no result yet."""
        self._ask("StopExecution", executionArn=self.execution_arn, error="Cancelled", cause="the caller stopped it")

    def _ended(self) -> dict[str, Any]:
        pauses = self._new_call().pauses()
        while (execution := self._describe())["status"] in RUNNING:
            self._run(lambda call: call.sleep(next(pauses)))
        return execution

    def _output(self, execution: dict[str, Any]) -> dict[str, Any]:
        if execution["status"] != "SUCCEEDED":
            raise _failure(execution)
        output = json_object(execution["output"]) or {}
        if output.get("version") != CONTRACT_VERSION or output.get("table") != vars(self._table):
            raise invalid_output(f"version {CONTRACT_VERSION} and the table {self._table}", "another")
        return output

    def _items_of_children(self) -> tuple[int, int, int, int, int]:
        map_runs = self._ask("ListMapRuns", executionArn=self.execution_arn)["mapRuns"]
        map_run = self._ask("DescribeMapRun", mapRunArn=map_runs[0]["mapRunArn"]) if map_runs else {}
        counts = Counter(map_run.get("itemCounts", {}))
        # Step Functions counts whole children. Those with failed items succeed too, after they have reported them.
        reported = min(self._failed_items(), counts["succeeded"])
        done, failed = counts["succeeded"] - reported, reported + counts["failed"] + counts["timedOut"]
        return counts["total"], done, failed, counts["running"], counts["pending"] + counts["aborted"]

    def _items_at_end(self, execution: dict[str, Any]) -> tuple[int, int, int, int, int] | None:
        """Children whose items had no time succeed too, so only the output and the table tell which have a result."""
        try:
            if execution["status"] == "SUCCEEDED":
                items = Counter(self._output(execution)["items"])
            else:
                items = Counter(row.status for row in self.rows())
        except (InferenceError, InferenceTimeoutError):
            # Progress ends without an error. `result` and `rows` say what is wrong.
            return None
        done, failed, pending = items["done"] + items["skipped"], items["failed"], items["pending"]
        return done + failed + pending, done, failed, 0, pending

    def _failed_items(self) -> int:
        """How many items have failed so far, by the names of the objects with the failures."""
        place = f"{self._signature['resultsPrefix']}failures/{self._name}/"
        request, failed = {"Bucket": self._signature["bucket"], "Prefix": place}, 0
        while True:
            page = self._ask("ListObjectsV2", **request)
            ends = (FAILED_ITEMS.search(found["Key"]) for found in page.get("Contents", ()))
            failed += sum(int(end[1]) for end in ends if end is not None)
            if "NextContinuationToken" not in page:
                return failed
            request["ContinuationToken"] = page["NextContinuationToken"]

    def _table_rows(self) -> Iterator[BatchRow]:
        start, total, rest, last = 0, 1, b"", -1
        matching: dict[str, str] = {}
        while start < total:
            ranged = {"Range": f"bytes={start}-{start + PART_BYTES - 1}", **matching}
            part, total, etag = self._part(ranged)
            start += len(part)
            # The parts of two tables would not fit.
            matching = {"IfMatch": etag}
            *lines, rest = (rest + part).split(b"\n")
            if start >= total and rest:
                lines.append(rest)
            for line in lines:
                row = row_from(line, self._signature, last, self._read)
                last = row.index
                yield row

    def _run(self, work: Callable[[Call], T]) -> T:
        call = self._new_call()
        call.execution_arn = self.execution_arn
        call.situation = "the batch goes on"
        return call.run(lambda: work(call))

    def _ask(self, operation: str, **arguments: Any) -> dict[str, Any]:
        return self._run(lambda call: call.repeated(lambda: call.ask(operation, **arguments), may_know_later))

    def _describe(self) -> dict[str, Any]:
        return self._ask("DescribeExecution", executionArn=self.execution_arn)

    def _part(self, ranged: dict[str, str]) -> tuple[bytes, int, str]:
        def read(call: Call) -> tuple[bytes, int, str]:
            answer = call.ask("GetObject", Bucket=self._table.bucket, Key=self._table.key, **ranged)
            try:
                return answer["Body"].read(), int(answer["ContentRange"].rpartition("/")[2]), answer["ETag"]
            except BROKEN_BODY as error:
                raise explained("GetObject", error) from error

        return self._run(lambda call: call.repeated(lambda: read(call)))

    def _read(self, row: dict[str, Any], place: BatchResult | None) -> Any:
        if place is not None:
            return row["output"] if "output" in row else self._results.read(place)
        if row["status"] == "pending":
            advice = "got none, because it did not run: start the batch again"
            message = f"the item {row['item']!r} must have a result, {advice}"
            raise InferenceError(ITEMS_PENDING, message, execution_arn=self.execution_arn)
        message = f"the item {row['item']!r} failed: {row['failure']['message']}"
        raise InferenceError(row["failure"]["error"], message, execution_arn=self.execution_arn)

    def _load(self, place: BatchResult) -> Content:
        def decode(body: bytes) -> Content:
            return body.split(b"\n") if place.key.endswith(".jsonl") else decode_file(body)

        def load(call: Call) -> Content:
            read = partial(read_object, call, place, self._max_bytes)
            return read_undamaged(place.key, lambda: call.repeated(read), decode, call.sleep)

        return self._run(load)


def check_items(signature: dict[str, Any], items: str | None) -> None:
    own = signature["items"]
    # A batch of lists reads either one list or all lists below a prefix.
    is_of_prefix = own["location"].endswith("/")
    fits = items is None or own["kind"] == "objects" or items.endswith("/") == is_of_prefix
    if items is not None and not (fits and items.startswith(own["folder"])):
        form = "" if fits else "a prefix with a slash at its end, " if is_of_prefix else "the key of one list, "
        place = f"{form}below {own['folder']!r} in {own['bucket']}"
        raise InferenceError("InvalidInput", f"items must be {place}, got {items!r}: correct it")


def begin_batch(call: Call, arn: str, items: str | None, again: bool, name: str | None) -> str:
    """Starts an execution and returns its ARN. One of this name that runs on the same items is taken for it."""
    given = {"items": items, "again": again or None}
    text = json.dumps({field: value for field, value in given.items() if value is not None})
    request = {"stateMachineArn": arn, "name": name or str(uuid.uuid4()), "input": text}

    def start() -> dict[str, Any]:
        try:
            return call.ask("StartExecution", **request)
        except InferenceError as error:
            # Under a name of its own, an earlier request has started it, and its answer was lost.
            if error.name != "ExecutionAlreadyExists" or name is not None:
                raise
            return {}

    return str(call.repeated(start).get("executionArn", execution_arn(arn, request["name"])))


def batch_signature(arn: str, definition: str) -> dict[str, Any]:
    """Raises ``InferenceError`` ``NotABatch`` for another state machine."""
    comment = json_object((json_object(definition) or {}).get("Comment")) or {}
    signature = comment.get("inferenceBatch")
    version = signature.get("version") if isinstance(signature, dict) else None
    if not isinstance(signature, dict) or version != CONTRACT_VERSION:
        expected = f"the signature of a SlicedInferenceBatch of version {CONTRACT_VERSION}"
        message = f"the comment of {arn} must have {expected}, got {version}: check the ARN"
        raise InferenceError("NotABatch", message)
    return signature


def _failure(execution: dict[str, Any]) -> InferenceError:
    error = failure_of(execution)
    if OWN_ADVICE.search(error.message):
        return error
    got = {"TIMED_OUT": "no end in time", "ABORTED": "stopped"}.get(execution["status"], error.message)
    error.message = f"the batch must succeed, got {got}: start it again: what has a result is skipped"
    return error
