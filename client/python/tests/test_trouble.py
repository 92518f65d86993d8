"""Calls while AWS throttles, breaks connections and does not answer."""

import os
import subprocess
import sys

import botocore.exceptions
import pytest
from conftest import (
    ARN,
    CUT,
    EXECUTION,
    HANGS,
    IN_S3,
    LARGE,
    LOST,
    RUNNING,
    STARTED,
    Answer,
    X,
    ended_with,
    error,
    machine,
    output_of,
    raised,
    s3_error,
    succeeded,
)

from sliced_inference import InferenceCancelledError, InferenceError, InferenceTimeoutError, SlicedInferenceClient

REFUSED, THROTTLED = error("AccessDeniedException"), error("ThrottlingException")
BROKEN, UNKNOWN = error("InternalFailure", 500), error("ExecutionDoesNotExist")
EXPRESS = {"DescribeStateMachine": [machine("EXPRESS")]}


def assert_result(result):
    assert (result.outputs["y"].tolist(), result.execution_arn) == (X.tolist(), f"{EXECUTION}run")


def refused(name, work, message=None, arn=None):
    """The error of the client, which boto3's error has caused."""
    caught = raised(InferenceError, message, work)
    assert (caught.name, caught.execution_arn) == (name, arn)
    assert isinstance(caught.cause, (botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError))
    assert caught.__cause__ is caught.cause


def arn_of_start(aws):
    (name,) = {request["name"] for request in aws.requests["StartExecution"]}
    return EXECUTION + name


TRANSIENT = [BROKEN, THROTTLED, LOST, error("Unknown", 429), error("ExecutionLimitExceeded")]
MANY = [*[BROKEN] * 10, *[THROTTLED] * 20, *[BROKEN] * 9]


@pytest.mark.parametrize(
    "script",
    [
        {"DescribeExecution": [*TRANSIENT, RUNNING, BROKEN, succeeded()]},
        {"StartExecution": [*TRANSIENT, STARTED]},
        {"StartExecution": [*MANY, STARTED], "DescribeExecution": [*MANY, RUNNING, *MANY, succeeded()]},
        {"DescribeExecution": [*[UNKNOWN] * 19, RUNNING, *[UNKNOWN] * 19, succeeded()]},
        {**EXPRESS, "StartSyncExecution": [*[THROTTLED] * 6, error("ExecutionLimitExceeded"), succeeded()]},
    ],
    ids=["polling", "start", "throttled-requests-do-not-count", "unknown-execution", "express"],
)
def test_requests_are_repeated_until_they_are_answered(aws, script):
    aws.begin(script)
    sent = {operation: len(answers) for operation, answers in script.items()}
    assert_result(aws.infer())
    assert {operation: aws.calls.count(operation) for operation in script} == sent
    if "StartExecution" in script:
        assert arn_of_start(aws)


@pytest.mark.parametrize("operation", ["StartExecution", "DescribeExecution"])
@pytest.mark.parametrize(("trouble", "name"), [(BROKEN, "InternalFailure"), (LOST, "ConnectionClosedError")])
def test_requests_that_fail_twenty_times_in_a_row_end_the_call(aws, operation, trouble, name):
    aws.begin({operation: [trouble]})
    assert raised(InferenceError, f"^{name}", aws.infer).execution_arn.startswith(EXECUTION)
    assert aws.counts(operation) == (20,)


@pytest.mark.parametrize(
    ("script", "name", "message", "arn"),
    [
        ({"DescribeStateMachine": [REFUSED]}, "AccessDeniedException", "DescribeStateMachine", None),
        ({"PutObject": [s3_error("AccessDenied", 403)]}, "AccessDenied", "PutObject", None),
        ({"StartExecution": [REFUSED]}, "AccessDeniedException", "StartExecution", None),
        ({"DescribeExecution": [REFUSED]}, "AccessDeniedException", "DescribeExecution", f"{EXECUTION}run"),
        ({"DescribeExecution": [UNKNOWN]}, "ExecutionDoesNotExist", None, f"{EXECUTION}run"),
        ({**EXPRESS, "StartSyncExecution": [BROKEN]}, "InternalFailure", "StartSyncExecution", None),
        ({**EXPRESS, "StartSyncExecution": [LOST]}, "ConnectionClosedError", "StartSyncExecution failed: ", None),
        ({"GetObject": [s3_error("NoSuchKey", 404)]}, "NoSuchKey", "GetObject", f"{EXECUTION}run"),
    ],
)
def test_a_request_that_is_refused_ends_the_call(aws, script, name, message, arn):
    aws.begin({"DescribeExecution": [IN_S3], **script})
    refused(name, lambda: aws.infer(LARGE), message, arn)
    if "PutObject" in script:
        assert "StartExecution" not in aws.calls


def test_a_start_whose_answer_was_lost_has_started_the_execution(aws):
    def found(request):
        return ended_with(output_of(run=f"Test/{request['executionArn'].split(':')[-1]}/1000"))

    aws.begin({"StartExecution": [LOST, error("ExecutionAlreadyExists")], "DescribeExecution": [found]})
    assert aws.infer().execution_arn == arn_of_start(aws)
    aws.begin({"StartExecution": [LOST, REFUSED]})
    assert raised(InferenceError, "^AccessDeniedException", aws.infer).execution_arn == arn_of_start(aws)


def test_the_end_of_the_waiting_time_names_the_last_request_that_failed(aws, advance):
    aws.begin({"DescribeExecution": [BROKEN]})
    aws.on["DescribeExecution"] = lambda: advance(29)
    caught = raised(InferenceTimeoutError, "within 360 seconds.*: it goes on, and the last", aws.infer)
    assert f"failed ({caught.__cause__.name}: " in str(caught)
    assert str(caught).endswith("check the connection or raise wait_timeout")
    assert isinstance(caught, TimeoutError)


@pytest.mark.parametrize(
    ("script", "operation", "times", "end"),
    [
        ({"DescribeExecution": [BROKEN]}, "DescribeExecution", 3, "the execution was stopped"),
        ({}, "StartExecution", 1, "the execution was stopped"),
        ({"StartExecution": [BROKEN]}, "StartExecution", 2, "the execution was stopped"),
        ({"StartExecution": [BROKEN], "StopExecution": [UNKNOWN]}, "StartExecution", 2, "nothing was started"),
        ({"StartExecution": [THROTTLED]}, "StartExecution", 4, "nothing was started"),
    ],
)
def test_the_end_of_a_wait_stops_what_may_have_started(aws, script, operation, times, end):
    aws.begin(script)
    aws.cancel_at(operation, times)
    caught = raised(InferenceCancelledError, end, lambda: aws.infer(cancel=aws.cancel, stop_on_cancel=True))
    was_stopped = end == "the execution was stopped"
    assert (caught.stopped, caught.execution_arn is not None) == (was_stopped, was_stopped)
    assert aws.calls.count("StopExecution") == (THROTTLED not in script.get("StartExecution", []))
    if was_stopped:
        assert aws.requests["StopExecution"][0]["executionArn"] == caught.execution_arn


def test_an_express_execution_cannot_be_stopped(aws):
    for call in (aws.infer, lambda **options: aws.model().invoke({}, **options)):
        aws.begin(EXPRESS)
        message = "^InvalidInput: stop_on_cancel expects a Standard state machine, got an Express one"
        raised(InferenceError, message, lambda: call(stop_on_cancel=True))  # noqa: B023
        assert aws.calls == ["DescribeStateMachine"]


@pytest.mark.parametrize(
    ("status", "told", "message"),
    [
        ("ABORTED", {"error": "Enough", "cause": "by hand"}, "^Enough: by hand$"),
        ("ABORTED", {}, "^ExecutionAborted: the execution ended with the status ABORTED$"),
        ("TIMED_OUT", {}, "^States.Timeout: the execution ended with the status TIMED_OUT$"),
    ],
)
def test_an_execution_that_does_not_succeed_is_an_error(aws, status, told, message):
    aws.begin({"DescribeExecution": [Answer({"executionArn": f"{EXECUTION}run", "status": status, **told})]})
    assert raised(InferenceError, message, aws.infer).execution_arn == f"{EXECUTION}run"


@pytest.mark.parametrize(
    ("answer", "message"), [(REFUSED, "AccessDeniedException"), (HANGS, "StopExecution must answer in time")]
)
def test_a_stop_that_fails_is_reported(aws, answer, message):
    aws.begin({"StopExecution": [answer], "DescribeExecution": [RUNNING]})
    aws.cancel_at("DescribeExecution")
    options = {"model": aws.own_model(request_timeout=0.5), "cancel": aws.cancel, "stop_on_cancel": True}
    caught = raised(InferenceError, f"^NotStopped: .*{message}", lambda: aws.infer(**options))
    assert (caught.execution_arn, caught.cause is None) == (f"{EXECUTION}run", False)


def test_progress_tells_of_states_from_all_pages_of_the_history(aws):
    def state(number, name, field="stateEnteredEventDetails"):
        return {"id": number, "timestamp": number, "type": "State", field: {"name": name}}

    first, left = state(2, "Slice 00"), state(3, "Slice 00", "stateExitedEventDetails")
    history = [
        Answer({"events": [first], "nextToken": "more"}),
        Answer({"events": [{"id": 1, "timestamp": 1, "type": "ExecutionStarted"}]}),
        Answer({"events": [state(4, "Slice 01"), left], "nextToken": "next"}),
        Answer({"events": [first], "nextToken": "older"}),
    ]
    aws.begin({"DescribeExecution": [RUNNING, BROKEN, succeeded()], "GetExecutionHistory": history})
    seen = []
    aws.infer(on_progress=seen.append)
    assert [(progress.event, progress.state, progress.time) for progress in seen[:-1]] == [
        ("started", None, 1000),
        ("state_entered", "Slice 00", 2),
        ("state_exited", "Slice 00", 3),
        ("state_entered", "Slice 01", 4),
    ]
    assert (seen[-1].event, {progress.execution_arn for progress in seen}) == ("ended", {f"{EXECUTION}run"})


def test_a_progress_function_can_end_the_call(aws):
    def fail(progress):
        raise KeyError(progress.event)

    raised(KeyError, "started", lambda: aws.infer(on_progress=fail))
    assert aws.counts("StartExecution") == (1,)


WAITS = {
    "DescribeStateMachine": "nothing was started",
    "PutObject": "nothing was started",
    "StartExecution": "it may have started",
    "DescribeExecution": "it goes on",
    "GetObject": "the results are in bucket/outputs/Test/run/1000.safetensors",
    "StartSyncExecution": "it goes on",
}


@pytest.mark.parametrize("kind", [InferenceCancelledError, InferenceTimeoutError])
@pytest.mark.parametrize("operation", WAITS)
def test_a_wait_ends_although_aws_does_not_answer(aws, advance, operation, kind):
    script = EXPRESS if operation == "StartSyncExecution" else {"DescribeExecution": [IN_S3]}
    aws.begin({**script, operation: [HANGS]})
    is_cancelled = kind is InferenceCancelledError
    aws.on[operation] = aws.cancel.set if is_cancelled else lambda: advance(60)
    message = "the wait was cancelled" if is_cancelled else "within 50 seconds, got no result"
    x = LARGE if operation == "PutObject" else X
    caught = raised(kind, message, lambda: aws.infer(x, cancel=aws.cancel, wait_timeout=50))
    assert str(caught).endswith(f": {WAITS[operation]}")
    has_execution = operation in ("StartExecution", "DescribeExecution", "GetObject")
    assert (caught.execution_arn is not None, caught.stopped) == (has_execution, False)


def test_a_wait_that_is_over_sends_nothing(aws):
    aws.cancel.set()
    raised(InferenceCancelledError, "nothing was started", lambda: aws.infer(cancel=aws.cancel))
    assert aws.calls == []


def test_a_program_can_end_while_requests_hang(aws):
    aws.begin({"DescribeStateMachine": [HANGS]})
    program = (
        "import sliced_inference\n"
        f"model = sliced_inference.SlicedInferenceClient({ARN!r})\n"
        "try: model.infer({}, wait_timeout=0.3)\n"
        "except sliced_inference.InferenceTimeoutError as end: print(end)\n"
    )
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=env)
    expected = "the run must end within 0.3 seconds, got no result: nothing was started\n"
    assert (ended.stdout, ended.stderr, ended.returncode) == (expected, "", 0)


@pytest.mark.parametrize(
    ("operation", "answers", "arn"),
    [
        ("DescribeStateMachine", [HANGS], None),
        ("GetObject", [HANGS], f"{EXECUTION}run"),
        ("GetObject", [CUT], f"{EXECUTION}run"),
        ("DescribeExecution", [HANGS, succeeded()], "sent again"),
    ],
)
def test_a_request_that_is_not_answered_in_time_is_named_or_sent_again(aws, operation, answers, arn):
    aws.begin({"DescribeExecution": [IN_S3], operation: answers})
    infer = lambda: aws.infer(model=aws.own_model(request_timeout=0.3))  # noqa: E731
    if arn == "sent again":
        assert_result(infer())
        return
    message = f"^{operation} must answer in time, got no answer .*: raise request_timeout"
    caught = raised(InferenceTimeoutError, message, infer)
    assert (caught.execution_arn, caught.stopped) == (arn, False)


@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf")])
def test_numbers_that_are_none_are_refused(aws, value):
    model = aws.model()
    for name in ("wait_timeout", "request_timeout", "poll_interval", "max_result_bytes"):
        raised(ValueError, f"^{name} must be a finite number above 0", lambda: aws.model(**{name: value}))  # noqa: B023
    for call in (
        lambda: aws.infer(wait_timeout=value),
        lambda: model.invoke({}, wait_timeout=value),
    ):
        raised(ValueError, "must be a finite number above 0", call)
    raised(TypeError, "str", lambda: aws.model(wait_timeout="5"))
    assert aws.calls == []


def test_missing_credentials_and_endpoints_are_named(aws, monkeypatch):
    # Port 1 is reserved, so nothing listens there.
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    message = "DescribeStateMachine failed: .*http://127.0.0.1:1"
    refused("EndpointConnectionError", lambda: aws.infer(model=aws.own_model()), message)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    message = "boto3 must have credentials for DescribeStateMachine, got none: .*: set AWS_PROFILE or run with a role"
    refused("NoCredentialsError", lambda: aws.infer(model=aws.own_model()), message)
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    refused("ProfileNotFound", lambda: aws.infer(model=aws.own_model()), message)


@pytest.mark.parametrize(("qualifier", "described"), [(":live", ""), (":7-green", ""), (":7", ":7")])
def test_an_alias_is_started_and_its_state_machine_described(aws, qualifier, described):
    assert_result(SlicedInferenceClient(ARN + qualifier, poll_interval=0.001, **aws.clients).infer({"x": X}))
    asked = [aws.requests[name][0]["stateMachineArn"] for name in ("DescribeStateMachine", "StartExecution")]
    assert asked == [ARN + described, ARN + qualifier]


@pytest.mark.parametrize("arn", ["Machine", f"{EXECUTION}name", "arn:aws:s3:::bucket", ARN.replace("eu-west-1", "")])
def test_what_is_no_arn_of_a_state_machine_is_refused(arn):
    raised(ValueError, "a state machine's ARN must be like", lambda: SlicedInferenceClient(arn))


def test_results_above_the_limit_are_not_read(aws):
    aws.begin({"DescribeExecution": [IN_S3]})
    message = r"^InvalidOutput: .* at most 20 bytes, got \d+: raise max_result_bytes$"
    raised(InferenceError, message, lambda: aws.infer(model=aws.model(max_result_bytes=20)))
