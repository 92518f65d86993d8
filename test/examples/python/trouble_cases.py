"""Test cases of `examples/python/sliced_inference.py` with an AWS that has trouble: a server on this machine.

`trouble.test.ts` shows each method as a test.
"""

import json
import os
import subprocess
import sys
import threading
import time
import unittest
import unittest.mock

import botocore.exceptions
import numpy as np
import sliced_inference
from fake_aws import HANGS, LOST, Answer, Cut, FakeAws, error, s3_error
from sliced_inference import InferenceCancelledError, InferenceError, InferenceTimeoutError, SlicedInferenceClient

ARN = "arn:aws:states:eu-west-1:111122223333:stateMachine:Test"
EXECUTION = "arn:aws:states:eu-west-1:111122223333:execution:Test:"
RUN = "Test/run/1000"
X = np.arange(3, dtype=np.float32)
LARGE = np.zeros(100_000, dtype=np.float32)
STARTING = ("StartExecution", "StartSyncExecution")


def machine(kind="STANDARD", bucket="bucket", digest="digest", output="y", seconds=300):
    """What DescribeStateMachine answers: a pipeline with an input `x` and an output of float32[n]."""
    x, y = ({"name": name, "dtype": "float32", "shape": ["n"]} for name in ("x", output))
    signature = {
        "version": 1,
        "bucket": bucket,
        "deploymentDigest": digest,
        "threads": 1,
        "inputs": [x],
        "outputs": [y],
    }
    comment = json.dumps({"slicedInference": signature})
    definition = json.dumps({"Comment": comment, "TimeoutSeconds": seconds})
    return Answer({"stateMachineArn": ARN, "name": "Test", "type": kind, "definition": definition})


def output_of(bucket="bucket", digest="digest", name="y", inline=True, run=RUN):
    """The output of an execution that returns its input `X`."""
    outputs = {"s3": {"bucket": bucket, "key": f"outputs/{run}.safetensors"}}
    if inline:
        outputs["tensors"] = {name: sliced_inference.encode_inline(X)}
    return json.dumps({"version": 1, "deploymentDigest": digest, "run": run, "timings": [], "outputs": outputs})


def succeeded(**output):
    return Answer({"executionArn": f"{EXECUTION}run", "status": "SUCCEEDED", "output": output_of(**output)})


RUNNING = Answer({"executionArn": f"{EXECUTION}run", "status": "RUNNING"})
STARTED = Answer({"executionArn": f"{EXECUTION}run", "startDate": 1000})
REFUSED = error("AccessDeniedException")
THROTTLED = error("ThrottlingException")
BROKEN = error("InternalFailure", 500)


class Clock:
    """The clock of the client, which a test can put forward."""

    def __init__(self):
        self._ahead = 0.0
        self._monotonic = time.monotonic

    def advance(self, seconds):
        self._ahead += seconds

    def patched(self):
        return unittest.mock.patch("time.monotonic", lambda: self._monotonic() + self._ahead)


class Case(unittest.TestCase):
    def setUp(self):
        self.aws = FakeAws()
        self.addCleanup(self.aws.close)
        self.begin()
        self.variables = {
            "AWS_ENDPOINT_URL": self.aws.endpoint,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            # The client's own repeats are tested, without the pauses of boto3.
            "AWS_MAX_ATTEMPTS": "1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "NO_PROXY": "127.0.0.1",
        }
        changed = unittest.mock.patch.dict(os.environ, self.variables)
        changed.start()
        self.addCleanup(changed.stop)

    def begin(self):
        """Lets AWS serve everything, as if nothing had happened before."""
        self.cancel = threading.Event()
        self.clock = Clock()
        self.aws.calls.clear()
        self.aws.on.clear()
        self.aws.script = {
            "DescribeStateMachine": [machine()],
            "StartExecution": [STARTED],
            "StartSyncExecution": [succeeded()],
            "DescribeExecution": [RUNNING, succeeded()],
            "StopExecution": [Answer({"stopDate": 1001})],
            "PutObject": [Answer()],
            "GetObject": [Answer(sliced_inference.encode_file({"y": X}))],
        }

    def model(self, **settings):
        return SlicedInferenceClient(ARN, **{"poll_interval": 0.001, **settings})

    def infer(self, x=X, model=None, **options):
        return (model or self.model()).infer({"x": x}, **options)

    def assert_result(self, result):
        self.assertEqual(result.outputs["y"].tolist(), X.tolist())
        self.assertEqual(result.execution_arn, f"{EXECUTION}run")

    def assert_error(self, name, work, message="", arn=None):
        """The work fails with an error of the client, which boto3's error has caused."""
        with self.assertRaisesRegex(InferenceError, message) as caught:
            work()
        self.assertEqual((caught.exception.name, caught.exception.execution_arn), (name, arn))
        self.assertIsInstance(
            caught.exception.cause, (botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError)
        )
        return caught.exception

    def cancel_at(self, operation, times=1):
        """Cancels the call when an operation is asked for the last of so many times."""

        def count():
            if self.aws.calls.count(operation) == times:
                self.cancel.set()

        self.aws.on[operation] = count

    def late_at(self, operation, seconds=35):
        """Lets so many seconds pass when an operation is asked for."""
        self.aws.on[operation] = lambda: self.clock.advance(seconds)

    def join_requests(self):
        """Waits for the requests that the client has left behind."""
        for thread in threading.enumerate():
            if thread.name == "sliced-inference":
                thread.join()


class StandardTrouble(Case):
    def test_polling_goes_on_after_errors_throttles_and_lost_connections(self):
        self.aws.script["DescribeExecution"] = [
            BROKEN,
            THROTTLED,
            LOST,
            RUNNING,
            BROKEN,
            error("Unknown", 429),
            succeeded(),
        ]
        self.assert_result(self.infer())
        self.assertEqual(self.aws.calls.count("DescribeExecution"), 7)
        self.assertEqual(self.aws.calls.count("StartExecution"), 1)

    def test_polling_goes_on_after_a_request_without_an_answer(self):
        self.aws.script["DescribeExecution"] = [HANGS, succeeded()]
        self.late_at("DescribeExecution")
        with self.clock.patched():
            self.assert_result(self.infer())
        self.assertEqual(self.aws.calls.count("DescribeExecution"), 2)

    def test_the_wait_can_end_and_stop_the_run_while_polling_fails(self):
        self.aws.script["DescribeExecution"] = [BROKEN]
        self.cancel_at("DescribeExecution", times=3)
        with self.assertRaisesRegex(InferenceCancelledError, "cancelled: the execution was stopped") as caught:
            self.infer(cancel=self.cancel, stop_on_cancel=True)
        self.assertEqual((caught.exception.execution_arn, caught.exception.stopped), (f"{EXECUTION}run", True))
        self.assertEqual(self.aws.requests["StopExecution"][0]["executionArn"], f"{EXECUTION}run")

    def test_requests_that_fail_twenty_times_in_a_row_end_the_call(self):
        for operation in ("StartExecution", "DescribeExecution"):
            for trouble, name in ((BROKEN, "InternalFailure"), (LOST, "ConnectionClosedError")):
                self.begin()
                self.aws.script[operation] = [trouble]
                with self.assertRaisesRegex(InferenceError, f"^{name}") as caught:
                    self.infer()
                self.assertRegex(caught.exception.execution_arn, f"^{EXECUTION}")
                self.assertEqual(self.aws.calls.count(operation), 20)

    def test_throttled_requests_do_not_count_among_those_that_fail(self):
        trouble = [*[BROKEN] * 10, *[THROTTLED] * 20, *[BROKEN] * 9]
        self.aws.script["StartExecution"] = [*trouble, STARTED]
        self.aws.script["DescribeExecution"] = [*trouble, RUNNING, *trouble, succeeded()]
        self.assert_result(self.infer())

    def test_polling_that_fails_for_ever_ends_a_minute_after_the_timeout_of_the_state_machine(self):
        self.aws.script["DescribeExecution"] = [BROKEN]
        self.late_at("DescribeExecution", 29)
        with (
            self.clock.patched(),
            self.assertRaisesRegex(InferenceTimeoutError, "within 360 seconds.*: it goes on, and the last") as caught,
        ):
            self.infer()
        self.assertEqual(caught.exception.execution_arn, f"{EXECUTION}run")
        self.assertEqual(self.aws.calls.count("DescribeExecution"), 13)
        self.assertRegex(str(caught.exception), r"failed \(InternalFailure: .*\): check the connection or raise wait_tim")
        self.assertEqual(caught.exception.__cause__.name, "InternalFailure")

    def test_a_refused_request_for_the_state_ends_the_call_with_the_execution(self):
        self.aws.script["DescribeExecution"] = [REFUSED]
        failed = self.assert_error("AccessDeniedException", self.infer, "DescribeExecution", f"{EXECUTION}run")
        self.assertIs(failed.__cause__, failed.cause)

    def test_an_execution_that_never_becomes_known_is_asked_for_twenty_times(self):
        self.aws.script["DescribeExecution"] = [error("ExecutionDoesNotExist")]
        self.assert_error("ExecutionDoesNotExist", self.infer, arn=f"{EXECUTION}run")
        self.assertEqual(self.aws.calls.count("DescribeExecution"), 20)

    def test_only_unknown_states_in_a_row_are_counted(self):
        unknown = [error("ExecutionDoesNotExist")] * 19
        self.aws.script["DescribeExecution"] = [*unknown, RUNNING, *unknown, succeeded()]
        self.assert_result(self.infer())

    def test_a_start_whose_answer_was_lost_has_started_the_execution(self):
        self.aws.script["StartExecution"] = [LOST, error("ExecutionAlreadyExists")]
        self.aws.script["DescribeExecution"] = [
            lambda request: succeeded(run=f"Test/{request['executionArn'].split(':')[-1]}/1000")
        ]
        result = self.infer()
        names = {request["name"] for request in self.aws.requests["StartExecution"]}
        self.assertEqual(result.execution_arn, EXECUTION + names.pop())
        self.assertEqual(names, set())

    def test_a_start_is_repeated_under_the_same_name(self):
        self.aws.script["StartExecution"] = [BROKEN, THROTTLED, error("ExecutionLimitExceeded"), HANGS, STARTED]
        self.late_at("StartExecution")
        with self.clock.patched():
            self.assert_result(self.infer())
        self.assertEqual(len({request["name"] for request in self.aws.requests["StartExecution"]}), 1)
        self.assertEqual(self.aws.calls.count("StartExecution"), 5)

    def test_a_start_that_is_refused_starts_nothing(self):
        self.aws.script["StartExecution"] = [REFUSED]
        self.assert_error("AccessDeniedException", self.infer, "StartExecution")

    def test_a_start_that_is_refused_after_a_lost_answer_names_the_execution(self):
        self.aws.script["StartExecution"] = [LOST, REFUSED]
        with self.assertRaisesRegex(InferenceError, "^AccessDeniedException") as caught:
            self.infer()
        self.assertRegex(caught.exception.execution_arn, f"^{EXECUTION}.{{36}}$")

    def test_a_wait_that_ends_during_throttled_starts_has_started_nothing(self):
        self.aws.script["StartExecution"] = [THROTTLED]
        self.cancel_at("StartExecution", times=4)
        with self.assertRaisesRegex(InferenceCancelledError, "nothing was started") as caught:
            self.infer(cancel=self.cancel, stop_on_cancel=True)
        self.assertEqual((caught.exception.execution_arn, caught.exception.stopped), (None, False))
        self.assertNotIn("StopExecution", self.aws.calls)

    def test_a_wait_that_ends_during_broken_starts_stops_what_may_have_started(self):
        for stop, text in (
            ([Answer({"stopDate": 1})], "was stopped"),
            ([error("ExecutionDoesNotExist")], "nothing was"),
        ):
            self.begin()
            self.aws.script |= {"StartExecution": [BROKEN], "StopExecution": stop}
            self.cancel_at("StartExecution", times=2)
            with self.assertRaisesRegex(InferenceCancelledError, text):
                self.infer(cancel=self.cancel, stop_on_cancel=True)
            self.assertEqual(self.aws.calls.count("StopExecution"), 1)

    def test_a_wait_that_ends_during_a_start_waits_for_its_answer_if_it_must_stop_the_execution(self):
        self.cancel_at("StartExecution")
        with self.assertRaisesRegex(InferenceCancelledError, "the execution was stopped") as caught:
            self.infer(cancel=self.cancel, stop_on_cancel=True)
        self.assertTrue(caught.exception.stopped)
        self.assertNotIn("DescribeExecution", self.aws.calls)

    def test_a_stop_that_fails_is_reported(self):
        for answer, message in ((REFUSED, "AccessDeniedException"), (HANGS, "StopExecution must answer within 30 sec")):
            self.begin()
            self.late_at("StopExecution")
            self.aws.script |= {"StopExecution": [answer], "DescribeExecution": [RUNNING]}
            self.cancel_at("DescribeExecution")
            expected = self.assertRaisesRegex(InferenceError, f"^NotStopped: .*{message}")
            with self.clock.patched(), expected as caught:
                self.infer(cancel=self.cancel, stop_on_cancel=True)
            self.assertEqual(caught.exception.execution_arn, f"{EXECUTION}run")
            self.assertIsNotNone(caught.exception.cause)

    def test_progress_tells_of_states_from_all_pages_of_the_history(self):
        def state(number, field, name):
            return {"id": number, "timestamp": number, "type": "State", field: {"name": name}}

        entered, exited = "stateEnteredEventDetails", "stateExitedEventDetails"
        self.aws.script["DescribeExecution"] = [RUNNING, BROKEN, succeeded()]
        self.aws.script["GetExecutionHistory"] = [
            Answer({"events": [state(2, entered, "Slice 00")], "nextToken": "more"}),
            Answer({"events": [{"id": 1, "timestamp": 1, "type": "ExecutionStarted"}]}),
            Answer({"events": [state(4, entered, "Slice 01"), state(3, exited, "Slice 00")], "nextToken": "next"}),
            Answer({"events": [state(2, entered, "Slice 00")], "nextToken": "older"}),
        ]
        seen = []
        self.infer(on_progress=seen.append)
        self.assertEqual(
            [(progress.event, progress.state, progress.time) for progress in seen[:-1]],
            [
                ("started", None, 1000),
                ("state_entered", "Slice 00", 2),
                ("state_exited", "Slice 00", 3),
                ("state_entered", "Slice 01", 4),
            ],
        )
        self.assertEqual(
            (seen[-1].event, {progress.execution_arn for progress in seen}), ("ended", {f"{EXECUTION}run"})
        )

    def test_an_error_of_the_progress_function_ends_the_call(self):
        for kind in (KeyError, InferenceTimeoutError):

            def fail(progress):
                raise kind(progress.event)  # noqa: B023

            with self.assertRaisesRegex(kind, "started"):
                self.infer(on_progress=fail)
        self.assertEqual(self.aws.calls.count("StartExecution"), 2)

    def test_a_stub_in_the_place_of_boto3_is_served(self):
        class Stub:
            def __init__(self, kind="STANDARD"):
                self._kind = kind

            def describe_state_machine(self, **_):
                return machine(self._kind).body

            def start_sync_execution(self, **_):
                return succeeded().body

            def start_execution(self, **_):
                return {"executionArn": f"{EXECUTION}run"}

            def describe_execution(self, **_):
                return succeeded().body

        for kind in ("STANDARD", "EXPRESS"):
            self.assert_result(self.infer(model=self.model(step_functions=Stub(kind))))
        self.assertEqual(self.aws.calls, [])

    def test_a_progress_function_that_cancels_starts_nothing_more(self):
        self.aws.script["DescribeStateMachine"] = [machine("EXPRESS")]
        with self.assertRaisesRegex(InferenceCancelledError, "nothing was started"):
            self.infer(cancel=self.cancel, on_progress=lambda _: self.cancel.set())
        self.assertEqual(self.aws.calls, ["DescribeStateMachine"])


class ExpressTrouble(Case):
    def setUp(self):
        super().setUp()
        self.aws.script["DescribeStateMachine"] = [machine("EXPRESS")]

    def test_a_throttled_start_is_repeated_until_it_is_accepted(self):
        self.aws.script["StartSyncExecution"] = [*[THROTTLED] * 6, error("ExecutionLimitExceeded"), succeeded()]
        self.assert_result(self.infer())
        self.assertEqual(self.aws.calls.count("StartSyncExecution"), 8)

    def test_a_start_that_may_have_run_is_not_repeated(self):
        self.aws.script["StartSyncExecution"] = [BROKEN]
        self.assert_error("InternalFailure", self.infer, "StartSyncExecution")
        self.aws.script["StartSyncExecution"] = [LOST]
        self.assert_error("ConnectionClosedError", self.infer, "StartSyncExecution failed: ")
        self.assertEqual(self.aws.calls.count("StartSyncExecution"), 2)

    def test_a_wait_that_ends_during_throttled_starts_has_started_nothing(self):
        self.aws.script["StartSyncExecution"] = [THROTTLED]
        self.cancel_at("StartSyncExecution", times=4)
        with self.assertRaisesRegex(InferenceCancelledError, "nothing was started"):
            self.infer(cancel=self.cancel)

    def test_the_end_of_the_waiting_time_names_the_last_request_that_failed(self):
        self.aws.script["StartSyncExecution"] = [THROTTLED]
        self.late_at("StartSyncExecution", 29)
        message = "nothing was started, and the last request failed .ThrottlingException: .*: check the connection or raise"
        with self.clock.patched(), self.assertRaisesRegex(InferenceTimeoutError, message) as caught:
            self.infer(wait_timeout=50)
        self.assertEqual(caught.exception.__cause__.name, "ThrottlingException")


class Hanging(Case):
    """AWS takes a request and does not answer."""

    def hang(self, operation, kind="STANDARD"):
        """Lets an operation hang from now on, and returns the arguments of a call that comes to it."""
        self.begin()
        self.aws.script["DescribeStateMachine"] = [machine(kind)]
        if operation == "GetObject":
            self.aws.script["DescribeExecution"] = [succeeded(inline=False)]
        self.aws.script[operation] = [HANGS]
        return {"x": LARGE if operation == "PutObject" else X}

    WAITS = {
        ("DescribeStateMachine", "STANDARD"): ("nothing was started", False),
        ("PutObject", "STANDARD"): ("nothing was started", False),
        ("StartExecution", "STANDARD"): ("it may have started", True),
        ("DescribeExecution", "STANDARD"): ("it goes on", True),
        ("GetObject", "STANDARD"): ("the results are in bucket/outputs/Test/run/1000.safetensors", True),
        ("StartSyncExecution", "EXPRESS"): ("it goes on", False),
    }

    def assert_left(self, caught, situation, has_execution):
        self.assertFalse(self.aws.released.is_set())
        self.assertTrue(str(caught.exception).endswith(f": {situation}"), str(caught.exception))
        self.assertEqual(caught.exception.execution_arn is not None, has_execution)

    def test_an_event_ends_the_wait_during_every_request(self):
        for (operation, kind), (situation, has_execution) in self.WAITS.items():
            with self.subTest(operation):
                options = self.hang(operation, kind)
                self.cancel_at(operation)
                with self.assertRaisesRegex(InferenceCancelledError, "the wait was cancelled") as caught:
                    self.infer(**options, cancel=self.cancel)
                self.assert_left(caught, situation, has_execution)

    def test_the_end_of_the_waiting_time_ends_the_wait_during_every_request(self):
        for (operation, kind), (situation, has_execution) in self.WAITS.items():
            options = self.hang(operation, kind)
            self.late_at(operation, 60)
            with self.subTest(operation), self.clock.patched():
                with self.assertRaisesRegex(InferenceTimeoutError, "within 50 seconds, got no result") as caught:
                    self.infer(**options, wait_timeout=50)
                self.assert_left(caught, situation, has_execution)

    def test_a_short_wait_ends_too(self):
        self.hang("DescribeStateMachine")
        for call in (
            lambda: self.model().infer({}, wait_timeout=0.3),
            lambda: self.model().invoke(1, wait_timeout=0.3),
        ):
            with self.assertRaisesRegex(InferenceTimeoutError, "within 0.3 seconds.*: nothing was started"):
                call()
        self.assertFalse(self.aws.released.is_set())

    def test_many_runs_end_while_aws_hangs(self):
        self.hang("DescribeStateMachine")
        self.cancel_at("DescribeStateMachine")
        with self.assertRaises(InferenceCancelledError):
            list(self.model().infer_many([{"x": X}] * 9, cancel=self.cancel))
        self.assertFalse(self.aws.released.is_set())

    def test_nothing_is_started_after_the_wait(self):
        self.hang("DescribeStateMachine")
        self.cancel_at("DescribeStateMachine")
        with self.assertRaises(InferenceCancelledError):
            self.infer(cancel=self.cancel)
        # What hangs ends, and AWS answers again.
        self.aws.script["DescribeStateMachine"] = [machine()]
        self.aws.released.set()
        self.join_requests()
        self.assertEqual(self.aws.calls, ["DescribeStateMachine"])

    def test_boto3_repeats_no_start_after_the_wait(self):
        os.environ["AWS_MAX_ATTEMPTS"] = "5"
        for operation, kind in (("StartExecution", "STANDARD"), ("StartSyncExecution", "EXPRESS")):
            with self.subTest(operation):
                self.aws.released.clear()
                options = self.hang(operation, kind)
                self.cancel_at(operation)
                with self.assertRaises(InferenceCancelledError):
                    self.infer(**options, cancel=self.cancel)
                # The connection breaks, which boto3 answers with the same request.
                self.aws.released.set()
                self.join_requests()
                self.assertEqual(self.aws.calls, ["DescribeStateMachine", operation])

    def test_boto3_still_repeats_requests_that_are_waited_for(self):
        os.environ["AWS_MAX_ATTEMPTS"] = "2"
        self.aws.script["DescribeStateMachine"] = [LOST, machine()]
        self.assert_result(self.infer())

    def test_a_program_can_end_while_requests_hang(self):
        self.hang("DescribeStateMachine")
        program = (
            "import sliced_inference\n"
            f"model = sliced_inference.SlicedInferenceClient({ARN!r})\n"
            "try: model.infer({}, wait_timeout=0.3)\n"
            "except sliced_inference.InferenceTimeoutError: print('late')\n"
        )
        ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
        self.assertEqual((ended.stdout, ended.stderr, ended.returncode), ("late\n", "", 0))
        self.assertFalse(self.aws.released.is_set())


class RequestTime(Case):
    """`request_timeout` is the time of one request."""

    def assert_late(self, operation, work, seconds="30", arn=None):
        with (
            self.clock.patched(),
            self.assertRaisesRegex(
                InferenceTimeoutError, f"^{operation} must answer within {seconds} seconds, got no answer"
            ) as caught,
        ):
            work()
        self.assertEqual((caught.exception.execution_arn, caught.exception.stopped), (arn, False))
        self.assertFalse(self.aws.released.is_set())

    def test_a_request_without_an_answer_is_named(self):
        self.aws.script["DescribeStateMachine"] = [HANGS]
        self.late_at("DescribeStateMachine")
        for work in (self.model().describe, self.infer, lambda: self.model().invoke({})):
            self.assert_late("DescribeStateMachine", work)

    def test_the_time_is_a_setting(self):
        self.aws.script["DescribeStateMachine"] = [HANGS]
        self.assert_late("DescribeStateMachine", self.model(request_timeout=0.5).describe, seconds="0.5")

    def test_a_result_that_does_not_come_names_the_execution(self):
        for answer in (HANGS, Cut(b"some bytes")):
            self.begin()
            self.late_at("GetObject")
            self.aws.script |= {"DescribeExecution": [succeeded(inline=False)], "GetObject": [answer]}
            self.assert_late("GetObject", self.infer, arn=f"{EXECUTION}run")

    def test_boto3s_repeats_are_within_the_time(self):
        os.environ["AWS_MAX_ATTEMPTS"] = "50"
        self.aws.script["DescribeStateMachine"] = [LOST]
        self.late_at("DescribeStateMachine", 20)
        self.assert_late("DescribeStateMachine", self.infer)

    def test_an_upload_has_a_second_more_for_each_mebibyte(self):
        self.aws.script["PutObject"] = [HANGS]
        self.late_at("PutObject")
        self.assert_late("PutObject", lambda: self.infer(np.zeros(2**20, np.float32)), seconds=r"34\.\d+")

    def test_a_download_may_take_longer_if_it_goes_on(self):
        file = sliced_inference.encode_file({"y": X})
        clock = self.clock

        class Slow:
            """A body that comes byte by byte, each after 20 seconds."""

            def __init__(self):
                self._rest = file

            def read(self, _):
                clock.advance(20)
                part, self._rest = self._rest[:1], self._rest[1:]
                return part

        storage = unittest.mock.Mock()
        storage.get_object.side_effect = lambda **_: {"Body": Slow(), "ContentLength": len(file)}
        self.aws.script["DescribeExecution"] = [succeeded(inline=False)]
        with self.clock.patched():
            self.assert_result(self.infer(model=self.model(s3=storage), wait_timeout=1e9))

    def test_times_that_are_none_are_refused(self):
        makers = {
            name: lambda value, name=name: SlicedInferenceClient(ARN, **{name: value})
            for name in ("request_timeout", "poll_interval", "wait_timeout")
        }
        calls = {
            "wait_timeout": [
                makers.pop("wait_timeout"),
                lambda value: self.infer(wait_timeout=value),
                lambda value: self.model().invoke({}, wait_timeout=value),
                lambda value: self.model().infer_many([], wait_timeout=value),
            ],
            **{name: [maker] for name, maker in makers.items()},
        }
        for name, works in calls.items():
            for work in works:
                for seconds in (0, -1, float("nan"), float("inf")):
                    with self.assertRaisesRegex(ValueError, f"^{name} must be a finite number of seconds above 0"):
                        work(seconds)
                for seconds in ("5", True, [5]):
                    with self.assertRaisesRegex(TypeError, f"^{name} must be a number of seconds, got "):
                        work(seconds)
        self.assertEqual(self.aws.calls, [])


class ManyInputs(Case):
    def setUp(self):
        super().setUp()
        self.released = threading.Event()
        self.closed = threading.Event()

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

    def begin(self):
        super().begin()
        self.blocking = threading.Event()

    def test_an_event_ends_the_wait_for_an_input(self):
        for before in (0, 1):
            self.begin()
            outcomes = self.model().infer_many(self.blocked(before), cancel=self.cancel)
            for index in range(before):
                self.assertEqual(next(outcomes).index, index)
            threading.Thread(target=lambda: (self.blocking.wait(), self.cancel.set())).start()
            with self.assertRaisesRegex(InferenceCancelledError, "the wait was cancelled"):
                next(outcomes)
        self.released.set()

    def test_an_iteration_that_ends_early_closes_the_generator(self):
        def endless():
            try:
                while True:
                    yield {"x": X}
            finally:
                self.closed.set()

        outcomes = self.model().infer_many(endless())
        next(outcomes)
        outcomes.close()
        self.assertTrue(self.closed.wait(60))

    def test_an_iteration_that_ends_while_the_generator_makes_an_input_closes_it_later(self):
        outcomes = self.model().infer_many(self.blocked())
        next(outcomes)
        self.blocking.wait()
        outcomes.close()
        self.assertFalse(self.closed.is_set())
        self.released.set()
        self.assertTrue(self.closed.wait(60))

    def test_another_iterator_is_not_closed(self):
        class Rows:
            closed = False

            def __init__(self, count):
                self._left = count

            def __iter__(self):
                return self

            def __next__(self):
                self._left -= 1
                if self._left < 0:
                    raise StopIteration
                return {"x": X}

            def close(self):
                Rows.closed = True

        self.assertEqual(len(list(self.model().infer_many(Rows(3)))), 3)
        outcomes = self.model().infer_many(Rows(100))
        next(outcomes)
        outcomes.close()
        self.assertFalse(Rows.closed)

    def test_inputs_that_cannot_be_iterated_are_the_error_of_the_iteration(self):
        with self.assertRaisesRegex(TypeError, "not iterable"):
            list(self.model().infer_many(5))


class Files(Case):
    def test_headers_that_are_none_are_those_of_a_malformed_file(self):
        headers = ['"text"', "[]", "7", "null", '{"__metadata__": "text"}', "[" * 100_000]
        for text in headers:
            header = text.encode()
            with self.subTest(text[:20]), self.assertRaises(sliced_inference.MalformedFile):
                sliced_inference.decode_file(len(header).to_bytes(8, "little") + header)


class Refusals(Case):
    """Errors of boto3 are the causes of the client's own."""

    def test_a_service_that_refuses_a_request_gives_the_error_its_name(self):
        self.aws.script["DescribeStateMachine"] = [error("StateMachineDoesNotExist")]
        for work in (self.model().describe, self.infer, lambda: self.model().invoke({})):
            self.assert_error("StateMachineDoesNotExist", work, "DescribeStateMachine")

    def test_s3_that_refuses_an_upload_gives_the_error_its_name(self):
        self.aws.script["PutObject"] = [s3_error("AccessDenied", 403)]
        self.assert_error("AccessDenied", lambda: self.infer(LARGE), "PutObject")
        self.assertNotIn("StartExecution", self.aws.calls)

    def test_s3_that_refuses_a_download_gives_the_error_its_name(self):
        self.aws.script["DescribeExecution"] = [succeeded(inline=False)]
        self.aws.script["GetObject"] = [s3_error("NoSuchKey", 404)]
        self.assert_error("NoSuchKey", self.infer, "GetObject", f"{EXECUTION}run")

    def test_many_runs_have_the_errors_as_outcomes(self):
        self.aws.script["StartExecution"] = [REFUSED]
        outcomes = list(self.model().infer_many([{"x": X}] * 2))
        self.assertEqual([outcome.error.name for outcome in outcomes], ["AccessDeniedException"] * 2)

    def test_an_endpoint_that_nobody_serves_is_named(self):
        server = FakeAws()
        server.close()
        os.environ["AWS_ENDPOINT_URL"] = server.endpoint
        self.assert_error("EndpointConnectionError", self.infer, f"DescribeStateMachine failed: .*{server.endpoint}")

    def test_missing_credentials_have_one_message(self):
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            del os.environ[name]
        message = (
            "boto3 must have credentials for DescribeStateMachine, got none: .*: set AWS_PROFILE or run with a role"
        )
        self.assert_error("NoCredentialsError", self.infer, message)
        os.environ["AWS_PROFILE"] = "nobody"
        self.assert_error("ProfileNotFound", self.infer, message)


class Redeployed(Case):
    """The stack was deleted and deployed again, under the same ARN, while a client lives."""

    def setUp(self):
        super().setUp()
        self.client = self.model()
        self.client.describe()
        self.aws.script["DescribeStateMachine"] = [machine(bucket="new", digest="new", output="z")]
        self.new = {"bucket": "new", "digest": "new", "name": "z"}
        self.aws.calls.clear()

    def assert_new(self, x=X):
        for _ in range(2):
            result = self.infer(x, model=self.client)
            self.assertEqual({name: tensor.tolist() for name, tensor in result.outputs.items()}, {"z": X.tolist()})
        self.assertEqual(self.aws.calls.count("DescribeStateMachine"), 1)

    def test_results_in_another_bucket_are_compared_with_the_latest_description(self):
        self.aws.script["DescribeExecution"] = [succeeded(**self.new, inline=False)]
        self.aws.script["GetObject"] = [Answer(sliced_inference.encode_file({"z": X}))]
        self.assert_new()
        self.assertEqual(self.aws.calls.count("StartExecution"), 2)

    def test_outputs_of_another_digest_are_compared_with_the_latest_description(self):
        self.aws.script["DescribeExecution"] = [succeeded(digest="new", name="z")]
        self.aws.script["DescribeStateMachine"] = [machine(digest="new", output="z")]
        self.assert_new()

    def test_outputs_that_are_not_those_of_the_latest_description_are_refused_at_once(self):
        self.aws.script["DescribeExecution"] = [succeeded(digest="new", name="y")]
        with self.assertRaisesRegex(InferenceError, "^InvalidOutput: .*the tensors {'z': 'float32'}"):
            self.infer(model=self.client)

    def test_results_are_kept_if_the_description_cannot_be_read_again(self):
        self.aws.script["DescribeExecution"] = [succeeded(digest="new", name="z")]
        self.aws.script["DescribeStateMachine"] = [THROTTLED]
        self.assertEqual(list(self.infer(model=self.client).outputs), ["z"])

    def test_results_of_a_bucket_that_no_description_has_are_refused(self):
        self.aws.script["DescribeExecution"] = [succeeded(bucket="other")]
        with self.assertRaisesRegex(InferenceError, "^InvalidOutput: .*results at new/outputs/.*, got other/"):
            self.infer(model=self.client)
        self.assertEqual(self.aws.calls.count("DescribeStateMachine"), 1)

    def test_a_request_goes_to_the_new_bucket_if_the_old_one_is_gone(self):
        self.aws.script["PutObject"] = [s3_error("NoSuchBucket", 404), Answer()]
        self.aws.script["DescribeExecution"] = [succeeded(**self.new)]
        self.assert_new(LARGE)
        buckets = [path.split("/")[1] for path in self.aws.requests["PutObject"]]
        self.assertEqual(buckets, ["bucket", "new", "new"])

    def test_a_request_that_was_put_into_the_old_bucket_is_put_into_the_new_one(self):
        failure = {"executionArn": f"{EXECUTION}old", "status": "FAILED", "error": "InvalidInput", "cause": "missing"}
        self.aws.script["DescribeExecution"] = [Answer(failure), succeeded(**self.new)]
        self.assert_new(LARGE)
        buckets = [path.split("/")[1] for path in self.aws.requests["PutObject"]]
        self.assertEqual(buckets, ["bucket", "new", "new"])

    def test_a_request_that_is_refused_for_another_reason_is_not_repeated(self):
        self.aws.script["DescribeStateMachine"] = [machine()]
        failure = {"executionArn": f"{EXECUTION}run", "status": "FAILED", "error": "InvalidInput", "cause": "no"}
        self.aws.script["DescribeExecution"] = [Answer(failure)]
        with self.assertRaisesRegex(InferenceError, "^InvalidInput: no$"):
            self.infer(LARGE, model=self.client)
        self.assertEqual(self.aws.calls.count("StartExecution"), 1)

    def test_a_request_that_another_model_refuses_is_made_for_the_new_one(self):
        failure = {"executionArn": f"{EXECUTION}old", "status": "FAILED", "error": "InvalidInput", "cause": "missing"}
        self.aws.script["DescribeStateMachine"] = [machine(digest="new", output="z")]
        self.aws.script["DescribeExecution"] = [Answer(failure), succeeded(digest="new", name="z")]
        self.assert_new()
        self.assertEqual(self.aws.calls.count("StartExecution"), 3)

    def test_a_state_machine_that_is_no_longer_express_is_started_as_a_standard_one(self):
        for call in (
            lambda model: self.assert_result(self.infer(model=model)),
            lambda model: self.assertEqual(model.invoke({}).execution_arn, f"{EXECUTION}run"),
            lambda model: self.assert_result(self.infer(model=model, stop_on_cancel=True)),
        ):
            self.begin()
            self.aws.script["StartSyncExecution"] = [error("StateMachineTypeNotSupported")]
            self.aws.script["DescribeStateMachine"] = [machine("EXPRESS"), machine("STANDARD")]
            model = self.model()
            model.describe()
            for _ in range(2):
                call(model)
            self.assertEqual(self.aws.calls.count("DescribeStateMachine"), 2)
            self.assertEqual(self.aws.calls.count("StartExecution"), 2)

    def test_a_state_machine_that_is_no_longer_standard_fails_one_call_at_most(self):
        self.aws.script["DescribeStateMachine"] = [machine("STANDARD"), machine("EXPRESS")]
        self.aws.script["DescribeExecution"] = [error("InvalidArn")]
        model = self.model()
        self.assert_error("InvalidArn", lambda: self.infer(model=model), arn=f"{EXECUTION}run")
        self.assert_result(self.infer(model=model))
        self.assertEqual(self.aws.calls.count("StartSyncExecution"), 1)

    def test_a_type_that_is_refused_although_it_is_the_latest_is_an_error(self):
        self.aws.script["StartSyncExecution"] = [error("StateMachineTypeNotSupported")]
        self.aws.script["DescribeStateMachine"] = [machine("EXPRESS")]
        self.assert_error("StateMachineTypeNotSupported", lambda: self.infer(model=self.model()))
        self.assertEqual(self.aws.calls.count("StartSyncExecution"), 1)

    def test_a_digest_that_never_fits_is_asked_about_once_a_minute(self):
        self.aws.script["DescribeStateMachine"] = [machine()]
        self.aws.script["DescribeExecution"] = [succeeded(digest="older")]
        with self.clock.patched():
            for _ in range(3):
                self.assert_result(self.infer(model=self.client))
            self.assertEqual(self.aws.calls.count("DescribeStateMachine"), 1)
            self.clock.advance(60)
            self.assert_result(self.infer(model=self.client))
        self.assertEqual(self.aws.calls.count("DescribeStateMachine"), 2)

    def test_a_thread_that_forgets_the_description_does_not_take_it_from_another(self):
        class Forgetful(SlicedInferenceClient):
            """Another thread sees PlanChanged as soon as the description is set."""

            def __setattr__(self, name, value):
                super().__setattr__(name, None if name == "_description" else value)

        model = Forgetful(ARN, poll_interval=0.001)
        self.assertEqual(model.describe().bucket, "new")


FUNCTION = "arn:aws:lambda:eu-west-1:111122223333:function:Slice"
OLD, NEW = "ab" * 32, "cd" * 32


def own_machine(digest, version, kind="EXPRESS", comment=""):
    """What a state machine of the user's own has too: the functions that its tasks call, and the deployment of each."""
    task = {"Arguments": {"FunctionName": f"{FUNCTION}:{version}", "Payload": {"deploymentDigest": digest}}}
    definition = json.dumps({"Comment": comment, "States": {"Slice 00": task}})
    return Answer({"stateMachineArn": ARN, "name": "Test", "type": kind, "definition": definition})


def failed(error, cause):
    text = cause if isinstance(cause, str) else json.dumps(cause)
    return Answer({"executionArn": f"{EXECUTION}old", "status": "FAILED", "error": error, "cause": text})


def thrown(cause):
    return {"errorMessage": json.dumps(cause), "trace": []}


NOT_FOUND = f"Function not found: {FUNCTION}:1 (Service: Lambda, Status Code: 404)"
REFUSED_CALL = f"User: R is not authorized to perform: lambda:InvokeFunction on resource: {FUNCTION}:1 because"
OF_SLICE = {"slice": 1, "message": "why", "deploymentDigest": OLD}
OVERTAKEN = (
    failed("SliceFailed", OF_SLICE),
    failed("SliceFailed", thrown(OF_SLICE)),
    failed("PlanChanged", thrown({"slice": 1, "message": "why", "expected": NEW, "got": OLD})),
    failed("Lambda.ResourceNotFoundException", {"slice": 1, "message": NOT_FOUND}),
    failed("Lambda.AWSLambdaException", {"slice": 1, "message": REFUSED_CALL}),
)


class Overtaken(Case):
    """A deployment replaces the pipeline during a run."""

    def play(self, descriptions, ends, kind):
        self.begin()
        self.aws.script["DescribeStateMachine"] = [
            own_machine(*(description if isinstance(description, tuple) else (description, 1)), kind)
            for description in descriptions
        ]
        for operation in ("StartSyncExecution", "DescribeExecution"):
            self.aws.script[operation] = list(ends)
        self.aws.script["GetExecutionHistory"] = [Answer({"events": []})]
        seen = []
        try:
            self.model().invoke({}, on_progress=seen.append)
            name = None
        except InferenceError as error:
            name = error.name
        self.assertEqual(
            [progress.event for progress in seen].count("restarted"),
            [progress.event for progress in seen].count("started") - 1,
        )
        starts = sum(self.aws.calls.count(operation) for operation in STARTING)
        return name, starts, self.aws.calls.count("DescribeStateMachine") - 1

    def test_a_run_is_started_again_on_the_new_deployment(self):
        old, new = (OLD, 1), (NEW, 12)
        for kind in ("EXPRESS", "STANDARD"):
            for end in OVERTAKEN:
                name = end.body["error"]
                for descriptions, ends, expected in (
                    ([old, new], [end, succeeded()], (None, 2, 1)),
                    ([old, old, old, new], [end, succeeded()], (None, 2, 3)),
                    ([old, new], [end, end, end, succeeded()], (None, 4, 3)),
                    ([old], [end], (name, 1, 6)),
                    ([old, new], [end], (name, 7, 6)),
                ):
                    with self.subTest(f"{kind} {name} {expected}"):
                        self.assertEqual(self.play(descriptions, ends, kind), expected)

    def test_a_failure_that_no_deployment_explains_is_not_started_again(self):
        for end in (
            failed("PlanChanged", {"step": "preprocess", "message": "mine", "got": OLD}),
            failed("PlanChanged", {"message": "mine"}),
            failed("PlanChanged", {"slice": 1, "message": "no digest", "got": "nothing"}),
            failed("PlanChanged", thrown({"step": "postprocess", "message": "mine"})),
            failed("PlanChanged", {"errorMessage": "mine", "errorType": "PlanChanged"}),
            failed("SliceFailed", {"slice": 1, "message": "a bug in an operator"}),
            failed("Lambda.ResourceNotFoundException", NOT_FOUND),
        ):
            for kind in ("EXPRESS", "STANDARD"):
                name = "HandlerError" if "process" in end.body["cause"] else end.body["error"]
                with self.subTest(f"{kind} {end.body}"):
                    self.assertEqual(self.play([(OLD, 1), (NEW, 12)], [end], kind), (name, 1, 0))

    def test_a_function_that_is_gone_is_known_from_the_definition_of_its_pipeline(self):
        comment = json.loads(machine().body["definition"])["Comment"]
        self.aws.script["DescribeStateMachine"] = [own_machine(OLD, n, "STANDARD", comment) for n in (1, 12)]
        self.aws.script["DescribeExecution"] = [failed("Lambda.ResourceNotFoundException", NOT_FOUND), succeeded()]
        self.model().invoke({})
        self.assertEqual(self.aws.calls.count("StartExecution"), 2)

    def test_the_inputs_are_made_for_the_new_model(self):
        self.aws.script["DescribeStateMachine"] = [machine(digest=OLD), machine(digest=NEW, output="z")]
        self.aws.script["DescribeExecution"] = [failed("SliceFailed", OF_SLICE), succeeded(digest=NEW, name="z")]
        self.assertEqual(list(self.infer().outputs), ["z"])
        self.assertEqual(self.aws.calls.count("DescribeStateMachine"), 2)

    def test_an_object_of_a_request_that_is_missing_is_asked_about_once_if_the_caller_has_named_it(self):
        comment = machine(digest=OLD)
        for call, questions in ((lambda model: model.invoke({}), 1), (lambda model: model.infer({"x": X}), 6)):
            self.begin()
            self.aws.script["DescribeStateMachine"] = [comment]
            self.aws.script["DescribeExecution"] = [failed("InvalidInput", OF_SLICE)]
            with self.assertRaisesRegex(InferenceError, "^InvalidInput"):
                call(self.model())
            self.assertEqual(self.aws.calls.count("DescribeStateMachine"), 1 + questions)
