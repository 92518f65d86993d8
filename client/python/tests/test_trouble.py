"""Calls while AWS throttles, breaks connections and does not answer."""

import os
import subprocess
import sys
import threading

import boto3
import botocore.exceptions
import numpy as np
import pytest
from botocore.config import Config
from conftest import ARN, EXECUTION, LARGE, RUNNING, STARTED, X, ended_with, machine, output_of, succeeded
from fake_aws import CUT, HANGS, LOST, Answer, FakeAws, error, s3_error

from sliced_inference import InferenceCancelledError, InferenceError, InferenceTimeoutError

REFUSED = error("AccessDeniedException")
THROTTLED = error("ThrottlingException")
BROKEN = error("InternalFailure", 500)
UNKNOWN = error("ExecutionDoesNotExist")
EXPRESS = {"DescribeStateMachine": [machine("EXPRESS")]}


def assert_result(result):
    assert result.outputs["y"].tolist() == X.tolist()
    assert result.execution_arn == f"{EXECUTION}run"


def raised(kind, message, work):
    with pytest.raises(kind, match=message) as caught:
        work()
    return caught.value


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
    caught = raised(InferenceError, f"^{name}", aws.infer)
    assert caught.execution_arn.startswith(EXECUTION)
    assert aws.calls.count(operation) == 20


def test_a_request_that_is_refused_ends_the_call(aws):
    for script, name, message, arn in (
        ({"DescribeStateMachine": [error("StateMachineDoesNotExist")]}, "StateMachineDoesNotExist", "DescribeS", None),
        ({"StartExecution": [REFUSED]}, "AccessDeniedException", "StartExecution", None),
        ({"DescribeExecution": [REFUSED]}, "AccessDeniedException", "DescribeExecution", f"{EXECUTION}run"),
        ({"DescribeExecution": [UNKNOWN]}, "ExecutionDoesNotExist", None, f"{EXECUTION}run"),
        ({**EXPRESS, "StartSyncExecution": [BROKEN]}, "InternalFailure", "StartSyncExecution", None),
        ({**EXPRESS, "StartSyncExecution": [LOST]}, "ConnectionClosedError", "StartSyncExecution failed: ", None),
        (
            {"DescribeExecution": [succeeded(inline=False)], "GetObject": [s3_error("NoSuchKey", 404)]},
            *("NoSuchKey", "GetObject", f"{EXECUTION}run"),
        ),
    ):
        aws.begin(script)
        refused(name, aws.infer, message, arn)
    aws.begin({"PutObject": [s3_error("AccessDenied", 403)]})
    refused("AccessDenied", lambda: aws.infer(LARGE), "PutObject")
    assert "StartExecution" not in aws.calls
    aws.begin({"StartExecution": [REFUSED]})
    assert [outcome.error.name for outcome in aws.model().infer_many([{"x": X}] * 2)] == ["AccessDeniedException"] * 2


def test_a_start_whose_answer_was_lost_has_started_the_execution(aws):
    def found(request):
        return ended_with(output_of(run=f"Test/{request['executionArn'].split(':')[-1]}/1000"))

    aws.begin({"StartExecution": [LOST, error("ExecutionAlreadyExists")], "DescribeExecution": [found]})
    assert aws.infer().execution_arn == arn_of_start(aws)
    aws.begin({"StartExecution": [LOST, REFUSED]})
    assert raised(InferenceError, "^AccessDeniedException", aws.infer).execution_arn == arn_of_start(aws)


def test_the_end_of_the_waiting_time_names_the_last_request_that_failed(aws, clock):
    for script, operation, options, message in (
        ({"DescribeExecution": [BROKEN]}, "DescribeExecution", {}, "within 360 seconds.*: it goes on, and the last"),
        (
            {**EXPRESS, "StartSyncExecution": [THROTTLED]},
            "StartSyncExecution",
            {"wait_timeout": 50},
            "within 50 seconds",
        ),
    ):
        aws.begin(script)
        aws.on[operation] = lambda: clock.advance(29)
        caught = raised(InferenceTimeoutError, message, lambda: aws.infer(**options))  # noqa: B023
        name = caught.__cause__.name
        assert f"failed ({name}: " in str(caught)
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


def test_a_stop_that_fails_is_reported(aws):
    for answer, message in ((REFUSED, "AccessDeniedException"), (HANGS, "StopExecution must answer in time")):
        aws.begin({"StopExecution": [answer], "DescribeExecution": [RUNNING]})
        aws.cancel_at("DescribeExecution")
        model = aws.own_model(request_timeout=0.5)
        infer = lambda: aws.infer(model=model, cancel=aws.cancel, stop_on_cancel=True)  # noqa: B023, E731
        caught = raised(InferenceError, f"^NotStopped: .*{message}", infer)
        assert (caught.execution_arn, caught.cause is None) == (f"{EXECUTION}run", False)


def test_progress_tells_of_states_from_all_pages_of_the_history(aws):
    def state(number, field, name):
        return {"id": number, "timestamp": number, "type": "State", field: {"name": name}}

    entered, exited = "stateEnteredEventDetails", "stateExitedEventDetails"
    history = [
        Answer({"events": [state(2, entered, "Slice 00")], "nextToken": "more"}),
        Answer({"events": [{"id": 1, "timestamp": 1, "type": "ExecutionStarted"}]}),
        Answer({"events": [state(4, entered, "Slice 01"), state(3, exited, "Slice 00")], "nextToken": "next"}),
        Answer({"events": [state(2, entered, "Slice 00")], "nextToken": "older"}),
    ]
    aws.begin({"DescribeExecution": [RUNNING, BROKEN, succeeded()], "GetExecutionHistory": history})
    seen, threads = [], set()
    aws.infer(on_progress=lambda progress: (seen.append(progress), threads.add(threading.current_thread())))
    assert [(progress.event, progress.state, progress.time) for progress in seen[:-1]] == [
        ("started", None, 1000),
        ("state_entered", "Slice 00", 2),
        ("state_exited", "Slice 00", 3),
        ("state_entered", "Slice 01", 4),
    ]
    assert (seen[-1].event, {progress.execution_arn for progress in seen}) == ("ended", {f"{EXECUTION}run"})
    assert threads == {threading.current_thread()}


def test_a_progress_function_can_end_the_call(aws):
    for kind in (KeyError, InferenceTimeoutError):

        def fail(progress):
            raise kind(progress.event)  # noqa: B023

        raised(kind, "started", lambda: aws.infer(on_progress=fail))  # noqa: B023
    assert aws.calls.count("StartExecution") == 2
    aws.begin(EXPRESS)
    infer = lambda: aws.infer(cancel=aws.cancel, on_progress=lambda _: aws.cancel.set())  # noqa: E731
    raised(InferenceCancelledError, "nothing was started", infer)
    assert aws.calls == ["DescribeStateMachine"]


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
def test_a_wait_ends_although_aws_does_not_answer(aws, clock, operation, kind):
    script = EXPRESS if operation == "StartSyncExecution" else {"DescribeExecution": [succeeded(inline=False)]}
    aws.begin({**script, operation: [HANGS]})
    is_cancelled = kind is InferenceCancelledError
    aws.on[operation] = aws.cancel.set if is_cancelled else lambda: clock.advance(60)
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


@pytest.mark.parametrize(
    ("operation", "script"), [("DescribeStateMachine", {}), ("StartExecution", {}), ("StartSyncExecution", EXPRESS)]
)
def test_neither_the_client_nor_boto3_sends_anything_after_the_wait(aws, monkeypatch, operation, script):
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "5")
    aws.begin({**script, operation: [HANGS, *script.get(operation, [machine()])]})
    aws.cancel_at(operation)
    raised(InferenceCancelledError, None, lambda: aws.infer(model=aws.own_model(), cancel=aws.cancel))
    # The connection breaks, which boto3 answers with the same request.
    aws.released.set()
    for thread in threading.enumerate():
        if thread.name == "sliced-inference":
            thread.join()
    assert aws.calls == [*{"DescribeStateMachine": None, operation: None}]


def test_boto3_still_repeats_requests_that_are_waited_for(aws, monkeypatch):
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "2")
    aws.begin({"DescribeStateMachine": [LOST, machine()]})
    assert_result(aws.infer(model=aws.own_model()))


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


def test_a_request_that_is_not_answered_in_time_is_named(aws):
    results = {"DescribeExecution": [succeeded(inline=False)]}
    for script, operation, arn in (
        ({"DescribeStateMachine": [HANGS]}, "DescribeStateMachine", None),
        ({**results, "GetObject": [HANGS]}, "GetObject", f"{EXECUTION}run"),
        ({**results, "GetObject": [CUT]}, "GetObject", f"{EXECUTION}run"),
    ):
        aws.begin(script)
        model = aws.own_model(request_timeout=0.3)
        message = f"^{operation} must answer in time, got no answer .*: raise request_timeout"
        caught = raised(InferenceTimeoutError, message, lambda: aws.infer(model=model))  # noqa: B023
        assert (caught.execution_arn, caught.stopped) == (arn, False)
    aws.begin({"DescribeExecution": [HANGS, succeeded()]})
    assert_result(aws.infer(model=aws.own_model(request_timeout=0.3)))


def test_numbers_that_are_none_are_refused(aws):
    for value in (0, -1, float("nan"), float("inf")):
        for name in ("wait_timeout", "request_timeout", "poll_interval", "max_result_bytes"):
            raised(ValueError, f"^{name} must be a finite number above 0", lambda: aws.model(**{name: value}))  # noqa: B023
        for call in (
            lambda: aws.infer(wait_timeout=value),  # noqa: B023
            lambda: aws.model().invoke({}, wait_timeout=value),  # noqa: B023
            lambda: aws.model().infer_many([], wait_timeout=value),  # noqa: B023
            lambda: aws.model().infer_many([], concurrency=value),  # noqa: B023
        ):
            raised(ValueError, "must be a finite number above 0", call)
    raised(TypeError, "str", lambda: aws.model(wait_timeout="5"))
    assert aws.calls == []


def test_missing_credentials_and_endpoints_are_named(aws, monkeypatch):
    unserved = FakeAws()
    unserved._server.shutdown()
    unserved._server.server_close()
    monkeypatch.setenv("AWS_ENDPOINT_URL", unserved.endpoint)
    message = f"DescribeStateMachine failed: .*{unserved.endpoint}"
    refused("EndpointConnectionError", lambda: aws.infer(model=aws.own_model()), message)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    message = "boto3 must have credentials for DescribeStateMachine, got none: .*: set AWS_PROFILE or run with a role"
    refused("NoCredentialsError", lambda: aws.infer(model=aws.own_model()), message)
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    refused("ProfileNotFound", lambda: aws.infer(model=aws.own_model()), message)


def test_clients_that_do_not_suit_express_are_refused_or_warned_of(aws):
    def client(**config):
        options = {"endpoint_url": aws.endpoint, "region_name": "eu-west-1"}
        return aws.model(
            step_functions=boto3.session.Session().client("stepfunctions", config=Config(**config), **options)
        )

    aws.begin(EXPRESS)
    raised(ValueError, r"create it with Config\(inject_host_prefix=False\)", lambda: aws.infer(model=client()))
    with pytest.warns(RuntimeWarning, match="read_timeout should be 310 seconds for Express, got 60"):
        assert_result(aws.infer(model=client(inject_host_prefix=False)))
    for arn in ("Machine", "arn:aws:states:eu-west-1:111122223333:execution:Machine:name", "arn:aws:s3:::bucket"):
        with pytest.raises(ValueError, match="a state machine's ARN must be like"):
            type(aws.model())(arn)


def test_results_above_the_limit_are_not_read(aws):
    aws.begin({"DescribeExecution": [succeeded(inline=False)]})
    message = r"^InvalidOutput: .* at most 20 bytes, got \d+: raise max_result_bytes$"
    raised(InferenceError, message, lambda: aws.infer(model=aws.model(max_result_bytes=20)))


class TestManyInputs:
    @pytest.fixture(autouse=True)
    def events(self, aws):
        self.released, self.blocking, self.closed = threading.Event(), threading.Event(), threading.Event()
        yield
        self.released.set()

    def blocked(self, before=1):
        """Makes some inputs, and does not make the next before it is released."""
        try:
            for _ in range(before):
                yield {"x": X}
            self.blocking.set()
            self.released.wait()
            yield {"x": X}
        finally:
            self.closed.set()

    @pytest.mark.parametrize("before", [0, 1])
    def test_an_event_ends_the_wait_for_an_input(self, aws, before):
        outcomes = aws.model().infer_many(self.blocked(before), cancel=aws.cancel)
        assert [next(outcomes).index for _ in range(before)] == list(range(before))
        threading.Thread(target=lambda: (self.blocking.wait(), aws.cancel.set())).start()
        raised(InferenceCancelledError, "the wait was cancelled", lambda: next(outcomes))

    def test_an_event_ends_the_runs(self, aws):
        aws.begin({"DescribeExecution": [RUNNING]})
        aws.cancel_at("DescribeExecution")
        outcomes = aws.model().infer_many([{"x": X}] * 9, concurrency=2, cancel=aws.cancel, stop_on_cancel=True)
        raised(InferenceCancelledError, "the execution was stopped", lambda: list(outcomes))
        assert aws.calls.count("StopExecution") == aws.calls.count("StartExecution") <= 2

    def test_outcomes_do_not_wait_for_a_source_that_waits_for_them(self, aws):
        indexes = []
        for outcome in aws.model().infer_many(self.blocked()):
            indexes.append(outcome.index)
            self.released.set()
        assert indexes == [0, 1]

    def test_an_iteration_that_ends_early_closes_the_generator(self, aws):
        taken = []

        def endless():
            try:
                while True:
                    taken.append(len(taken))
                    yield {"x": X}
            finally:
                self.closed.set()

        outcomes = aws.model().infer_many(endless(), concurrency=2)
        next(outcomes)
        outcomes.close()
        assert self.closed.is_set()
        assert len(taken) <= 5

    def test_a_generator_that_is_making_an_input_is_closed_later(self, aws):
        outcomes = aws.model().infer_many(self.blocked())
        next(outcomes)
        self.blocking.wait()
        outcomes.close()
        assert not self.closed.is_set()
        self.released.set()
        assert self.closed.wait(60)

    def test_an_error_of_the_source_comes_after_the_outcomes_before_it(self, aws):
        def inputs():
            yield {"x": X}
            raise LookupError("no more")

        outcomes = aws.model().infer_many(inputs())
        assert next(outcomes).index == 0
        raised(LookupError, "no more", lambda: next(outcomes))
        raised(TypeError, "not iterable", lambda: list(aws.model().infer_many(5)))

    def test_progress_counts(self, aws):
        seen = []
        inputs = [{"x": X}, {"x": np.zeros(2)}, {"x": X}]
        outcomes = list(aws.model().infer_many(inputs, concurrency=1, on_progress=seen.append))
        assert [outcome.error is None for outcome in outcomes] == [True, False, True]
        assert [(progress.done, progress.failed, progress.started, progress.total) for progress in seen] == [
            (1, 0, 1, 3),
            (2, 1, 2, 3),
            (3, 1, 3, 3),
        ]
