"""Runs one execution to its end."""

import json
import uuid
from collections.abc import Callable
from typing import Any

from .aws import SENDING, Ended, is_throttled, is_transient
from .call import Call
from .errors import InferenceError, InferenceTimeoutError
from .failures import failure_of
from .pipeline import STEPS, StateMachine, execution_arn
from .results import ProgressEvent

STATE_EVENTS: dict[ProgressEvent, str] = {
    "state_entered": "stateEnteredEventDetails",
    "state_exited": "stateExitedEventDetails",
}

MAY_HAVE_STARTED = "it may have started"


def execute(call: Call, machine: StateMachine, text: str) -> Any:
    """Runs an execution with an input and returns its output. The state machine need not be that of a pipeline."""
    execution = (_run_express if machine.type == "EXPRESS" else _run_standard)(call, machine.arn, text)
    call.report("ended")
    if execution["status"] != "SUCCEEDED":
        # The cause of a Standard execution does not say which function has failed.
        has_step = machine.type == "STANDARD" and machine.has_own_functions
        raise failure_of(execution, _last_step(call) if has_step else None)
    return json.loads(execution["output"])


def _run_express(call: Call, arn: str, text: str) -> dict[str, Any]:
    """Sends one request, which is answered when the execution has ended."""

    def start() -> dict[str, Any]:
        call.check()
        call.situation = "it goes on"
        try:
            return call.ask("StartSyncExecution", stateMachineArn=arn, input=text)
        except InferenceError as error:
            if is_throttled(error):
                call.situation = "nothing was started"
            raise

    call.report("started")
    # After an error that is not throttling, the execution may run.
    execution = call.repeated(start, may_repeat=is_throttled)
    call.execution_arn = execution["executionArn"]
    return execution


def _run_standard(call: Call, arn: str, text: str) -> dict[str, Any]:
    """Starts an execution, asks for its state until it has ended, and stops it if nobody waits any more."""
    try:
        _start(call, arn, text)
        execution = _follow(call)
        call.must_stop = False
        return execution
    except (Ended, InferenceError, InferenceTimeoutError):
        if call.must_stop and call.ended.is_set():
            _stop(call)
            raise Ended from None
        raise


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
    started = answer.get("startDate")
    call.report("started", None if started is None else started.timestamp())


def _follow(call: Call) -> dict[str, Any]:
    """Asks for the state of the execution until it has ended."""
    report_states = _states_of(call)

    def look() -> dict[str, Any]:
        execution = call.ask("DescribeExecution", executionArn=call.execution_arn)
        if call.on_progress is not None:
            # Also after the end, for the events since the last pause.
            report_states()
        return execution

    def may_repeat(error: Exception) -> bool:
        # DescribeExecution is eventually consistent: it may not know an execution that has just started.
        # https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeExecution.html
        return is_transient(error) or (isinstance(error, InferenceError) and error.name == "ExecutionDoesNotExist")

    for pause in call.pauses():
        call.sleep(pause)
        execution = call.repeated(look, may_repeat)
        if execution["status"] not in ("RUNNING", "PENDING_REDRIVE"):
            return execution
    raise AssertionError("pauses have no end")


def _stop(call: Call) -> None:
    """Stops an execution that nobody waits for."""
    SENDING.check = None
    reason = call.reason()
    request = {
        "executionArn": call.execution_arn,
        "error": "Cancelled",
        "cause": f"the caller stopped waiting: {reason}",
    }
    try:
        call.aws.ask("StopExecution", **request)
    except (InferenceError, InferenceTimeoutError) as error:
        is_unknown = isinstance(error, InferenceError) and error.name == "ExecutionDoesNotExist"
        if is_unknown and call.situation == MAY_HAVE_STARTED:
            call.execution_arn, call.situation = None, "nothing was started"
            return
        raise InferenceError(
            "NotStopped",
            f"{reason}: the execution could not be stopped: {error}: stop it yourself",
            cause=error.cause if isinstance(error, InferenceError) else error,
        ) from error
    call.situation, call.stopped = "the execution was stopped", True


def _latest_events(call: Call, **page: str) -> dict[str, Any]:
    """One page of the events, the latest first, without data."""
    request = {"executionArn": call.execution_arn, "reverseOrder": True, "includeExecutionData": False}
    return call.ask("GetExecutionHistory", **request, **page)


def _last_step(call: Call) -> str | None:
    """The function of the user whose state was entered last, or ``None`` for another state."""
    try:
        history = _latest_events(call)
    except (Ended, InferenceError, InferenceTimeoutError):
        # The failure matters more than where it was. A caller may lack the permission to read the history.
        return None
    entered = STATE_EVENTS["state_entered"]
    names = (event[entered]["name"] for event in history["events"] if entered in event)
    return STEPS.get(next(names, ""))


def _states_of(call: Call) -> Callable[[], None]:
    """Returns a function that reports the states that the execution has entered and left since its last call."""
    last = 0

    def report() -> None:
        nonlocal last
        # The latest event first: a history has up to 25,000, and the earlier ones are known.
        found: list[dict[str, Any]] = []
        page = _latest_events(call)
        while True:
            new = [event for event in page["events"] if event["id"] > last]
            found += new
            if len(new) < len(page["events"]) or "nextToken" not in page:
                break
            page = _latest_events(call, nextToken=page["nextToken"])
        last = found[0]["id"] if found else last
        for event in reversed(found):
            for kind, field in STATE_EVENTS.items():
                if field in event:
                    call.report(kind, event["timestamp"].timestamp(), event[field]["name"])

    return report
