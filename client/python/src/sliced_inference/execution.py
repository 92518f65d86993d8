"""Runs one execution to its end, and says why it failed."""

import json
import uuid
from collections.abc import Mapping
from typing import Any

from botocore import exceptions

from .aws import Aws, explained, is_throttled, is_transient
from .call import MAY_HAVE_STARTED, NOTHING_STARTED, Call, Ended, ProgressEvent
from .errors import InferenceError, InferenceTimeoutError
from .pipeline import NAMES_OF_SLICES, StateMachine, json_object

STATE_EVENTS: dict[ProgressEvent, str] = {
    "state_entered": "stateEnteredEventDetails",
    "state_exited": "stateExitedEventDetails",
}


ALIAS = "live"
"""What the construct makes, and callers invoke."""

NOT_READY = ("ResourceConflictException", "CodeArtifactUserPendingException")
"""How Lambda answers while a function is not ready."""

MOST_LOST = 2
"""Calls of a function whose answer was lost."""

RETRIES = {
    **dict.fromkeys(("Lambda.Unknown", "Sandbox.Timedout", "Runtime.ExitError", "Runtime.OutOfMemory"), 2),
    "StorageUnavailable": 2,
    **dict.fromkeys(("WeightsCorrupt", "CorruptTensor", "SliceFailed"), 1),
}
"""How often a failure of a function is answered by another call, as by the state machine of a pipeline."""


def execute(call: Call, machine: StateMachine, text: str) -> Any:
    """Runs an execution with an input and returns its output. The state machine need not be that of a pipeline."""
    run = {"EXPRESS": _run_express, "STANDARD": _run_standard, "FUNCTION": _run_function}[machine.type]
    execution = run(call, machine.arn, text)
    call.report("ended")
    if execution["status"] != "SUCCEEDED":
        raise failure_of(execution)
    return json.loads(execution["output"])


def _run_express(call: Call, arn: str, text: str) -> dict[str, Any]:
    def start() -> dict[str, Any]:
        call.check()
        call.situation = "it goes on"
        try:
            return call.ask("StartSyncExecution", stateMachineArn=arn, input=text)
        except InferenceError as error:
            if is_throttled(error):
                call.situation = NOTHING_STARTED
            raise

    call.report("started")
    # After an error that is not throttling, the execution may run.
    execution = call.repeated(start, may_repeat=is_throttled)
    call.execution_arn = execution["executionArn"]
    return execution


def invoked(call: Call | Aws, name: str, text: str) -> dict[str, Any]:
    """Calls a function, and returns what an execution would have: a failure of the function is a result."""
    # Only the last part of an ARN may have an alias or a version.
    head, _, last = name.rpartition(":function:")
    unqualified, _, qualifier = last.partition(":")
    function = f"{head}:function:{unqualified}" if head else unqualified
    answer = call.ask("Invoke", FunctionName=function, Qualifier=qualifier or ALIAS, Payload=text.encode())
    try:
        output = answer["Payload"].read().decode()
    except exceptions.BotoCoreError as broken:
        raise explained("Invoke", broken) from broken
    # The run is named after the function and the call.
    arn = f"{function}:{answer['ResponseMetadata'].get('RequestId', '')}"
    if "FunctionError" not in answer:
        return {"status": "SUCCEEDED", "executionArn": arn, "output": output}
    error = (json_object(output) or {}).get("errorType") or "Lambda.Unknown"
    return {"status": "FAILED", "executionArn": arn, "error": error, "cause": output}


def _run_function(call: Call, name: str, text: str) -> dict[str, Any]:
    call.report("started")
    call.situation = MAY_HAVE_STARTED
    execution = called_again(call, name, text)
    call.execution_arn = execution["executionArn"]
    return execution


def called_again(call: Call, name: str, text: str) -> dict[str, Any]:
    """Calls a function again and again as the state machine of a pipeline does: it computes the same each time."""
    pauses = call.pauses(growth=2)
    retries = lost = 0

    def may_repeat(error: Exception) -> bool:
        nonlocal lost
        if is_throttled(error) or (isinstance(error, InferenceError) and error.name in NOT_READY):
            return True
        # The function may go on computing, and its time costs money.
        lost += 1
        return is_transient(error) and lost <= MOST_LOST

    while True:
        execution = call.repeated(lambda: invoked(call, name, text), may_repeat)
        if retries >= RETRIES.get(execution.get("error", ""), 0):
            return execution
        retries += 1
        call.sleep(next(pauses))


def _run_standard(call: Call, arn: str, text: str) -> dict[str, Any]:
    """Starts an execution, asks for its state until it has ended, and stops it if nobody waits any more."""
    try:
        _start(call, arn, text)
        execution = _follow(call)
        call.must_stop = False
        return execution
    except Exception as error:
        is_own = isinstance(error, (Ended, InferenceError, InferenceTimeoutError))
        # An error of the caller's `on_progress` ends the call too.
        if call.must_stop and (call.ended.is_set() or not is_own):
            _stop(call)
            if is_own:
                raise Ended from None
        raise


def execution_arn(machine_arn: str, name: str) -> str:
    parts = machine_arn.split(":")
    return ":".join([*parts[:5], "execution", parts[6], name])


def _start(call: Call, machine_arn: str, text: str) -> None:
    # The name is new, so the second of two equal requests finds the execution of the first one.
    name = str(uuid.uuid4())
    arn = execution_arn(machine_arn, name)

    def start() -> dict[str, Any]:
        call.check()
        before = call.execution_arn, call.situation, call.must_stop
        call.execution_arn, call.situation, call.must_stop = arn, MAY_HAVE_STARTED, call.stops
        try:
            return call.ask("StartExecution", stateMachineArn=machine_arn, name=name, input=text)
        except InferenceError as error:
            if error.name == "ExecutionAlreadyExists":
                # An earlier request has started it, and its answer was lost.
                return {}
            if is_throttled(error) or not is_transient(error):
                call.execution_arn, call.situation, call.must_stop = before
            raise

    answer = call.repeated(start)
    call.execution_arn, call.situation = answer.get("executionArn", arn), "it goes on"
    call.report("started", answer["startDate"].timestamp() if "startDate" in answer else None)


def _follow(call: Call) -> dict[str, Any]:
    last = 0

    def look() -> dict[str, Any]:
        nonlocal last
        execution = call.ask("DescribeExecution", executionArn=call.execution_arn)
        if call.on_progress is not None:
            # Also after the end, for the events since the last pause.
            last = _report_states(call, last)
        return execution

    pauses = call.pauses()
    while True:
        call.sleep(next(pauses))
        execution = call.repeated(look, may_know_later)
        if execution["status"] not in ("RUNNING", "PENDING_REDRIVE"):
            return execution


def may_know_later(error: Exception) -> bool:
    """DescribeExecution is eventually consistent: it may not know an execution that has just started.

    https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeExecution.html
    """
    return is_transient(error) or _is_unknown(error)


def _is_unknown(error: Exception) -> bool:
    return isinstance(error, InferenceError) and error.name == "ExecutionDoesNotExist"


def _report_states(call: Call, last: int) -> int:
    """Reports the states that were entered and left after an event, and returns the id of the latest event."""
    # A history has up to 25,000 events, so it is read from its end, and without data.
    request = {"executionArn": call.execution_arn, "reverseOrder": True, "includeExecutionData": False}
    new: list[dict[str, Any]] = []
    while True:
        page = call.ask("GetExecutionHistory", **request)
        new += [event for event in page["events"] if event["id"] > last]
        if "nextToken" not in page or page["events"][-1]["id"] <= last:
            break
        request["nextToken"] = page["nextToken"]
    for event in reversed(new):
        for kind, field in STATE_EVENTS.items():
            if field in event:
                call.report(kind, event["timestamp"].timestamp(), event[field]["name"])
    return new[0]["id"] if new else last


def _stop(call: Call) -> None:
    reason = call.reason()
    cause = f"the caller stopped waiting: {reason}"
    try:
        call.aws.ask("StopExecution", executionArn=call.execution_arn, error="Cancelled", cause=cause)
    except (InferenceError, InferenceTimeoutError) as error:
        if _is_unknown(error) and call.situation == MAY_HAVE_STARTED:
            call.execution_arn, call.situation = None, NOTHING_STARTED
            return
        message = f"{reason}: the execution could not be stopped: {error}: stop it yourself"
        raise InferenceError("NotStopped", message, cause=getattr(error, "cause", error)) from error
    call.situation, call.stopped = "the execution was stopped", True


def failure_of(execution: Mapping[str, Any]) -> InferenceError:
    status, cause = execution["status"], execution.get("cause")
    fields = parse_failure_cause(cause or f"the execution ended with the status {status}")
    fields.pop("deploymentDigest", None)
    unnamed = {"TIMED_OUT": "States.Timeout", "ABORTED": "ExecutionAborted"}.get(status, status)
    name = execution.get("error") or unnamed
    if "step" in fields and name in NAMES_OF_SLICES:
        name, fields["message"] = "HandlerError", f"{name}: {fields['message']}"
    return InferenceError(name, execution_arn=execution["executionArn"], reported_cause=cause, **fields)


def parse_failure_cause(cause: str) -> dict[str, Any]:
    """Returns ``message`` and what else a cause has of slice, step, tensor, expected, got and deploymentDigest.

    The cause is a slice's JSON, with or without the JSON that Lambda puts around it, or a text of an AWS service.
    """
    fields = json_object(cause) or {}
    thrown = fields.get("errorMessage")
    if isinstance(thrown, str):
        cause, fields = thrown, json_object(thrown) or {}
    if not isinstance(fields.get("message"), str):
        return {"message": cause}
    texts = ("step", "message", "tensor", "expected", "got", "deploymentDigest")
    kinds: dict[str, type] = {"slice": int, **dict.fromkeys(texts, str)}
    return {name: fields[name] for name, kind in kinds.items() if isinstance(fields.get(name), kind)}
