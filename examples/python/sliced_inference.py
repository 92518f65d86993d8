# SPDX-License-Identifier: Apache-2.0
"""Calls a pipeline of cdk-sliced-inference: NumPy arrays in, NumPy arrays out.

Copy this file into your application. It needs Python 3.10, boto3, numpy and safetensors. ``__version__`` is the release of
the package that it comes from.

    from sliced_inference import SlicedInferenceClient

    model = SlicedInferenceClient("arn:aws:states:eu-central-1:111122223333:stateMachine:Ocr")
    result = model.infer({"x": array})
    print(result.outputs["y"].shape)

The ARN is all that a caller needs. The state machine's comment says which bucket, inputs and outputs the pipeline has; the
client reads it with DescribeStateMachine. The construct's ``grant_invoke`` allows a role to do everything that this file
does.

Inputs
    An array keeps its dtype, which must be that of the model: an int32 array is no float32 input. A list, a tuple or a
    number takes the model's dtype, and its elements must fit it. Strings are arrays or lists of ``str``.
    Outputs of strings are arrays of objects, which are ``str``.
Transport
    A request of at most 255 KiB of JSON goes inline, a larger one through S3. Results come inline if the pipeline returns
    them, and otherwise from S3, where their checksums are verified.
Two times
    ``wait_timeout`` is how long a call waits in all: for uploads, the run and the results. ``request_timeout`` is how long
    one request to AWS may take. Only StartSyncExecution may take as long as an Express execution lasts, because it answers
    at its end.
Errors
    ``InferenceError`` says why a run failed, why an input does not fit the model, or which request AWS or boto3 refused.
    ``InferenceTimeoutError`` and ``InferenceCancelledError`` end a wait. No error of boto3 is raised as it is: it is the
    ``cause`` of an ``InferenceError``.
Trouble of AWS
    The client repeats requests that AWS throttles, until the waiting time is over. It also repeats those for the start and
    the state of a Standard execution after errors of the service and of the connection, until 20 in a row have failed;
    throttled ones do not count. Requests are sent in threads, so a wait ends in time although AWS does not answer. A
    request that nobody waits for is not repeated, so nothing starts later.
"""

from __future__ import annotations

import base64
import concurrent.futures
import contextlib
import datetime
import io
import ipaddress
import itertools
import json
import math
import numbers
import operator
import random
import re
import threading
import time
import urllib.parse
import uuid
import warnings
import zlib
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence, Sized
from dataclasses import dataclass
from typing import Any, Literal, TypeVar, cast

import boto3
import botocore.exceptions
import numpy as np
import safetensors
import safetensors.numpy
from botocore.config import Config
from numpy.typing import ArrayLike, NDArray

__version__ = "0.2.0"

__all__ = [
    "Inference",
    "InferenceCancelledError",
    "InferenceError",
    "InferenceProgress",
    "InferenceTimeoutError",
    "Invocation",
    "ObjectReference",
    "Outcome",
    "PipelineDescription",
    "PipelineLimits",
    "PipelineSignature",
    "Progress",
    "SlicedInferenceClient",
    "TensorSpec",
]

Tensor = NDArray[Any]
T = TypeVar("T")
ServedBy = Literal["whole", "slices"]

CONTRACT_VERSION = 1

MAX_REQUEST_BYTES = 255 * 1024
"""Largest request that the pipeline takes inline, in bytes of its JSON."""

MAX_EXPRESS_SECONDS = 300
"""https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html"""

MAX_INPUT_BYTES = 256 * 1024
"""Largest input of an execution, in bytes of UTF-8. The same page has it."""

MAX_INLINE_RESULT_BYTES = 180 * 1024
"""Largest results that the pipeline returns inline, in bytes of their JSON."""

INLINE_MODES = {"auto": "auto", "s3": "never", "inline": "only"}
"""By the place of results: the field ``output.inline`` of a request."""

MAX_PUT_BYTES = 5 * 2**30
"""Largest upload in one part: https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html"""

NUMERIC_DTYPES = (
    *("float32", "float64", "float16", "int8", "int16", "int32", "int64"),
    *("uint8", "uint16", "uint32", "uint64", "bool"),
)


class InferenceError(Exception):
    """A run failed, an input does not fit the model, or a request to AWS failed.

    ``name`` is the error's name: one that the guide to requests and results lists, such as ``SliceFailed``; one of Step
    Functions or Lambda, such as ``States.Timeout``; one of a service that refused a request, such as
    ``AccessDeniedException``; one of boto3, such as ``EndpointConnectionError`` and ``NoCredentialsError``; or one of the
    client's own: ``InvalidInput``, ``InvalidOutput``, ``NotAPipeline``, ``ExecutionAborted`` and ``NotStopped``.
    ``slice`` is the slice that failed, or ``step`` is ``preprocess`` or ``postprocess``. If the failure is about a tensor,
    ``tensor`` names it, and ``expected`` and ``got`` describe it. ``execution_arn`` is ``None`` if nothing was started.
    ``cause`` is the error of boto3, or ``None`` if there was none.
    """

    def __init__(
        self,
        name: str,
        message: str,
        *,
        slice: int | None = None,
        step: str | None = None,
        tensor: str | None = None,
        expected: str | None = None,
        got: str | None = None,
        execution_arn: str | None = None,
        cause: Exception | None = None,
    ) -> None:
        place = f"slice {slice}: " if slice is not None else f"{step}: " if step is not None else ""
        super().__init__(f"{name}: {place}{message}")
        self.name = name
        self.message = message
        self.slice = slice
        self.step = step
        self.tensor = tensor
        self.expected = expected
        self.got = got
        self.execution_arn = execution_arn
        self.cause = cause
        self._execution_cause: str | None = None
        """As Step Functions has it."""


class InferenceTimeoutError(TimeoutError):
    """The run did not end within ``wait_timeout``, or one request to AWS within ``request_timeout``; the message says which.

    Unless ``stopped`` is true, a run that has started goes on. ``execution_arn`` is ``None`` if nothing was started, and for
    an Express execution: AWS tells its ARN at its end. If the last request has failed and was to be sent again, its error is
    in the message, and is ``__cause__``.
    """

    def __init__(self, message: str, *, execution_arn: str | None = None, stopped: bool = False) -> None:
        super().__init__(message)
        self.execution_arn = execution_arn
        self.stopped = stopped


class InferenceCancelledError(Exception):
    """The event ``cancel`` was set during the wait. Unless ``stopped`` is true, a run that has started goes on.

    ``execution_arn`` is as that of ``InferenceTimeoutError``.
    """

    def __init__(self, message: str, *, execution_arn: str | None = None, stopped: bool = False) -> None:
        super().__init__(message)
        self.execution_arn = execution_arn
        self.stopped = stopped


@dataclass(frozen=True)
class TensorSpec:
    """A tensor as the model declares it: sizes are numbers, names, or ``None`` if unknown; so is a shape of unknown rank."""

    name: str
    dtype: str
    shape: tuple[int | str | None, ...] | None

    def __str__(self) -> str:
        return _described(self.dtype, self.shape)


@dataclass(frozen=True)
class PipelineSignature:
    """What the pipeline computes."""

    deployment_digest: str
    """Identifies everything that a result depends on: the model, the code, the architecture and threads."""
    threads: int
    """Threads of each function."""
    inputs: tuple[TensorSpec, ...]
    """The tensors of a request. With a preprocess function, those that it must produce."""
    outputs: tuple[TensorSpec, ...]
    """The tensors of a result, in the model's order. With a postprocess function, those that it receives."""
    preprocess: bool
    """Whether a function turns any JSON into a request."""
    postprocess: bool
    """Whether a function turns the results into any JSON."""


@dataclass(frozen=True)
class PipelineLimits:
    """Limits of calls. Sizes are bytes."""

    request_bytes: int
    """Largest request as JSON. The client puts larger tensors into S3."""
    inline_result_bytes: int
    """Largest results as JSON inside an execution's output. With more than 100 slices it is lower."""
    execution_input_bytes: int
    """Largest input of an execution as JSON: of ``invoke``."""
    execution_seconds: float | None
    """How long an execution may last; ``None`` if the state machine has no timeout."""


@dataclass(frozen=True)
class PipelineDescription:
    """What the state machine alone says about its pipeline."""

    state_machine_arn: str
    type: Literal["EXPRESS", "STANDARD"]
    bucket: str
    """Name of the bucket of requests and results."""
    signature: PipelineSignature
    limits: PipelineLimits


@dataclass(frozen=True)
class ObjectReference:
    """An object in S3."""

    bucket: str
    key: str


@dataclass(frozen=True)
class Inference:
    """The result of a run."""

    outputs: dict[str, Tensor]
    """The results by name, in the model's order. You may write to the arrays."""
    execution_arn: str
    results_object: ObjectReference | None
    """The safetensors object with all results, until the bucket's lifecycle rule removes it. ``results="inline"`` writes none."""
    run: str
    timings: list[dict[str, Any]]
    """Measurements with the names that they have in the execution's output: of each slice, or one with ``whole`` if the whole
    model served the run. Times are milliseconds."""
    deployment_digest: str
    served_by: ServedBy | None = None
    """Of a pipeline with consolidation: whether the function of the whole model served the run, or the slices did."""


@dataclass(frozen=True)
class Invocation:
    """The output of an execution, which can be any JSON if the pipeline has a postprocess function."""

    output: Any
    execution_arn: str


@dataclass(frozen=True)
class Outcome:
    """One of many inferences. Exactly one of ``result`` and ``error`` is set."""

    index: int
    result: Inference | None = None
    error: Exception | None = None


ProgressEvent = Literal["started", "state_entered", "state_exited", "restarted", "ended"]


@dataclass(frozen=True)
class InferenceProgress:
    """What a call reports while its execution runs."""

    event: ProgressEvent
    """``restarted``: a deployment has replaced the pipeline, and the execution starts again. States are those of a Standard
    execution."""
    time: float
    """Seconds since 1970; of states by the clock of Step Functions."""
    state: str | None = None
    """Name of the state, such as ``Slice 00``."""
    execution_arn: str | None = None
    """``None`` for an Express execution before its end."""


@dataclass(frozen=True)
class Progress:
    """How far many inferences are."""

    done: int
    """Inferences that have ended, failed ones included."""
    failed: int
    started: int
    """Inferences that have started, ended ones included."""
    total: int | None
    """``None`` if the inputs have no length."""


class SlicedInferenceClient:
    """Calls one pipeline. Threads may share a client.

    Args:
        state_machine_arn: the ARN of the pipeline's state machine.
        step_functions: your own client of boto3. If the state machine is of type Express, create it with
            ``Config(read_timeout=310)``: StartSyncExecution answers when the run ends, and boto3 starts the run again when
            the default of 60 seconds has passed. By default, the client makes its own, with the region of the ARN.
        s3: your own client of boto3. By default, the client makes its own.
        wait_timeout: how many seconds each call waits in all: for uploads, the run and the results. By default, the
            timeout of the state machine and a minute.
        request_timeout: how many seconds one request to AWS may take, with its repeats by boto3; by default 30. An upload
            has a second more for each MiB, and a download may not stand still for longer. StartSyncExecution, which
            answers at the end of an Express execution, has no such limit.
        poll_interval: longest pause in seconds between two requests for the status of a Standard execution; by default 5.
        max_result_bytes: largest results that the client reads into memory; by default 2 GiB.

    Raises:
        ValueError: the ARN is no state machine's, or a number is not finite and above 0. No request is sent yet.
        TypeError: a number is none.
    """

    def __init__(
        self,
        state_machine_arn: str,
        *,
        step_functions: Any = None,
        s3: Any = None,
        wait_timeout: float | None = None,
        request_timeout: float = 30.0,
        poll_interval: float = 5.0,
        max_result_bytes: int = 2**31,
    ) -> None:
        _check_seconds("request_timeout", request_timeout)
        _check_seconds("poll_interval", poll_interval)
        _check_count("max_result_bytes", max_result_bytes)
        if wait_timeout is not None:
            _check_seconds("wait_timeout", wait_timeout)
        self._arn = state_machine_arn
        self._wait_timeout = wait_timeout
        self._poll_interval = poll_interval
        clients = _Clients(_region_of(state_machine_arn), request_timeout, step_functions, s3)
        self._step_functions = _StepFunctions(clients, request_timeout)
        self._objects = _Objects(clients, request_timeout, max_result_bytes)
        self._description: PipelineDescription | None = None
        self._machine: _Machine | None = None
        self._unfit: tuple[str, float] | None = None
        """A digest that the description did not fit even when it was new, and when that was."""

    def describe(self) -> PipelineDescription:
        """Returns the pipeline's signature, bucket and limits. Asks each time; calls use what was returned last.

        Raises:
            InferenceError: ``NotAPipeline``, if the ARN is that of another state machine; or the error of AWS that
                refused the request.
            InferenceTimeoutError: there was no answer within ``request_timeout``.
        """
        return self._latest(_Wait(None))

    def infer(
        self,
        inputs: Mapping[str, ArrayLike],
        *,
        wait_timeout: float | None = None,
        cancel: threading.Event | None = None,
        stop_on_cancel: bool = False,
        results: Literal["auto", "s3", "inline"] = "auto",
        on_progress: Callable[[InferenceProgress], None] | None = None,
    ) -> Inference:
        """Runs the pipeline on tensors and returns its results.

        Args:
            inputs: one array or nested list for each input of the model.
            wait_timeout: replaces that of the client for this call, in seconds.
            cancel: stops the wait when it is set, within a tenth of a second.
            stop_on_cancel: when the wait ends early, also stop the execution, which may take twice ``request_timeout`` if
                AWS does not answer. AWS can stop only Standard executions, so with an Express state machine the call is
                refused.
            results: ``s3`` leaves inline results out, for example to keep them out of the execution's history. ``inline``
                has them in the output alone, and the run fails with ``InvalidInput`` if they do not fit.
            on_progress: called in this thread when the execution starts and ends, and for a Standard execution also for
                each state that it enters and leaves. An error of this function ends the call.

        Raises:
            InferenceError: an input does not fit, the run failed, or AWS refused a request. The client starts a run again
                that fails because a deployment overtook it.
            InferenceTimeoutError: the run did not end within the waiting time, or a request had no answer in time.
            InferenceCancelledError: ``cancel`` was set.
        """
        seconds = self._seconds(wait_timeout)
        call = _Call(_Wait(seconds, () if cancel is None else (cancel,)), stop_on_cancel, on_progress)
        return self._infer(call, inputs, results)

    def infer_many(
        self,
        inputs: Iterable[Mapping[str, ArrayLike]],
        *,
        concurrency: int = 8,
        on_progress: Callable[[Progress], None] | None = None,
        wait_timeout: float | None = None,
        cancel: threading.Event | None = None,
        stop_on_cancel: bool = False,
        results: Literal["auto", "s3", "inline"] = "auto",
    ) -> Iterator[Outcome]:
        """Runs the pipeline on many inputs and yields an outcome for each, in the order of the inputs.

        A failed run is an outcome with an ``error``, and the others go on. ``inputs`` is iterated in another thread, as
        inputs are needed: at most twice ``concurrency`` inputs or results are held. A source may therefore wait, also for
        an outcome of an earlier input. If it raises, the outcomes of the runs that have started come before its error. If
        you stop iterating, the iterator stops waiting, and closes ``inputs`` if it is a generator: at once, or if it is
        just making an input, after that.

        Args:
            inputs: as for ``infer``. A generator may make them one by one. Only one thread at a time uses it.
            concurrency: how many runs are in progress at most.
            on_progress: called after each run, in one thread at a time, but not in yours.
            wait_timeout, cancel, stop_on_cancel, results: as for ``infer``; the waiting time is that of each run.

        Raises:
            InferenceCancelledError: ``cancel`` was set.
        """
        _check_count("concurrency", concurrency)
        abandoned = threading.Event()
        events = (abandoned,) if cancel is None else (abandoned, cancel)
        counter = _Counter(len(inputs) if isinstance(inputs, Sized) else None, on_progress)
        seconds = self._seconds(wait_timeout)

        def run(index: int, tensors: Mapping[str, ArrayLike]) -> Outcome:
            counter.start()
            try:
                outcome = Outcome(index, self._infer(_Call(_Wait(seconds, events), stop_on_cancel), tensors, results))
            except Exception as error:
                outcome = Outcome(index, error=error)
            counter.add(outcome)
            return outcome

        def outcomes() -> Iterator[Outcome]:
            ahead: deque[concurrent.futures.Future[Outcome]] = deque()
            executor = concurrent.futures.ThreadPoolExecutor(concurrency)
            indexes = itertools.count()
            source = _Source(inputs)
            try:
                while True:
                    if ahead and ahead[0].done():
                        yield _checked(ahead.popleft().result())
                    elif source.has_input():
                        ahead.append(executor.submit(run, next(indexes), source.take()))
                        ahead[-1].add_done_callback(source.notify)
                    elif source.is_over() and not ahead:
                        break
                    elif cancel is not None and cancel.is_set() and not ahead:
                        raise InferenceCancelledError("the wait was cancelled: no run was in progress")
                    else:
                        if len(ahead) < 2 * concurrency and not (cancel is not None and cancel.is_set()):
                            source.ask()
                        source.wait(LOOK_SECONDS)
                source.raise_failure()
            finally:
                abandoned.set()
                source.close()
                executor.shutdown(wait=True, cancel_futures=True)

        return outcomes()

    def invoke(
        self,
        request: Any,
        *,
        wait_timeout: float | None = None,
        cancel: threading.Event | None = None,
        stop_on_cancel: bool = False,
        on_progress: Callable[[InferenceProgress], None] | None = None,
    ) -> Invocation:
        """Runs any JSON and returns the output: of a pipeline with preprocess or postprocess functions, or of your own state
        machine that contains pipelines.

        Args:
            request: what ``json.dumps`` takes, at most 256 KiB of it: the input of the preprocess function or of your
                state machine, or else a request as the guide to requests and results describes it.
            wait_timeout, cancel, stop_on_cancel, on_progress: as for ``infer``.

        Raises:
            InferenceError: as for ``infer``. ``InvalidInput`` without ``execution_arn``: the request has no JSON, or too much
                for Step Functions.
            InferenceTimeoutError, InferenceCancelledError: as for ``infer``.
        """
        text = _invoked_json(request)
        seconds = self._seconds(wait_timeout)
        call = _Call(_Wait(seconds, () if cancel is None else (cancel,)), stop_on_cancel, on_progress)
        with call.explaining():
            return Invocation(self._restarting(call, lambda: self._execute(call, text)), call.execution_arn or "")

    def _seconds(self, wait_timeout: float | None) -> float | None:
        if wait_timeout is None:
            return self._wait_timeout
        _check_seconds("wait_timeout", wait_timeout)
        return wait_timeout

    def _infer(self, call: _Call, inputs: Mapping[str, ArrayLike], results: str) -> Inference:
        if results not in INLINE_MODES:
            raise ValueError(f"results must be one of {', '.join(INLINE_MODES)}, got {results!r}")

        def attempt() -> Inference:
            pipeline, tensors = self._checked_tensors(call, inputs)
            call.pipeline = pipeline
            self._prepare(call)
            output = self._execute(call, self._request(call, pipeline.bucket, tensors, results))
            return self._result(call, pipeline, output)

        with call.explaining():
            return self._restarting(call, attempt)

    # What is known of the state machine.

    def _ask(self, wait: _Wait) -> dict[str, Any]:
        machine = self._step_functions.describe_state_machine(wait, _described_arn(self._arn))
        self._machine = _machine_from(machine)
        return machine

    def _latest_machine(self, wait: _Wait) -> _Machine:
        return _machine_from(self._ask(wait))

    def _latest(self, wait: _Wait) -> PipelineDescription:
        # Another thread may forget it at once.
        latest = _description_from(self._arn, self._ask(wait))
        self._description = latest
        return latest

    def _checked_tensors(
        self, call: _Call, inputs: Mapping[str, ArrayLike]
    ) -> tuple[PipelineDescription, dict[str, Tensor]]:
        call.wait.check()
        pipeline = self._description or self._latest(call.wait)
        try:
            return pipeline, _tensors(pipeline.signature, inputs)
        except InferenceError:
            # A deployment may have changed the inputs since the client asked.
            latest = self._latest(call.wait)
            if latest.signature.deployment_digest == pipeline.signature.deployment_digest:
                raise
        return latest, _tensors(latest.signature, inputs)

    def _prepare(self, call: _Call) -> _Machine:
        """Reads what a run needs to know of the state machine, and refuses a call that it cannot serve."""
        machine = self._machine or self._latest_machine(call.wait)
        if call.stops and machine.type == "EXPRESS":
            # A deployment may have changed the type since the client asked.
            machine = self._latest_machine(call.wait)
        if call.stops and machine.type == "EXPRESS":
            raise InferenceError(
                "InvalidInput", "stop_on_cancel expects a Standard state machine, got an Express one: leave it out"
            )
        seconds = machine.execution_seconds
        call.wait.limit(None if seconds is None else seconds + TRANSFER_SECONDS)
        call.type = machine.type
        return machine

    def _restarting(self, call: _Call, attempt: Callable[[], T]) -> T:
        """Runs again after a deployment. The next run finds the new model, and the bucket of the new stack."""
        pauses = _Pauses(self._poll_interval)
        while True:
            try:
                return attempt()
            except InferenceError as error:
                if not self._is_explained(call, error, pauses):
                    raise
            call.restart()

    def _is_explained(self, call: _Call, error: InferenceError, pauses: _Pauses) -> bool:
        """Whether a deployment explains the failure."""
        trace = _trace_of(error, call.pipeline is not None or (self._machine is not None and self._machine.is_pipeline))
        if trace is None and not _may_be_outdated(error):
            return False
        # An object that the caller names may just be missing.
        is_own_request = call.pipeline is None and error.name == "InvalidInput"
        most = 1 if trace is None or is_own_request else MOST_QUESTIONS
        while call.questions < most:
            try:
                call.questions += 1
                if call.questions > 1:
                    call.wait.sleep(pauses.next())
                    pauses.grow()
                if self._is_replaced(call, trace):
                    return True
            except (_WaitEnded, InferenceError, InferenceTimeoutError):
                # The error of the run says more.
                continue
        return False

    def _is_replaced(self, call: _Call, trace: str | None) -> bool:
        """Asks whether the state machine is still as the call knew it, and has the trace of what has run."""
        machine = self._ask(call.wait)
        used, now = call.pipeline, None if call.pipeline is None else _description_from(self._arn, machine)
        self._description = now
        if trace is not None and trace not in machine["definition"]:
            return True
        if used is None or now is None:
            return call.type not in (None, machine["type"])
        return _is_outdated(call.type, used, now)

    # One execution.

    def _request(self, call: _Call, bucket: str, tensors: dict[str, Tensor], results: str) -> str:
        """The execution's input. Tensors that are too large for it are put into S3."""
        output = {"inline": INLINE_MODES[results]}
        if sum(_fewest_inline_bytes(tensor) for tensor in tensors.values()) <= MAX_REQUEST_BYTES:
            inline = {name: encode_inline(tensor) for name, tensor in tensors.items()}
            text = _json({"version": CONTRACT_VERSION, "inputs": {"tensors": inline}, "output": output})
            if len(text.encode()) <= MAX_REQUEST_BYTES:
                return text
        size = sum(_fewest_bytes(tensor) for tensor in tensors.values())
        if size > MAX_PUT_BYTES:
            raise InferenceError(
                "InvalidInput",
                f"the inputs must have at most {MAX_PUT_BYTES} bytes, got {size}: S3 takes no larger upload",
            )
        # Each request has a new key: a run whose request is replaced fails.
        key = f"inputs/{uuid.uuid4()}.safetensors"
        self._objects.put(call.wait, ObjectReference(bucket, key), encode_file(tensors))
        return _json({"version": CONTRACT_VERSION, "inputs": {"s3": key}, "output": output})

    def _execute(self, call: _Call, text: str) -> Any:
        """Runs an execution and returns its output. The state machine need not be that of a pipeline."""
        call.wait.check()
        machine = self._prepare(call)
        execution = self._run_express(call, text) if machine.type == "EXPRESS" else self._run_standard(call, text)
        call.report("ended")
        if execution["status"] != "SUCCEEDED":
            has_step = machine.type == "STANDARD" and machine.has_own_functions
            raise _failure(execution, self._failed_step(call) if has_step else None)
        return json.loads(execution["output"])

    def _run_express(self, call: _Call, text: str) -> dict[str, Any]:
        """Sends one request, which is answered when the execution has ended."""
        pauses = _Pauses(self._poll_interval)
        call.report("started")
        while True:
            call.wait.check()
            call.situation = "it goes on"
            try:
                execution = self._step_functions.start_sync_execution(call.wait, self._arn, text)
                call.execution_arn, call.failure = execution["executionArn"], None
                return execution
            except InferenceError as error:
                # Nothing was started. After any other error, the execution may run.
                if not _is_throttled(error):
                    raise
                call.failure = error
                call.situation = "nothing was started"
            call.wait.sleep(pauses.next())

    def _run_standard(self, call: _Call, text: str) -> dict[str, Any]:
        """Starts an execution, asks for its state until it has ended, and stops it if the call no longer waits."""
        try:
            self._start(call, text)
            return self._follow(call)
        except (_WaitEnded, InferenceError, InferenceTimeoutError) as error:
            if isinstance(error, InferenceError):
                # A state machine that has become Express is started all the same, but its executions cannot be described.
                self._machine = None
            if call.stops and call.execution_arn is not None and call.wait.ended() is not None:
                self._stop(call)
            raise

    def _start(self, call: _Call, text: str) -> None:
        # The name is new, so the second of two equal requests finds the execution of the first one.
        name = str(uuid.uuid4())
        arn = _execution_arn(self._arn, name)
        pauses = _Pauses(self._poll_interval)
        # To stop an execution, the call must know whether it has started.
        wait = _Wait(None) if call.stops else call.wait
        repeats = _Repeats(call)
        while True:
            call.wait.check()
            try:
                answer = self._step_functions.start_execution(wait, self._arn, name, text)
            except _WaitEnded:
                call.may_have_started(arn)
                raise
            except InferenceTimeoutError as late:
                call.may_have_started(arn)
                repeats.failed(late)
            except InferenceError as error:
                if error.name == "ExecutionAlreadyExists":
                    # An earlier request has started it, and its answer was lost.
                    repeats.succeeded()
                    return call.started(arn)
                if _is_transient(error) and not _is_throttled(error):
                    call.may_have_started(arn)
                repeats.failed(error)
            else:
                repeats.succeeded()
                return call.started(answer.get("executionArn", arn), answer.get("startDate"))
            call.wait.sleep(pauses.next())

    def _follow(self, call: _Call) -> dict[str, Any]:
        """Asks for the state of the execution until it has ended."""
        pauses = _Pauses(self._poll_interval)
        states = _StateEvents(call, self._step_functions) if call.follows_states else None
        # DescribeExecution is eventually consistent: it may not know an execution that has just started.
        # https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeExecution.html
        repeats = _Repeats(call, passes=("ExecutionDoesNotExist",))
        while True:
            call.wait.sleep(pauses.next())
            try:
                execution = self._step_functions.describe_execution(call.wait, call.execution_arn)
                if states is not None:
                    # Also after the end, for the events since the last pause.
                    states.report()
            except (InferenceError, InferenceTimeoutError) as error:
                repeats.failed(error)
                pauses.grow()
                continue
            repeats.succeeded()
            if execution["status"] not in ("RUNNING", "PENDING_REDRIVE"):
                return execution

    def _stop(self, call: _Call) -> None:
        """Stops an execution whose call no longer waits for it."""
        ended = call.wait.ended()
        try:
            self._step_functions.stop_execution(call.execution_arn, f"the caller stopped waiting: {ended}")
        except (InferenceError, InferenceTimeoutError) as error:
            if isinstance(error, InferenceError) and error.name == "ExecutionDoesNotExist" and call.is_start_lost():
                call.execution_arn, call.situation = None, "nothing was started"
                return
            raise InferenceError(
                "NotStopped",
                f"{ended}: the execution could not be stopped: {error}: stop it yourself",
                cause=error.cause if isinstance(error, InferenceError) else error,
            ) from error
        call.situation, call.stopped = "the execution was stopped", True

    def _failed_step(self, call: _Call) -> str | None:
        """The function that failed, which the cause of a Standard execution does not say: the last state that was entered."""
        try:
            history = self._step_functions.latest_events(call.wait, call.execution_arn)
        except (_WaitEnded, InferenceError, InferenceTimeoutError):
            # The failure matters more than where it was. A caller may lack the permission to read the history.
            return None
        entered = (
            event["stateEnteredEventDetails"] for event in history["events"] if "stateEnteredEventDetails" in event
        )
        return STEPS.get(next(entered, {"name": ""})["name"])

    # The results of an execution.

    def _result(self, call: _Call, pipeline: PipelineDescription, output: Any) -> Inference:
        pipeline, checked = self._compared_output(call, pipeline, output)
        source = checked.source
        if isinstance(source, ObjectReference):
            call.situation = f"the results are in {source.bucket}/{source.key}"
            tensors = self._stored(call, source)
        else:
            tensors = {name: decode_inline(name, tensor) for name, tensor in source.items()}
        # If a deployment is under way, or the ARN is that of an alias, the signature may be of another model.
        if checked.deployment_digest == pipeline.signature.deployment_digest:
            tensors = _ordered(pipeline.signature.outputs, tensors)
        return Inference(
            outputs=tensors,
            execution_arn=call.execution_arn or "",
            results_object=checked.results_object,
            run=checked.run,
            timings=checked.timings,
            deployment_digest=checked.deployment_digest,
            served_by=checked.served_by,
        )

    def _compared_output(
        self, call: _Call, pipeline: PipelineDescription, output: Any
    ) -> tuple[PipelineDescription, _CheckedOutput]:
        """Checks the output against the pipeline, and against the latest one if a deployment came between."""
        try:
            checked = _checked_output(output, pipeline.bucket, call.execution_arn)
        except InferenceError:
            latest = self._latest(call.wait)
            if latest.bucket == pipeline.bucket:
                raise
            return latest, _checked_output(output, latest.bucket, call.execution_arn)
        digest = checked.deployment_digest
        if digest == pipeline.signature.deployment_digest or self._is_unfit(digest):
            return pipeline, checked
        self._description = None
        try:
            latest = self._latest(call.wait)
        except (InferenceError, InferenceTimeoutError):
            # The results are there. The next call asks again.
            return pipeline, checked
        if latest.signature.deployment_digest != digest:
            self._unfit = (digest, time.monotonic())
        return latest, checked

    def _is_unfit(self, digest: str) -> bool:
        unfit = self._unfit
        return unfit is not None and unfit[0] == digest and time.monotonic() - unfit[1] < UNFIT_SECONDS

    def _stored(self, call: _Call, place: ObjectReference) -> dict[str, Tensor]:
        """Reads results from S3, again if they are damaged."""
        pauses = _Pauses(self._poll_interval)
        for attempt in range(1, READS + 1):
            try:
                return decode_file(self._objects.get(call.wait, place))
            except (*DAMAGE, InferenceError) as damage:
                if isinstance(damage, InferenceError) and not isinstance(damage.cause, BROKEN_BODY):
                    raise
                if attempt == READS:
                    message = f"the results {place.key} must be whole, got damaged ones in {READS} reads: {damage}"
                    raise InferenceError("CorruptTensor", message) from damage
            call.wait.sleep(random.uniform(0, pauses.next()))
        raise AssertionError("the last read returns or raises")


READS = 3
"""How often results are read if they are damaged, as often as the functions of a pipeline do it."""

MOST_IN_ROW = 20
"""Requests about a Standard execution that may fail in a row. With the default pauses, they take more than a minute."""

UNFIT_SECONDS = 60
"""Pause between two requests about a digest that does not fit. An alias may start an older version for weeks, whose outputs
never fit the description."""

TRANSFER_SECONDS = 60
"""For uploads and downloads, besides the longest execution."""

OUTDATED = ("NoSuchBucket", "AccessDenied", "StateMachineTypeNotSupported")
"""How AWS refuses requests whose description is older than the deployment: the bucket is gone or is that of another account,
or the type is another. https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartSyncExecution.html"""


def _may_be_outdated(error: InferenceError) -> bool:
    """Whether a call may fail so because its description is older than the deployment."""
    if error.cause is not None:
        return error.name in OUTDATED
    # The request is in another bucket than the slices read, or has the inputs of another model.
    return error.name == "InvalidInput" and error.execution_arn is not None


LOST_FUNCTION = ("Lambda.ResourceNotFoundException", "Lambda.AWSLambdaException")
"""How Lambda answers if a deployment has removed a function, or the permission to call it."""

FUNCTION_ARN = re.compile(r"\barn:[\w-]+:lambda:[\w-]+:\d{12}:function:[\w-]+(?::[\w-]+)?")

MOST_QUESTIONS = 6
"""How often a call asks whether a deployment explains a failure. With the default pauses, that takes nine seconds. For a few
seconds after an update, Step Functions may describe the earlier definition, and start executions of it:
https://docs.aws.amazon.com/step-functions/latest/apireference/API_UpdateStateMachine.html"""


def _trace_of(error: InferenceError, is_pipeline: bool) -> str | None:
    """Text of a failure that the definition of the state machine contains while it is the one that has run.

    If a later definition lacks it, a deployment explains the failure. ``None`` if none can. The failures of the user's own
    functions have no trace, whatever their names are. A pipeline's definition names all functions that it calls.
    """
    cause = error._execution_cause
    if cause is None or error.step is not None:
        return None
    if error.name in LOST_FUNCTION and (is_pipeline or error.slice is not None):
        arn = FUNCTION_ARN.search(cause)
        # Version 1 of a function is not version 12.
        return None if arn is None else f'{arn[0]}"'
    found = parse_failure_cause(cause)
    digest = str(found.get("got" if error.name == "PlanChanged" else "deploymentDigest"))
    return digest if error.slice is not None and re.fullmatch("[0-9a-f]{64}", digest) else None


def _is_outdated(used_type: str | None, used: PipelineDescription, now: PipelineDescription) -> bool:
    """Whether what a call used is no longer so. Both deployments have the same ARN."""
    digests = used.signature.deployment_digest, now.signature.deployment_digest
    return used_type not in (None, now.type) or used.bucket != now.bucket or digests[0] != digests[1]


class ChecksumMismatch(Exception):
    """A file's bytes are not those that its writer has written."""


class MalformedFile(Exception):
    """A file's bytes are not the tensors of a pipeline."""


DAMAGE = (ChecksumMismatch, MalformedFile, safetensors.SafetensorError)

BROKEN_BODY = (
    botocore.exceptions.FlexibleChecksumError,
    botocore.exceptions.IncompleteReadError,
    botocore.exceptions.ResponseStreamingError,
)
"""boto3 repeats requests, but not the reading of a body."""


# How long a call waits, and what it has started.

LOOK_SECONDS = 0.1
"""How often a wait looks at its events and its time, because Python cannot wait for several things at once."""

FIRST_PAUSE = 0.2
PAUSE_GROWTH = 1.5


class _WaitEnded(Exception):
    """The time is over, or an event was set."""

    def __init__(self, message: str, is_timeout: bool) -> None:
        super().__init__(message)
        self.is_timeout = is_timeout


class _Wait:
    """The waiting time of one call, restarts included."""

    def __init__(self, seconds: float | None, events: Sequence[threading.Event] = ()) -> None:
        self._start = time.monotonic()
        self._seconds = seconds
        self._is_chosen = seconds is not None
        self._events = events

    def limit(self, seconds: float | None) -> None:
        """Ends the wait so many seconds after its start, unless the caller has chosen a time."""
        if not self._is_chosen:
            self._seconds = seconds

    def ended(self) -> _WaitEnded | None:
        if any(event.is_set() for event in self._events):
            return _WaitEnded("the wait was cancelled", is_timeout=False)
        if self._seconds is not None and time.monotonic() >= self._start + self._seconds:
            return _WaitEnded(f"the run must end within {self._seconds:g} seconds, got no result", is_timeout=True)
        return None

    def check(self) -> None:
        ended = self.ended()
        if ended is not None:
            raise ended

    def sleep(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while True:
            self.check()
            rest = end - time.monotonic()
            if rest <= 0:
                return
            time.sleep(min(rest, LOOK_SECONDS))


class _Pauses:
    """Pauses that grow, between requests about the same execution."""

    def __init__(self, longest: float) -> None:
        self._longest = longest
        self._next = min(FIRST_PAUSE, longest)

    def next(self) -> float:
        pause = self._next
        self.grow()
        return pause

    def grow(self) -> None:
        self._next = min(self._next * PAUSE_GROWTH, self._longest)


class _Repeats:
    """Which failed requests about a Standard execution are sent again, and how often.

    Throttled ones do not count: the service works, and the execution goes on.
    """

    def __init__(self, call: _Call, passes: Sequence[str] = ()) -> None:
        self._call = call
        self._passes = passes
        """Names of errors that pass by themselves, besides those of connections and services."""
        self._in_row = 0

    def failed(self, error: InferenceError | InferenceTimeoutError) -> None:
        """Returns if the request is to be sent again, and otherwise raises its error."""
        is_throttled = isinstance(error, InferenceError) and _is_throttled(error)
        if isinstance(error, InferenceError) and not _is_transient(error) and error.name not in self._passes:
            raise error
        self._in_row += not is_throttled
        if self._in_row >= MOST_IN_ROW and not is_throttled:
            raise error
        self._call.failure = error

    def succeeded(self) -> None:
        self._in_row = 0
        self._call.failure = None


class _Call:
    """One call of the client: its wait, what it has started, and its reports."""

    def __init__(
        self, wait: _Wait, stops: bool, on_progress: Callable[[InferenceProgress], None] | None = None
    ) -> None:
        self.wait = wait
        self.stops = stops
        """Whether the end of the wait also stops the execution."""
        self.questions = 0
        """How often the call has asked whether a deployment explains a failure."""
        self.follows_states = on_progress is not None
        self._on_progress = on_progress
        self.reset()

    def reset(self) -> None:
        """Forgets an execution."""
        self.execution_arn: str | None = None
        self.situation = "nothing was started"
        """What is true after the end of the wait, for its error."""
        self.stopped = False
        self.failure: InferenceError | InferenceTimeoutError | None = None
        """Why the last request failed, if it is sent again."""
        self.type: str | None = None
        """The type of the state machine that the call used."""
        self.pipeline: PipelineDescription | None = None
        """The description that the call used. Only calls that pass tensors have one."""

    def restart(self) -> None:
        self.report("restarted")
        self.reset()

    def started(self, execution_arn: str, at: datetime.datetime | None = None) -> None:
        self.execution_arn, self.situation = execution_arn, "it goes on"
        self.report("started", None if at is None else at.timestamp())

    def may_have_started(self, execution_arn: str) -> None:
        self.execution_arn, self.situation = execution_arn, MAY_HAVE_STARTED

    def is_start_lost(self) -> bool:
        return self.situation == MAY_HAVE_STARTED

    def report(self, event: ProgressEvent, at: float | None = None, state: str | None = None) -> None:
        if self._on_progress is not None:
            seconds = time.time() if at is None else at
            self._on_progress(InferenceProgress(event, seconds, state, self.execution_arn))

    @contextlib.contextmanager
    def explaining(self) -> Iterator[None]:
        """Raises the end of the wait as the caller knows it, and adds the execution to other errors."""
        try:
            yield
        except _WaitEnded as ended:
            kind = InferenceTimeoutError if ended.is_timeout else InferenceCancelledError
            message = f"{ended}: {self.situation}"
            if ended.is_timeout and self.failure is not None:
                message += f", and the last request failed ({self.failure}): check the connection or raise wait_timeout"
            cause = self.failure if ended.is_timeout else None
            raise kind(message, execution_arn=self.execution_arn, stopped=self.stopped) from cause
        except (InferenceError, InferenceTimeoutError) as error:
            error.execution_arn = error.execution_arn or self.execution_arn
            raise


MAY_HAVE_STARTED = "it may have started"


class _StateEvents:
    """Reports the states that a Standard execution enters and leaves, from its history."""

    def __init__(self, call: _Call, step_functions: _StepFunctions) -> None:
        self._call = call
        self._step_functions = step_functions
        self._last = 0

    def report(self) -> None:
        """Reports the events since the last report, in their order."""
        for event in reversed(self._new_events()):
            for kind, field in STATE_EVENTS.items():
                if field in event:
                    self._call.report(kind, event["timestamp"].timestamp(), event[field]["name"])

    def _new_events(self) -> list[dict[str, Any]]:
        """The latest first: a history has up to 25,000 events, and the earlier ones are known."""
        found: list[dict[str, Any]] = []
        token = None
        while True:
            page = self._step_functions.latest_events(self._call.wait, self._call.execution_arn, token)
            new = [event for event in page["events"] if event["id"] > self._last]
            found += new
            token = page.get("nextToken") if len(new) == len(page["events"]) else None
            if token is None:
                break
        self._last = found[0]["id"] if found else self._last
        return found


STATE_EVENTS: dict[ProgressEvent, str] = {
    "state_entered": "stateEnteredEventDetails",
    "state_exited": "stateExitedEventDetails",
}


class _Source:
    """The inputs of many runs, which a thread takes one by one, each when it is asked for.

    An error ends them, and is raised when the runs before it have ended.
    """

    def __init__(self, inputs: Iterable[Mapping[str, ArrayLike]]) -> None:
        self._inputs = inputs
        self._taken: deque[Mapping[str, ArrayLike]] = deque()
        self._failure: BaseException | None = None
        self._is_asked = self._is_taking = self._is_over = self._is_closed = False
        self._changed = threading.Condition()
        self._has_news = False
        # Python does not wait for a daemon at its end: a source may never make its next input.
        self._thread = threading.Thread(target=self._work, name="sliced-inference-inputs", daemon=True)
        self._thread.start()

    def ask(self) -> None:
        """Lets the thread take one more input, if it is not taking one."""
        with self._changed:
            self._is_asked = True
            self._changed.notify_all()

    def has_input(self) -> bool:
        return bool(self._taken)

    def take(self) -> Mapping[str, ArrayLike]:
        return self._taken.popleft()

    def is_over(self) -> bool:
        """Whether no input is left."""
        with self._changed:
            return self._is_over and not self._taken

    def notify(self, _: object = None) -> None:
        """Ends a wait: an input has been taken, or a run has ended."""
        with self._changed:
            self._has_news = True
            self._changed.notify_all()

    def wait(self, seconds: float) -> None:
        """Waits for news since the last wait."""
        with self._changed:
            self._changed.wait_for(lambda: self._has_news, seconds)
            self._has_news = False

    def close(self) -> None:
        """Takes no more inputs. A generator is closed when this returns, unless it is making an input."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
            is_taking = self._is_taking
        if not is_taking:
            self._thread.join()

    def raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure

    def _work(self) -> None:
        try:
            iterator: Iterator[Mapping[str, ArrayLike]] | None = None
            while self._may_take():
                iterator = iter(self._inputs) if iterator is None else iterator
                self._add(next(iterator))
            if isinstance(iterator, Generator):
                iterator.close()
        except StopIteration:
            # No input is left.
            pass
        except BaseException as error:
            self._failure = error
        finally:
            with self._changed:
                self._is_over = True
            self.notify()

    def _may_take(self) -> bool:
        """Waits until an input is asked for. It is not if nobody needs one any more."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_asked or self._is_closed)
            self._is_taking = not self._is_closed
            return self._is_taking

    def _add(self, taken: Mapping[str, ArrayLike]) -> None:
        with self._changed:
            self._taken.append(taken)
            self._is_asked = self._is_taking = False
        self.notify()


class _Counter:
    """Counts the outcomes of many inferences."""

    def __init__(self, total: int | None, on_progress: Callable[[Progress], None] | None) -> None:
        self._done = 0
        self._failed = 0
        self._started = 0
        self._total = total
        self._on_progress = on_progress
        self._counting = threading.Lock()

    def start(self) -> None:
        with self._counting:
            self._started += 1

    def add(self, outcome: Outcome) -> None:
        with self._counting:
            self._done += 1
            self._failed += outcome.error is not None
            if self._on_progress is not None:
                self._on_progress(Progress(self._done, self._failed, self._started, self._total))


def _checked(outcome: Outcome) -> Outcome:
    if isinstance(outcome.error, InferenceCancelledError):
        raise outcome.error
    return outcome


# Requests to AWS.


class _StepFunctions:
    """The requests to Step Functions that a call makes. Each raises as `_answer` does."""

    def __init__(self, clients: _Clients, request_timeout: float) -> None:
        self._clients = clients
        self._seconds = request_timeout

    def describe_state_machine(self, wait: _Wait, arn: str) -> dict[str, Any]:
        return self._answer("DescribeStateMachine", wait, lambda sfn: sfn.describe_state_machine(stateMachineArn=arn))

    def start_execution(self, wait: _Wait, arn: str, name: str, text: str) -> dict[str, Any]:
        return self._answer(
            "StartExecution", wait, lambda sfn: sfn.start_execution(stateMachineArn=arn, name=name, input=text)
        )

    def start_sync_execution(self, wait: _Wait, arn: str, text: str) -> dict[str, Any]:
        """The answer comes when the execution has ended, so the wait alone limits its time."""
        self._clients.check_synchronous()

        def send() -> dict[str, Any]:
            client = self._clients.synchronous()
            try:
                answer: dict[str, Any] = client.start_sync_execution(stateMachineArn=arn, input=text)
            except botocore.exceptions.ReadTimeoutError as error:
                seconds = client.meta.config.read_timeout
                raise InferenceTimeoutError(
                    f"StartSyncExecution must answer within the client's read_timeout of {seconds} seconds, got no answer: "
                    f"create the client with Config(read_timeout={SYNC_READ_TIMEOUT})"
                ) from error
            return answer

        return _answer("StartSyncExecution", wait, _Deadline(math.inf), send)

    def describe_execution(self, wait: _Wait, arn: str | None) -> dict[str, Any]:
        return self._answer("DescribeExecution", wait, lambda sfn: sfn.describe_execution(executionArn=arn))

    def latest_events(self, wait: _Wait, arn: str | None, token: str | None = None) -> dict[str, Any]:
        """One page of the events, the latest first, without data."""
        page = {} if token is None else {"nextToken": token}
        arguments = {"executionArn": arn, "reverseOrder": True, "includeExecutionData": False, **page}
        return self._answer("GetExecutionHistory", wait, lambda sfn: sfn.get_execution_history(**arguments))

    def stop_execution(self, arn: str | None, cause: str) -> None:
        arguments = {"executionArn": arn, "error": "Cancelled", "cause": cause}
        self._answer("StopExecution", _Wait(None), lambda sfn: sfn.stop_execution(**arguments))

    def _answer(self, operation: str, wait: _Wait, send: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
        return _answer(operation, wait, _Deadline(self._seconds), lambda: send(self._clients.step_functions()))


class _Objects:
    """The objects in S3 that a call writes and reads."""

    def __init__(self, clients: _Clients, request_timeout: float, max_bytes: int) -> None:
        self._clients = clients
        self._seconds = request_timeout
        self._max_bytes = max_bytes

    def put(self, wait: _Wait, place: ObjectReference, body: bytes) -> None:
        arguments = {"Bucket": place.bucket, "Key": place.key, "Body": body}
        deadline = _Deadline(self._seconds + len(body) / SLOW_BYTES_PER_SECOND)
        _answer("PutObject", wait, deadline, lambda: self._clients.s3().put_object(**arguments))

    def get(self, wait: _Wait, place: ObjectReference) -> bytes:
        """Reads an object into memory, unless it is too large."""
        deadline = _Deadline(self._seconds)

        def read() -> bytes:
            answer = self._clients.s3().get_object(Bucket=place.bucket, Key=place.key)
            body = answer["Body"]
            if answer["ContentLength"] > self._max_bytes:
                body.close()
                raise _too_large(place, self._max_bytes, answer["ContentLength"])
            file = io.BytesIO()
            while part := body.read(READ_BYTES):
                _refuse_abandoned()
                deadline.renew()
                file.write(part)
            return file.getvalue()

        return _answer("GetObject", wait, deadline, read)


def _too_large(place: ObjectReference, limit: int, size: int) -> InferenceError:
    return InferenceError(
        "InvalidOutput",
        f"the results {place.key} must have at most {limit} bytes of results, got {size}: raise max_result_bytes",
        expected=f"at most {limit} bytes",
        got=f"{size} bytes",
    )


SLOW_BYTES_PER_SECOND = 2**20
"""A slow line still sends this much in a second. A larger upload gets more time."""

READ_BYTES = 2**17
"""Bytes of a download after which it counts as alive."""


class _Deadline:
    """When a request must have answered. Each part of a download renews it."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.renew()

    def renew(self) -> None:
        self._start = time.monotonic()

    def is_over(self) -> bool:
        return time.monotonic() >= self._start + self.seconds


class _Nobody(Exception):
    """Nobody waits for the answer to the request."""


_SENDING = threading.local()
"""In a thread that sends a request: `abandoned` is the event that nobody waits for its answer."""


def _refuse_abandoned(**_: Any) -> None:
    """Runs before each request of boto3, also before its repeats."""
    abandoned = getattr(_SENDING, "abandoned", None)
    if abandoned is not None and abandoned.is_set():
        raise _Nobody


def _answer(operation: str, wait: _Wait, deadline: _Deadline, send: Callable[[], T]) -> T:
    """Sends one request, with its repeats by boto3, in a thread that goes on alone when the wait ends.

    Raises:
        _WaitEnded: the wait has ended.
        InferenceTimeoutError: there was no answer in time.
        InferenceError: boto3 raised an error, which is its cause.
    """
    wait.check()
    result: concurrent.futures.Future[T] = concurrent.futures.Future()
    abandoned = threading.Event()

    def work() -> None:
        _SENDING.abandoned = abandoned
        try:
            result.set_result(send())
        except BaseException as error:
            result.set_exception(error)

    # Not an executor's thread, because Python would wait for it at its end.
    threading.Thread(target=work, name="sliced-inference", daemon=True).start()
    try:
        while not concurrent.futures.wait([result], timeout=LOOK_SECONDS).done:
            wait.check()
            if deadline.is_over():
                raise _late(operation, f"{deadline.seconds:g} seconds")
    finally:
        abandoned.set()
    try:
        return result.result()
    except TIMEOUTS as error:
        raise _late(operation, f"the timeouts of boto3 ({error})") from error
    except (botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError) as error:
        raise _refused(operation, error) from error


def _late(operation: str, limit: str) -> InferenceTimeoutError:
    return InferenceTimeoutError(
        f"{operation} must answer within {limit}, got no answer: raise request_timeout or try again"
    )


def _refused(operation: str, error: Exception) -> InferenceError:
    """The error of a request that AWS refused, or that boto3 could not send."""
    name = type(error).__name__
    if isinstance(error, botocore.exceptions.ClientError):
        code = error.response.get("Error", {}).get("Code")
        return InferenceError(code or name, str(error), cause=error)
    if isinstance(error, CREDENTIALS):
        message = f"boto3 must have credentials for {operation}, got none: {error}: set AWS_PROFILE or run with a role"
        return InferenceError(name, message, cause=error)
    return InferenceError(name, f"{operation} failed: {error}", cause=error)


TIMEOUTS = (botocore.exceptions.ReadTimeoutError, botocore.exceptions.ConnectTimeoutError)

CREDENTIALS = (
    botocore.exceptions.NoCredentialsError,
    botocore.exceptions.PartialCredentialsError,
    botocore.exceptions.CredentialRetrievalError,
    botocore.exceptions.TokenRetrievalError,
    botocore.exceptions.SSOError,
    botocore.exceptions.ProfileNotFound,
)

CONNECTION = (botocore.exceptions.ConnectionError, botocore.exceptions.HTTPClientError)

THROTTLING = (
    *("ThrottlingException", "Throttling", "TooManyRequestsException"),
    *("RequestLimitExceeded", "SlowDown", "ExecutionLimitExceeded"),
)
"""Names of errors that mean "too many requests", besides status 429.
https://docs.aws.amazon.com/step-functions/latest/apireference/CommonErrors.html and API_StartExecution.html beside it"""


def _is_throttled(error: InferenceError) -> bool:
    """Whether the service refused the request because there are too many. It did nothing."""
    return error.name in THROTTLING or _http_status(error) == 429


def _is_transient(error: InferenceError) -> bool:
    """Whether the same request may succeed later. The service may have done what it asks."""
    if isinstance(error.cause, botocore.exceptions.SSLError):
        return False
    return _is_throttled(error) or _http_status(error) >= 500 or isinstance(error.cause, CONNECTION)


def _http_status(error: InferenceError) -> int:
    """0 if there was no answer."""
    if not isinstance(error.cause, botocore.exceptions.ClientError):
        return 0
    metadata: Mapping[str, Any] = error.cause.response.get("ResponseMetadata", {})
    return int(metadata.get("HTTPStatusCode", 0))


# How to reach AWS, or a local cloud.

SYNC_READ_TIMEOUT = MAX_EXPRESS_SECONDS + 10
"""Seconds until StartSyncExecution must have answered: the longest Express execution, and something for the way."""

MAX_CONNECTIONS = 50
"""For many runs at once; boto3's own default is 10."""


class _Clients:
    """Clients of boto3, made when they are needed. boto3 reads endpoints and credentials from the environment."""

    def __init__(self, region: str, request_timeout: float, step_functions: Any, s3: Any) -> None:
        self._region = region
        self._request_timeout = request_timeout
        self._given = step_functions
        self._made: dict[str, Any] = {} if s3 is None else {"s3": s3}
        self._making = threading.RLock()
        for given in (step_functions, s3):
            if given is not None:
                _watch(given)

    def step_functions(self) -> Any:
        if self._given is not None:
            return self._given
        return self._client("stepfunctions", self._config(self._request_timeout))

    def s3(self) -> Any:
        return self._client("s3", self._config(self._request_timeout))

    def synchronous(self) -> Any:
        """The client for StartSyncExecution, which answers when the run ends, at a host with the prefix ``sync-``."""
        if self._given is not None:
            return self._given
        return self._client("synchronous", self._config(max(self._request_timeout, SYNC_READ_TIMEOUT)))

    def check_synchronous(self) -> None:
        """Refuses the caller's own client, or warns of it, if it does not suit StartSyncExecution."""
        meta = getattr(self._given, "meta", None)
        if meta is None:
            return
        config = meta.config
        if _is_local(self._given) and config.inject_host_prefix:
            raise ValueError(
                "a client for a local endpoint must not add a prefix to its host, got one that does: "
                "create it with Config(inject_host_prefix=False)"
            )
        if config.read_timeout < MAX_EXPRESS_SECONDS:
            warnings.warn(
                f"the client's read_timeout should be {SYNC_READ_TIMEOUT} seconds for Express, got {config.read_timeout}: "
                f"boto3 starts longer runs again; create it with Config(read_timeout={SYNC_READ_TIMEOUT})",
                RuntimeWarning,
                stacklevel=2,
            )

    def _client(self, use: str, config: Config) -> Any:
        with self._making:
            if use not in self._made:
                service = "stepfunctions" if use == "synchronous" else use
                # Stubs of boto3 know services by their literal names.
                session: Any = boto3.session.Session(region_name=self._region)
                client = session.client(service, config=config)
                if _is_local(client):
                    # `sync-127.0.0.1` and `bucket.localhost` do not exist.
                    local = Config(inject_host_prefix=False, s3={"addressing_style": "path"})
                    client = session.client(service, config=config.merge(local))
                _watch(client)
                self._made[use] = client
            return self._made[use]

    def _config(self, read_timeout: float) -> Config:
        return Config(
            connect_timeout=self._request_timeout,
            read_timeout=read_timeout,
            max_pool_connections=MAX_CONNECTIONS,
            retries={"mode": "standard"},
            # Routers forget connections that are silent, which StartSyncExecution's are.
            tcp_keepalive=True,
        )


def _watch(client: Any) -> None:
    """Lets a client send nothing that nobody waits for. Requests of other threads are not concerned."""
    meta = getattr(client, "meta", None)
    # The stub of a test may have none.
    if meta is not None:
        meta.events.register("before-send", _refuse_abandoned, unique_id="sliced-inference")


def _is_local(client: Any) -> bool:
    host = urllib.parse.urlsplit(client.meta.endpoint_url).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _region_of(arn: str) -> str:
    parts = arn.split(":")
    if len(parts) < 7 or parts[0] != "arn" or parts[2] != "states" or parts[5] != "stateMachine" or not parts[3]:
        raise ValueError(
            f"a state machine's ARN must be like arn:aws:states:REGION:ACCOUNT:stateMachine:NAME, got {arn!r}"
        )
    return parts[3]


def _execution_arn(state_machine_arn: str, name: str) -> str:
    """The ARN of an execution, as far as it is known before Step Functions tells it."""
    parts = state_machine_arn.split(":")
    return ":".join([*parts[:5], "execution", parts[6], name])


def _check_seconds(name: str, value: object) -> None:
    # A bool is a number in Python, but no time.
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError(f"{name} must be a number of seconds, got {type(value).__name__}: pass an int or a float")
    if not 0 < cast(float, value) < math.inf:
        raise ValueError(f"{name} must be a finite number of seconds above 0, got {value!r}: choose another")


def _check_count(name: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise TypeError(f"{name} must be a whole number, got {type(value).__name__}: pass an int")
    if value < 1:
        raise ValueError(f"{name} must be at least 1, got {value}: choose another")


# What the state machine says.

SIGNATURE_KEY = "slicedInference"

STEPS = {"Preprocess": "preprocess", "Postprocess": "postprocess"}
"""Functions of the user by the names of their states."""


@dataclass(frozen=True)
class _Machine:
    """What calls need to know of any state machine, also of one that only contains pipelines."""

    type: str
    is_pipeline: bool
    has_own_functions: bool
    execution_seconds: float | None
    """How long an execution may last; ``None`` if the state machine has no timeout."""


def _machine_from(machine: Mapping[str, Any]) -> _Machine:
    definition = _parsed_object(machine["definition"]) or {}
    try:
        signature = json.loads(definition["Comment"])[SIGNATURE_KEY]
        has_own_functions = any(step in signature for step in STEPS.values())
        is_pipeline = True
    except (ValueError, KeyError, TypeError):
        has_own_functions = is_pipeline = False
    return _Machine(machine["type"], is_pipeline, has_own_functions, _execution_seconds(machine["type"], definition))


def _execution_seconds(machine_type: str, definition: Mapping[str, Any]) -> float | None:
    seconds = definition.get("TimeoutSeconds")
    if not isinstance(seconds, (int, float)) or seconds <= 0:
        seconds = None
    return min(seconds or MAX_EXPRESS_SECONDS, MAX_EXPRESS_SECONDS) if machine_type == "EXPRESS" else seconds


def _described_arn(arn: str) -> str:
    """What DescribeStateMachine takes: it is documented for state machines and versions, but not for aliases."""
    parts = arn.split(":")
    is_alias = len(parts) == 8 and not parts[7].isdigit()
    return ":".join(parts[:7]) if is_alias else arn


def _description_from(arn: str, machine: Mapping[str, Any]) -> PipelineDescription:
    try:
        definition = json.loads(machine["definition"])
        signature = json.loads(definition["Comment"])[SIGNATURE_KEY]
        version = signature["version"]
    except (ValueError, KeyError, TypeError):
        raise InferenceError(
            "NotAPipeline",
            f"the comment of {arn} must have the signature of a SlicedInferencePipeline, got none: "
            "check the ARN, or use invoke for your own state machine",
        ) from None
    if version != CONTRACT_VERSION:
        raise InferenceError(
            "NotAPipeline",
            f"the pipeline's signature must have version {CONTRACT_VERSION}, got {version}: use the client of its release",
        )
    is_express = machine["type"] == "EXPRESS"
    return PipelineDescription(
        state_machine_arn=arn,
        type="EXPRESS" if is_express else "STANDARD",
        bucket=signature["bucket"],
        signature=PipelineSignature(
            deployment_digest=signature["deploymentDigest"],
            threads=signature["threads"],
            inputs=tuple(_spec(spec) for spec in signature["inputs"]),
            outputs=tuple(_spec(spec) for spec in signature["outputs"]),
            preprocess="preprocess" in signature,
            postprocess="postprocess" in signature,
        ),
        limits=PipelineLimits(
            request_bytes=MAX_REQUEST_BYTES,
            inline_result_bytes=MAX_INLINE_RESULT_BYTES,
            execution_input_bytes=MAX_INPUT_BYTES,
            execution_seconds=_execution_seconds(machine["type"], definition),
        ),
    )


def _spec(spec: Mapping[str, Any]) -> TensorSpec:
    shape = spec["shape"]
    return TensorSpec(spec["name"], spec["dtype"], None if shape is None else tuple(shape))


NAMES_OF_SLICES = ("PlanChanged", "SliceFailed", "WeightsCorrupt")
"""What only slices mean by these names. If a function of the user has one, its error is a ``HandlerError``."""


def _failure(execution: Mapping[str, Any], step: str | None) -> InferenceError:
    """The error of an execution that failed, timed out or was stopped."""
    status = execution["status"]
    default = {"TIMED_OUT": "States.Timeout", "ABORTED": "ExecutionAborted"}.get(status, status)
    cause = parse_failure_cause(execution.get("cause") or f"the execution ended with the status {status}")
    cause.pop("deploymentDigest", None)
    name, fields = execution.get("error") or default, {"step": step, **cause}
    if fields["step"] is not None and name in NAMES_OF_SLICES:
        name, fields = "HandlerError", {**fields, "message": f"{name}: {fields['message']}"}
    error = InferenceError(name, execution_arn=execution["executionArn"], **fields)
    error._execution_cause = execution.get("cause")
    return error


def parse_failure_cause(cause: str) -> dict[str, Any]:
    """Returns ``message`` and what else a cause has of slice, step, tensor, expected, got and deploymentDigest.

    The cause is a slice's JSON, with or without the JSON that Lambda puts around it, or a text of an AWS service.
    """
    outer = _parsed_object(cause)
    if outer is None:
        return {"message": cause}
    message = outer.get("errorMessage")
    if isinstance(message, str):
        return _cause_fields(_parsed_object(message)) or {"message": message}
    return _cause_fields(outer) or {"message": cause}


def _cause_fields(fields: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if fields is None or not isinstance(fields.get("message"), str):
        return None
    texts = ("step", "message", "tensor", "expected", "got", "deploymentDigest")
    kinds: dict[str, type] = {"slice": int, **dict.fromkeys(texts, str)}
    return {name: fields[name] for name, kind in kinds.items() if isinstance(fields.get(name), kind)}


def _parsed_object(text: str) -> dict[str, Any] | None:
    try:
        value = json.loads(text)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


# From Python's values to tensors of the model's types.

UNFIT_CHARACTERS = re.compile("[\0\ud800-\udfff]")
"""ONNX Runtime's JavaScript binding cuts strings at NUL and replaces lone surrogates."""


def _tensors(signature: PipelineSignature, inputs: Mapping[str, ArrayLike]) -> dict[str, Tensor]:
    """The inputs as arrays that fit the model: contiguous, in C order and little-endian; strings as objects."""
    if signature.preprocess or signature.postprocess:
        function = "preprocess" if signature.preprocess else "postprocess"
        raise InferenceError(
            "InvalidInput",
            f"infer expects a pipeline that takes and returns tensors, got one with a {function} function: use invoke",
        )
    specs = signature.inputs
    known = {spec.name: spec for spec in specs}
    for name in inputs:
        if name not in known:
            takes = _listed(known)
            raise InferenceError(
                "InvalidInput", f"the model has no input '{name}': it takes {takes}", tensor=name, expected=takes
            )
    for spec in specs:
        if spec.name not in inputs:
            got = _listed(inputs)
            raise InferenceError(
                "InvalidInput",
                f"input '{spec.name}' {spec} is missing: the request has {got}",
                tensor=spec.name,
                expected=str(spec),
                got=got,
            )
    return {spec.name: _tensor(spec, inputs[spec.name]) for spec in specs}


def _tensor(spec: TensorSpec, value: ArrayLike) -> Tensor:
    is_plain = isinstance(value, (list, tuple, bool, int, float, str)) and not isinstance(value, np.generic)
    array = _from_list(spec, value) if is_plain else _from_array(spec, value)
    if not _fits(spec.shape, array.shape):
        raise _misfit(spec, _described(spec.dtype, array.shape))
    if spec.dtype == "string":
        if any(UNFIT_CHARACTERS.search(text) for text in array.flat):
            raise _unfit(spec, "strings without NUL and lone surrogates", "others")
    elif spec.dtype == "bool" and array.size and array.view(np.uint8).max() > 1:
        raise _unfit(spec, "bools that are bytes of 0 and 1", "others")
    return array


def _from_array(spec: TensorSpec, value: ArrayLike) -> Tensor:
    # `__array__` of an object may return a masked array too, whose mask `asarray` would drop.
    array = np.asanyarray(value)
    if isinstance(array, np.ma.MaskedArray):
        raise _unfit(spec, "all of its values", "a masked array, whose mask the model would not see")
    array = np.asarray(array)
    dtype = array.dtype.name
    if array.dtype.kind in "UT" or (array.dtype.kind == "O" and all(isinstance(item, str) for item in array.flat)):
        dtype = "string"
    elif array.dtype.kind == "O":
        dtype = "object"
    elif array.dtype.kind == "S":
        dtype = "bytes"
    if dtype != spec.dtype:
        raise _misfit(spec, _described(dtype, array.shape))
    # `ascontiguousarray` would make a vector of a scalar.
    return np.asarray(array, dtype=object if dtype == "string" else np.dtype(dtype).newbyteorder("<"), order="C")


def _from_list(spec: TensorSpec, value: Any) -> Tensor:
    """A nested list of numbers, bools or strings, which may also have arrays of the model's dtype in it."""
    shape, items = _flattened(spec, value)
    if not items and spec.shape is not None:
        # `[]` is [0,3] for an input [N,3]: an empty list does not show the sizes behind it.
        shape += tuple(size if isinstance(size, int) else 0 for size in spec.shape[len(shape) :])
    if spec.dtype not in NUMERIC_DTYPES and spec.dtype != "string":
        raise _unfit(spec, f"one of the dtypes {', '.join(NUMERIC_DTYPES)} and string", spec.dtype)
    _check_kinds(spec, items)
    if spec.dtype == "string":
        strings = np.empty(len(items), dtype=object)
        strings[:] = items
        return strings.reshape(shape)
    dtype = np.dtype(spec.dtype)
    if dtype.kind in "iu":
        _check_range(spec, items, np.iinfo(dtype).min, np.iinfo(dtype).max)
    if dtype.kind != "f":
        return np.array(items, dtype=dtype).reshape(shape)
    try:
        exact = np.array(items, dtype=np.float64)
    except OverflowError:
        raise _unfit(spec, f"numbers in the range of {dtype.name}", "larger ones") from None
    with np.errstate(over="ignore"):
        rounded = exact.astype(dtype)
    if np.any(np.isinf(rounded) & np.isfinite(exact)):
        raise _unfit(spec, f"numbers in the range of {dtype.name}", "larger ones")
    return rounded.reshape(shape)


def _flattened(spec: TensorSpec, value: Any) -> tuple[tuple[int, ...], list[Any]]:
    """The shape of a nested list, and its elements in order."""
    if isinstance(value, (np.ndarray, np.generic)):
        array = _from_array(spec, value)
        return array.shape, array.reshape(-1).tolist()
    if not isinstance(value, (list, tuple)):
        return (), [value]
    if not any(isinstance(item, (list, tuple, np.ndarray, np.generic)) for item in value):
        return (len(value),), list(value)
    parts = [_flattened(spec, item) for item in value]
    shapes = {shape for shape, _ in parts}
    if len(shapes) > 1:
        raise _unfit(spec, "lists of the same length side by side", "lists of different lengths")
    return (len(parts), *parts[0][0]), [item for _, items in parts for item in items]


def _check_kinds(spec: TensorSpec, items: Sequence[Any]) -> None:
    kinds: dict[str, tuple[type, ...]] = {"string": (str,), "bool": (bool,)}
    wanted = kinds.get(spec.dtype, (int, float) if spec.dtype.startswith("float") else (int,))
    for index, item in enumerate(items):
        # A bool is an int in Python, but no number of a tensor.
        if not isinstance(item, wanted) or (isinstance(item, bool) and bool not in wanted):
            names = " or ".join(kind.__name__ for kind in wanted)
            raise _unfit(spec, f"elements of Python's {names} for {spec.dtype}", f"{type(item).__name__} at {index}")


def _check_range(spec: TensorSpec, items: Sequence[int], lowest: int, highest: int) -> None:
    for index, item in enumerate(items):
        if not lowest <= item <= highest:
            raise _unfit(spec, f"whole numbers from {lowest} to {highest} for {spec.dtype}", f"another at {index}")


def _fits(spec: tuple[int | str | None, ...] | None, shape: tuple[int, ...]) -> bool:
    if spec is None:
        return True
    return len(spec) == len(shape) and all(
        not isinstance(size, int) or size == shape[axis] for axis, size in enumerate(spec)
    )


def _misfit(spec: TensorSpec, got: str) -> InferenceError:
    return InferenceError(
        "InvalidInput",
        f"input '{spec.name}' expects {spec}, got {got}: convert it or check the input's name",
        tensor=spec.name,
        expected=str(spec),
        got=got,
    )


def _unfit(spec: TensorSpec, expected: str, got: str) -> InferenceError:
    return InferenceError(
        "InvalidInput",
        f"input '{spec.name}' must have {expected}, got {got}: convert it",
        tensor=spec.name,
        expected=expected,
        got=got,
    )


def _described(dtype: str, shape: Sequence[int | str | None] | None) -> str:
    """``float32[1,3,48,320]``; an unknown size reads ``?``, an unknown rank ``[...]``."""
    sizes = "..." if shape is None else ",".join("?" if size is None else str(size) for size in shape)
    return f"{dtype}[{sizes}]"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"'{name}'" for name in names) or "no tensors"


# Tensors in JSON and in files.


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _invoked_json(request: Any) -> str:
    """The JSON of a request of ``invoke``, which may be anything."""
    try:
        text = _json(request)
        size = len(text.encode())
    except (TypeError, ValueError, RecursionError) as error:
        # Of these kinds are also NaN, circles and lone surrogates.
        raise _invalid_request("a JSON value", f"another ({error})", "convert it") from error
    if size > MAX_INPUT_BYTES:
        raise _invalid_request(
            f"at most {MAX_INPUT_BYTES} bytes of JSON", str(size), "put large parts into S3 and pass their key"
        )
    return text


def _invalid_request(expected: str, got: str, advice: str) -> InferenceError:
    message = f"the request of invoke must be {expected}, got {got}: {advice}"
    return InferenceError("InvalidInput", message, expected=expected, got=got)


def _ordered(specs: Sequence[TensorSpec], tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The results in the model's order, after a check that they are the model's."""
    dtypes = {name: "string" if tensor.dtype == object else tensor.dtype.name for name, tensor in tensors.items()}
    expected = {spec.name: spec.dtype for spec in specs}
    if dtypes != expected:
        raise _invalid_output(f"the tensors {expected}", str(dtypes))
    return {name: tensors[name] for name in expected}


@dataclass(frozen=True)
class _CheckedOutput:
    """An output whose inline tensors are not decoded yet."""

    deployment_digest: str
    run: str
    timings: list[dict[str, Any]]
    results_object: ObjectReference | None
    source: dict[str, Any] | ObjectReference
    """The inline tensors by name. Without them, the object that has the results."""
    served_by: ServedBy | None


def _checked_output(output: Any, bucket: str, execution_arn: str | None) -> _CheckedOutput:
    """Checks each field: an execution of another state machine may return anything. Fields of newer pipelines may be there.

    Results in another bucket than that of the pipeline are refused, and those of another execution.
    """

    def field(parent: Any, name: str, kind: type[T]) -> T:
        value = parent.get(name)
        if not isinstance(value, kind):
            raise _invalid_output(f"{name} as {KINDS[kind]}", KINDS.get(type(value), "another value"))
        return value

    if not isinstance(output, dict):
        raise _invalid_output("a JSON object", KINDS.get(type(output), "another value"))
    if output.get("version") != CONTRACT_VERSION:
        raise _invalid_output(f"version {CONTRACT_VERSION}", "another")
    run, outputs = field(output, "run", str), field(output, "outputs", dict)
    # The last two segments of the ARN name the run, in a Standard execution together with its start.
    own = "/".join((execution_arn or "").split(":")[-2:])
    if not re.fullmatch(rf"{re.escape(own)}(/[0-9]+)?", run):
        raise _invalid_output(f"the run {own} of its execution", repr(run))

    def stored() -> ObjectReference:
        place = field(outputs, "s3", dict)
        reference = ObjectReference(field(place, "bucket", str), field(place, "key", str))
        expected = ObjectReference(bucket, f"outputs/{run}.safetensors")
        if reference != expected:
            got = f"{reference.bucket}/{reference.key}"
            raise _invalid_output(f"results at {expected.bucket}/{expected.key}", got)
        return reference

    # If the request wants the results inline only, none are in S3.
    source = field(outputs, "tensors", dict) if "tensors" in outputs else stored()
    results_object = stored() if "s3" in outputs else None
    timings = field(output, "timings", list)
    if not all(isinstance(timing, dict) for timing in timings):
        raise _invalid_output("timings as a list of objects", "a list of others")
    return _CheckedOutput(
        deployment_digest=field(output, "deploymentDigest", str),
        run=run,
        timings=timings,
        results_object=results_object,
        source=source,
        served_by=_served_by(output),
    )


def _served_by(output: dict[str, Any]) -> ServedBy | None:
    """Only the outputs of pipelines with consolidation have it."""
    if "servedBy" not in output:
        return None
    if output["servedBy"] not in ("whole", "slices"):
        raise _invalid_output("servedBy of 'whole' or 'slices'", "another")
    return cast(ServedBy, output["servedBy"])


KINDS: dict[type, str] = {dict: "an object", list: "a list", str: "a text", type(None): "none"}


def _invalid_output(expected: str, got: str) -> InferenceError:
    return InferenceError(
        "InvalidOutput",
        f"the output of the execution must have {expected}, got {got}: use the client of the pipeline's release",
        expected=expected,
        got=got,
    )


def _fewest_bytes(tensor: Tensor) -> int:
    """Bytes of a tensor in a file, and for strings a lower bound of them."""
    return sum(map(len, tensor.flat)) if tensor.dtype == object else tensor.nbytes


def _fewest_inline_bytes(tensor: Tensor) -> int:
    """A lower bound of a tensor's bytes in JSON, to encode no tensor that cannot fit."""
    if tensor.dtype == object:
        # Two quotation marks and a comma for each.
        return _fewest_bytes(tensor) + 3 * tensor.size
    # base64 has four characters for three bytes.
    return tensor.nbytes * 4 // 3


def encode_inline(tensor: Tensor) -> dict[str, Any]:
    """A tensor as the JSON of a request."""
    if tensor.dtype == object:
        return {"dtype": "string", "shape": tensor.shape, "data": tensor.reshape(-1).tolist()}
    encoded = base64.b64encode(tensor.tobytes()).decode("ascii")
    return {"dtype": tensor.dtype.name, "shape": tensor.shape, "base64": encoded}


def decode_inline(name: str, tensor: Any) -> Tensor:
    """A tensor of the output. Another program may have written it."""
    try:
        dtype, shape = tensor["dtype"], [operator.index(size) for size in tensor["shape"]]
        if min(shape, default=0) < 0:
            raise ValueError(f"a size of {min(shape)}")
        if dtype == "string":
            return _string_array(shape, tensor["data"])
        if dtype not in NUMERIC_DTYPES:
            raise ValueError("another dtype")
        # A bytearray makes the array writable.
        data = bytearray(base64.b64decode(tensor["base64"], validate=True))
        return np.frombuffer(data, dtype=np.dtype(dtype).newbyteorder("<")).reshape(shape)
    except (KeyError, TypeError, ValueError) as error:
        raise _invalid_output(f"a tensor as '{name}'", f"a malformed one ({error})") from error


def _string_array(shape: Sequence[int], items: Sequence[str]) -> Tensor:
    if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
        raise TypeError("strings that are no list of str")
    array = np.empty(len(items), dtype=object)
    array[:] = items
    return array.reshape(tuple(shape))


STRING_TENSOR = "string_tensor."
TENSOR_CRC32 = "tensor_crc32."
HEADER_CRC32 = "header_crc32"
NO_CRC32 = "00000000"


def encode_file(tensors: Mapping[str, Tensor]) -> bytes:
    """A safetensors file. Strings and checksums are in its metadata, as the guide to requests and results describes."""
    numeric = {name: tensor for name, tensor in tensors.items() if tensor.dtype != object}
    metadata = {HEADER_CRC32: NO_CRC32}
    for name, tensor in tensors.items():
        if tensor.dtype == object:
            text = _json({"shape": tensor.shape, "data": tensor.reshape(-1).tolist()})
            metadata[f"{STRING_TENSOR}{name}"] = text
        else:
            metadata[f"{TENSOR_CRC32}{name}"] = _hex_crc32(tensor.reshape(-1).view(np.uint8))
    file = safetensors.numpy.save(numeric, metadata=metadata)
    header = _header_of(file)
    place = header.index(_HEADER_CRC32_FIELD) + len(_HEADER_CRC32_FIELD)
    return file[: 8 + place] + _hex_crc32(header).encode() + file[8 + place + len(NO_CRC32) :]


def decode_file(file: bytes) -> dict[str, Tensor]:
    """The tensors of a safetensors file.

    Raises ``ChecksumMismatch`` if they do not have the file's checksums, and ``MalformedFile`` or the error of ``safetensors``
    if the bytes are not such a file.
    """
    try:
        return _decoded(file)
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise MalformedFile(
            f"the file must have named tensors of the pipeline's types, got others ({error!r})"
        ) from error


def _decoded(file: bytes) -> dict[str, Tensor]:
    header = _header_of(file)
    _check_header(header)
    described = json.loads(header)
    if not isinstance(described, dict):
        raise TypeError("a header that is no object")
    metadata: dict[str, str] = described.pop("__metadata__", None) or {}
    if not isinstance(metadata, dict):
        raise TypeError("metadata that are no object")
    tensors: dict[str, Tensor] = dict(safetensors.numpy.load(file))
    data = memoryview(file)[8 + len(header) :]
    for name, tensor in described.items():
        begin, end = tensor["data_offsets"]
        expected = metadata.get(f"{TENSOR_CRC32}{name}")
        got = _hex_crc32(data[begin:end])
        if expected is not None and expected != got:
            raise ChecksumMismatch(f"tensor '{name}' must have the CRC32 {expected}, got {got}")
    for key, text in metadata.items():
        if key.startswith(STRING_TENSOR):
            strings = json.loads(text)
            tensors[key.removeprefix(STRING_TENSOR)] = _string_array(strings["shape"], strings["data"])
    return tensors


_HEADER_CRC32_FIELD = f'"{HEADER_CRC32}":"'.encode()
"""JSON has no bare quotation marks inside of strings, so this is no part of a name."""


def _header_of(file: bytes) -> bytes:
    return file[8 : 8 + int.from_bytes(file[:8], "little")]


def _check_header(header: bytes) -> None:
    field = header.find(_HEADER_CRC32_FIELD)
    if field < 0:
        return
    place = field + len(_HEADER_CRC32_FIELD)
    expected = header[place : place + len(NO_CRC32)]
    got = _hex_crc32(header[:place] + NO_CRC32.encode() + header[place + len(NO_CRC32) :])
    if expected != got.encode():
        raise ChecksumMismatch(f"the header must have the CRC32 {expected!r}, got {got}")


def _hex_crc32(data: Any) -> str:
    return f"{zlib.crc32(data):08x}"
