"""Batches of a ``SlicedInferenceBatch``: starts them, or attaches to them, and reads what they return."""

import json
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any, Literal, TypeVar

from .aws import explained
from .call import Call
from .errors import InferenceError, invalid_output
from .execution import execution_arn, failure_of, may_know_later
from .pipeline import CONTRACT_VERSION, json_object
from .results import BROKEN_BODY, ObjectReference, read_object, read_undamaged
from .tensors import Tensor

T = TypeVar("T")

PART_BYTES = 4 * 2**20
"""The table is read in parts, so that neither its size nor a slow reader matters."""

RUNNING = ("RUNNING", "PENDING_REDRIVE")

TOO_MANY_FAILURES = "TooManyFailures"

OWN_ERRORS = ("ItemsFailed", "NoItems", TOO_MANY_FAILURES)
"""Of the batch's own function, which says what to do."""


@dataclass(frozen=True)
class BatchProgress:
    """How far a batch is. Skipped items are done. All items of a child execution that failed count as failed."""

    total: int
    """Items that the batch has found so far."""
    done: int
    failed: int
    running: int
    pending: int
    per_second: float
    """Items that ended per second, since the first report of this iterator."""
    ends_at: datetime | None
    """When the batch will end at this speed; ``None`` while nothing is known."""


@dataclass(frozen=True)
class BatchRow:
    """An item of a batch that has ended."""

    index: int
    """The item's place among the inputs, from 0 on."""
    item: str
    """The key of the item, its ``id``, or the number of its line."""
    status: Literal["done", "skipped", "failed"]
    """``skipped``: there was a result already."""
    result: ObjectReference | None
    """The object of the result; ``None`` if the item failed."""
    failure: dict[str, str] | None
    """``error`` and ``message``, if the item failed."""
    ms: float | None
    processors: list[str]
    """The classes of the processors that computed the result, such as ``x86_64 AVX2``; empty if it was skipped."""
    attempt: int
    """In which pass over the inputs the item ran: 1, and one more after each redrive."""
    read: Callable[[], Any] = field(repr=False, compare=False)
    """Reads the result: arrays by name, or the JSON of a postprocess function. Raises the failure of the item."""


class SlicedInferenceBatchRun:
    """A batch that runs or has ended. Made by ``client.batch``."""

    def __init__(
        self, execution_arn: str, signature: dict[str, Any], new_call: Callable[[], Call], max_result_bytes: int
    ) -> None:
        self.execution_arn = execution_arn
        self._signature, self._new_call, self._max_bytes = signature, new_call, max_result_bytes
        table = f"{signature['resultsPrefix']}tables/{execution_arn.rpartition(':')[2]}.jsonl"
        self._table = ObjectReference(signature["bucket"], table)
        """The batch's function writes it here, also before it fails with ``TooManyFailures``."""

    def progress(self) -> Iterator[BatchProgress]:
        """Yields how far the batch is after each pause, and at last when the execution has ended, even if it failed."""
        pauses, since, before = self._new_call().pauses(), 0.0, 0
        while True:
            status = self._describe()["status"]
            map_runs = self._ask("ListMapRuns", executionArn=self.execution_arn)["mapRuns"]
            map_run = self._ask("DescribeMapRun", mapRunArn=map_runs[0]["mapRunArn"]) if map_runs else {}
            counts, now = map_run.get("itemCounts", {}), time.time()
            done, running, pending = (counts.get(name, 0) for name in ("succeeded", "running", "pending"))
            failed = sum(counts.get(name, 0) for name in ("failed", "timedOut", "aborted"))
            if since == 0:
                since, before = now, done + failed
            speed = max(0.0, (done + failed - before) / (now - since)) if now > since else 0.0
            seconds = (running + pending) / speed if speed > 0 else None
            ends_at = None if seconds is None else datetime.now(timezone.utc) + timedelta(seconds=seconds)
            yield BatchProgress(counts.get("total", 0), done, failed, running, pending, speed, ends_at)
            if status not in RUNNING:
                return
            self._run(lambda call: call.sleep(next(pauses)))

    def result(self) -> dict[str, Any]:
        """Waits until the batch has ended, and returns the output of its execution: counts of ``items``, ``failures``
        by cause, the ``table`` and more.

        Raises ``InferenceError`` if the execution failed, had too many failures, was stopped or took too long.
        """
        pauses = self._new_call().pauses()
        while (execution := self._describe())["status"] in RUNNING:
            self._run(lambda call: call.sleep(next(pauses)))
        if execution["status"] != "SUCCEEDED":
            raise _failure(execution)
        output = json_object(execution["output"]) or {}
        if output.get("version") != CONTRACT_VERSION or output.get("table") != vars(self._table):
            raise invalid_output(f"version {CONTRACT_VERSION} and the table {self._table}", "another")
        return output

    def rows(self) -> Iterator[BatchRow]:
        """Waits until the batch has ended, and yields its rows in the order of the inputs, as slowly as you take them.

        Raises as ``result``, except that a batch that failed with ``TooManyFailures`` has rows too.
        """
        try:
            self.result()
        except InferenceError as error:
            if error.name != TOO_MANY_FAILURES:
                raise
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
                row = self._row(line, last)
                last = row.index
                yield row

    def stop(self) -> None:
        """Stops the batch. Start it again to run the items that have no result yet."""
        self._ask("StopExecution", executionArn=self.execution_arn, error="Cancelled", cause="the caller stopped it")

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

    def _row(self, line: bytes, after: int) -> BatchRow:
        row, prefix = json_object(line) or {}, self._signature["resultsPrefix"]
        try:
            place, failure, key = None, None, row.get("result", "")
            if row["status"] == "failed":
                failure = {name: str(row["failure"][name]) for name in ("error", "message")}
            elif key.startswith(prefix) and not {".", ".."} & {*key.split("/")}:
                # A key from outside: the caller may have permissions for others.
                place = ObjectReference(self._table.bucket, key)
            else:
                raise KeyError(key)
            about = (row["index"], row["item"], row["status"], place, failure, row.get("ms"))
            processors, attempt = [*row.get("processors", [])], row["attempt"]
            known = row["status"] in ("done", "skipped", "failed") and isinstance(row["item"], str)
            # JSON's true is an integer in Python.
            if not known or any(type(count) is not int for count in (row["index"], attempt)) or row["index"] <= after:
                raise KeyError(row["index"])
        except (AttributeError, KeyError, TypeError) as error:
            expected = f"rows with index, item, status, attempt, and a failure or a result below {prefix}"
            raise invalid_output(expected, "another one") from error
        return BatchRow(*about, processors, attempt, read=lambda: self._read(row, place))

    def _read(self, row: dict[str, Any], place: ObjectReference | None) -> Any:
        if place is None:
            failure, item = row["failure"], row["item"]
            message = f"the item {item!r} failed: {failure['message']}"
            raise InferenceError(str(failure["error"]), message, execution_arn=self.execution_arn)
        if "output" in row:
            return row["output"]

        def read(call: Call) -> bytes:
            return call.repeated(lambda: read_object(call, place, self._max_bytes))

        if place.key.endswith(".json"):
            return json.loads(self._run(read))
        tensors: dict[str, Tensor] = self._run(lambda call: read_undamaged(place.key, lambda: read(call), call.sleep))
        return tensors


def begin_batch(call: Call, arn: str, signature: dict[str, Any], items: str | None, name: str | None) -> str:
    """Starts an execution and returns its ARN. One of this name that runs on the same items is taken for it."""
    folder = signature["items"]["folder"]
    if items is not None and not items.startswith(folder):
        message = f"items must be below {folder!r} in {signature['items']['bucket']}, got {items!r}: correct it"
        raise InferenceError("InvalidInput", message)
    text = json.dumps({} if items is None else {"items": items})
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
    if error.name in OWN_ERRORS:
        return error
    got = {"TIMED_OUT": "no end in time", "ABORTED": "stopped"}.get(execution["status"], error.message)
    error.message = f"the batch must succeed, got {got}: start it again: what has a result is skipped"
    return error
