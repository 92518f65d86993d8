"""The client of one pipeline."""

import math
import re
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from .aws import Aws
from .batch import SlicedInferenceBatchRun, batch_signature, begin_batch, check_items
from .batch_requests import BatchRequests, put_requests
from .call import Call, InferenceProgress
from .deployments import restarting
from .errors import InferenceError, InferenceTimeoutError
from .execution import called_again, execute, failure_of, invoked
from .pipeline import (
    CONTRACT_VERSION,
    MAX_CALL_BYTES,
    MAX_INPUT_BYTES,
    PipelineDescription,
    StateMachine,
    json_object,
)
from .request import INLINE_MODES, Inputs, ResultsPlace, invoked_text, request_of, tensors_from
from .results import Inference, Invocation, ordered, read_object, read_undamaged, result_from, results_place
from .tensors import Tensor, compact_json, decode_file

T = TypeVar("T")

UNFIT_SECONDS = 60
"""An alias may start an older version for weeks, whose results never fit the description."""


class SlicedInferenceClient:
    """Calls one pipeline, or one function of a whole model. Threads may share a client.

    Args:
        state_machine_arn: the ARN of the pipeline's state machine, or of a version or an alias of it; or that of a
            function.
        function_name: instead of it, the name or the ARN of an ``InferenceFunction``'s function. Without an alias or a
            version, the client calls the alias ``live``.
        step_functions, s3, function: your own clients of boto3, the last one of Lambda. By default, the client makes
            its own, with the region of the ARN. For a state machine of type Express, create yours with
            ``Config(read_timeout=310)``, and for a function with 910: they answer when the run ends, and boto3 starts
            it again after the default of 60 seconds.
        wait_timeout: how many seconds each call waits in all: for uploads, the run and the results. By default, the
            timeout of the state machine and a minute.
        request_timeout: for how many seconds the client's own clients of boto3 wait for a connection and for an answer,
            or the next part of one. StartSyncExecution has more.
        poll_interval: longest pause in seconds between two requests for the status of a Standard execution.
        max_result_bytes: largest results that the client reads into memory.

    Raises ``ValueError`` if the ARN is no state machine's, or a number is not finite and above 0. Sends no request yet.
    """

    def __init__(
        self,
        state_machine_arn: str | None = None,
        *,
        function_name: str | None = None,
        step_functions: Any = None,
        s3: Any = None,
        function: Any = None,
        wait_timeout: float | None = None,
        request_timeout: float = 30.0,
        poll_interval: float = 5.0,
        max_result_bytes: int = 2**31,
    ) -> None:
        _check_positive(request_timeout=request_timeout, poll_interval=poll_interval)
        _check_positive(wait_timeout=wait_timeout, max_result_bytes=max_result_bytes)
        if (state_machine_arn is None) == (function_name is None):
            raise ValueError("a client must have either state_machine_arn or function_name: pass one of them")
        if state_machine_arn is not None and re.match(r"arn:[\w-]+:lambda:", state_machine_arn):
            state_machine_arn, function_name = None, state_machine_arn
        self._is_function = function_name is not None
        self._arn = state_machine_arn or _function_name(function_name or "")
        self._described_arn = self._arn if self._is_function else _described_arn(self._arn)
        self._wait_timeout = wait_timeout
        self._poll_interval = poll_interval
        self._max_result_bytes = max_result_bytes
        self._aws = Aws(_region(self._arn), request_timeout, step_functions, s3, function)
        self._machine: StateMachine | None = None
        """As DescribeStateMachine has answered last. Another thread may forget it at any time."""
        self._unfit = ("", 0.0)
        """The deployment whose results even a new description did not fit, and when that was."""

    def describe(self) -> PipelineDescription:
        """Asks for the pipeline's signature, bucket and limits; calls use what was returned last.

        Raises ``InferenceError``, named ``NotAPipeline`` if the ARN is that of another state machine or function.
        """
        return self._ask(self._aws).pipeline

    def infer(
        self,
        inputs: Inputs,
        *,
        wait_timeout: float | None = None,
        cancel: threading.Event | None = None,
        stop_on_cancel: bool = False,
        results: ResultsPlace = "auto",
        on_progress: Callable[[InferenceProgress], None] | None = None,
    ) -> Inference:
        """Runs the pipeline on tensors and returns its results.

        Args:
            inputs: an array or nested list for each input of the model. An array must have the dtype of the model; a
                list, a tuple or a number takes it. Strings are ``str``; results have them as arrays of objects.
            wait_timeout: replaces that of the client for this call, in seconds.
            cancel: stops the wait when it is set, within a tenth of a second.
            stop_on_cancel: when the wait ends early, also stop the execution, after the request that is in progress.
                AWS can stop only Standard executions, so with an Express state machine the call is refused.
            results: ``s3`` leaves inline results out, for example to keep them out of the execution's history.
                ``inline`` has them in the output alone, and the run fails with ``InvalidInput`` if they do not fit.
            on_progress: called in a thread of the call when the execution starts and ends, and for a Standard execution
                also for each state that it enters and leaves. An error of this function ends the call.

        Raises ``InferenceError`` if an input does not fit, the run failed, or AWS refused a request;
        ``InferenceTimeoutError`` if the run did not end in time, or a request had no answer; and
        ``InferenceCancelledError`` if ``cancel`` was set. A run that a deployment makes fail is started again.
        """
        call = self._call(wait_timeout, cancel, stop_on_cancel, on_progress)
        if results not in INLINE_MODES:
            raise ValueError(f"results must be one of {', '.join(INLINE_MODES)}, got {results!r}")

        def attempt() -> Inference:
            machine, tensors = self._suited(call, inputs)
            put = partial(call.ask, "PutObject", Bucket=machine.pipeline.bucket)
            most = machine.pipeline.limits.request_bytes
            request = request_of(tensors, lambda key, file: put(Key=key, Body=file), results, most)
            return self._result(call, machine.pipeline, execute(call, machine, compact_json(request)))

        return self._run(call, attempt, has_tensors=True)

    def invoke(
        self,
        request: Any,
        *,
        wait_timeout: float | None = None,
        cancel: threading.Event | None = None,
        stop_on_cancel: bool = False,
        on_progress: Callable[[InferenceProgress], None] | None = None,
    ) -> Invocation:
        """Runs any JSON and returns the output: of a pipeline with preprocess or postprocess functions, or of your own
        state machine that contains pipelines.

        ``request`` is what ``json.dumps`` takes, at most 256 KiB of it: the input of the preprocess function or of your
        state machine, or else a request as the guide to requests and results describes it. The rest, and the errors,
        are as for ``infer``.
        """
        text = invoked_text(request, MAX_CALL_BYTES if self._is_function else MAX_INPUT_BYTES)
        call = self._call(wait_timeout, cancel, stop_on_cancel, on_progress)

        def attempt() -> Invocation:
            machine, _ = self._suited(call, None)
            return Invocation(execute(call, machine, text), call.execution_arn or "")

        return self._run(call, attempt, has_tensors=False)

    def batch(
        self,
        *,
        state_machine_arn: str | None = None,
        items: str | None = None,
        requests: BatchRequests | None = None,
        again: bool = False,
        name: str | None = None,
        execution_arn: str | None = None,
        cancel: threading.Event | None = None,
    ) -> SlicedInferenceBatchRun:
        """Starts a batch of a ``SlicedInferenceBatch``, or attaches to one. Needs the permissions of ``grant_start``.

        Args:
            state_machine_arn: of the batch, in the region of the client's; by default that of the client.
            items: the prefix or the key of the items, below the location of the batch's, which is the default. A
                batch of one list takes a key, and one of lists below a prefix takes a prefix with a slash at its end.
            requests: to put into S3, for a batch whose items are ``BatchItems.jsonLines``: one object has all of them,
                apart from arrays that do not fit into 150 KiB. They are dicts as ``infer`` takes them, or, for a batch
                with a preprocess function, dicts that are JSON. Pairs of an id and a dict have names in the table;
                others are named by their places, and a rerun recognizes them only there. ``items`` is then the key of
                the object, by default a new one.
            again: whether all items run, also those that have a result.
            name: of the execution. If one of this name and these items runs, the call attaches to it. With
                ``requests``, pass ``items`` too, because each new list is another one.
            execution_arn: of an execution to attach to, instead of starting one.
            cancel: ends waiting and reading when it is set. The batch goes on.

        Raises ``InferenceError`` named ``NotABatch`` if the ARN is that of another state machine, ``InvalidInput`` for
        items elsewhere or requests that do not fit, or as AWS has refused the request.
        """
        if requests is not None and execution_arn is not None:
            raise ValueError("requests must start a batch, got execution_arn too: leave one of them out")
        arn = state_machine_arn or self._arn
        described, region = _described_arn(arn), _region(self._arn)
        if region is not None and arn.split(":")[3] != region:
            raise ValueError(
                f"the batch must be in the region {region} of the client, got {arn!r}: create another client"
            )

        def new_call() -> Call:
            return Call(self._aws, None, cancel, self._poll_interval, False)

        call = new_call()

        def begin() -> tuple[dict[str, Any], str]:
            answer = call.repeated(lambda: call.ask("DescribeStateMachine", stateMachineArn=described))
            signature = batch_signature(arn, answer["definition"])
            if execution_arn is not None:
                return signature, execution_arn
            check_items(signature, items)
            key = items if requests is None else put_requests(call, signature, items, requests)
            return signature, begin_batch(call, arn, key, again, name)

        signature, started = call.run(begin)
        return SlicedInferenceBatchRun(started, signature, new_call, self._max_result_bytes)

    def _call(
        self,
        wait_timeout: float | None,
        cancel: threading.Event | None,
        stops: bool,
        on_progress: Callable[[InferenceProgress], None] | None = None,
    ) -> Call:
        _check_positive(wait_timeout=wait_timeout)
        seconds = self._wait_timeout if wait_timeout is None else wait_timeout
        return Call(self._aws, seconds, cancel, self._poll_interval, stops, on_progress)

    def _run(self, call: Call, attempt: Callable[[], T], has_tensors: bool) -> T:
        try:
            return call.run(lambda: restarting(call, attempt, lambda: self._ask(call), has_tensors))
        except InferenceError as error:
            if error.cause is not None:
                # A state machine that has become Express is started all the same, but its runs cannot be described.
                self._machine = None
            raise

    def _ask(self, aws: Aws | Call) -> StateMachine:
        def describe() -> StateMachine:
            if self._is_function:
                question = compact_json({"version": CONTRACT_VERSION, "describe": True})
                ask = called_again if isinstance(aws, Call) else invoked
                execution = ask(aws, self._arn, question)  # type: ignore[arg-type]
                if execution["status"] != "SUCCEEDED":
                    raise failure_of(execution)
                return StateMachine.of_function(self._arn, json_object(execution["output"]))
            answer = aws.ask("DescribeStateMachine", stateMachineArn=self._described_arn)
            return StateMachine.described(self._arn, answer)

        machine = self._machine = aws.repeated(describe) if isinstance(aws, Call) else describe()
        return machine

    def _suited(self, call: Call, inputs: Inputs | None) -> tuple[StateMachine, dict[str, Tensor]]:
        """The state machine as the client knows it, and the inputs as its tensors, if both suit the call."""
        is_known = self._machine is not None
        machine = self._machine or self._ask(call)
        if is_known:
            # If they do not, a deployment since the client asked may explain it.
            call.use(machine)
        if call.stops and machine.type != "STANDARD":
            got = "an Express one" if machine.type == "EXPRESS" else "a function"
            message = f"stop_on_cancel expects a Standard state machine, got {got}: leave it out"
            raise InferenceError("InvalidInput", message)
        tensors = {} if inputs is None else tensors_from(machine.pipeline.signature, inputs)
        call.use(machine)
        return machine, tensors

    def _result(self, call: Call, used: PipelineDescription, output: Any) -> Inference:
        result, tensors = result_from(output, call.execution_arn)
        pipeline = self._maker_of(result, call, used)
        place = results_place(result, pipeline.bucket)
        if tensors is None:
            call.situation = f"the results are in {place}"
            read = partial(read_object, call, place, self._max_result_bytes)
            tensors = read_undamaged(place.key, read, decode_file, call.sleep)
        # If a deployment is under way, or the ARN is that of an alias, the signature may be of another model.
        if result.deployment_digest == pipeline.signature.deployment_digest:
            tensors = ordered(pipeline, tensors)
        return replace(result, outputs=tensors)

    def _maker_of(self, result: Inference, call: Call, used: PipelineDescription) -> PipelineDescription:
        """The pipeline that has made a result: the latest one, if a deployment came between."""
        place, digest = result.results_object, result.deployment_digest
        unfit, since = self._unfit
        is_known = digest == used.signature.deployment_digest or (
            digest == unfit and time.monotonic() < since + UNFIT_SECONDS
        )
        if is_known and (place is None or place.bucket == used.bucket):
            return used
        self._machine = None
        try:
            # Once: the results are there, and only their check needs the description.
            latest = self._ask(call.aws).pipeline
        except (InferenceError, InferenceTimeoutError):
            # The results are there. The next call asks again.
            return used
        if latest.signature.deployment_digest != digest:
            self._unfit = (digest, time.monotonic())
        return latest


def _function_name(name: str) -> str:
    if re.fullmatch(r"(arn:[\w-]+:lambda:[\w-]+:\d{12}:function:)?[\w-]{1,64}(:[\w$-]{1,128})?", name):
        return name
    raise ValueError(f"function_name must be the name or the ARN of a function, got {name!r}: correct it")


def _region(arn: str) -> str | None:
    """A function may have a name without a region: that of the settings of boto3."""
    return arn.split(":")[3] if arn.startswith("arn:") else None


def _described_arn(arn: str) -> str:
    parts = arn.split(":")
    if len(parts) < 7 or (parts[0], parts[2], parts[5]) != ("arn", "states", "stateMachine") or not parts[3]:
        expected = "arn:aws:states:REGION:ACCOUNT:stateMachine:NAME"
        raise ValueError(f"a state machine's ARN must be like {expected}, got {arn!r}")
    # DescribeStateMachine is documented for state machines and versions, but not for aliases.
    return ":".join(parts[:7]) if len(parts) == 8 and not parts[7].isdigit() else arn


def _check_positive(**numbers: float | None) -> None:
    """Python itself refuses what is no number."""
    for name, value in numbers.items():
        if value is not None and not 0 < value < math.inf:
            raise ValueError(f"{name} must be a finite number above 0, got {value!r}: choose another")
