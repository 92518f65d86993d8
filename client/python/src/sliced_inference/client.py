"""The client of one pipeline."""

import math
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Literal, TypeVar

from numpy.typing import ArrayLike

from .aws import Aws
from .call import Call
from .contract import INLINE_MODES
from .errors import InferenceError, InferenceTimeoutError
from .execution import execute
from .failures import is_replaced, may_be_outdated, trace_of
from .inputs import tensors_from
from .many import outcomes_of
from .output import decoded, ordered, read_object, read_undamaged, result_from, results_place
from .pipeline import PipelineDescription, StateMachine, described_arn, region_of
from .request import invoked_text, request_of
from .results import Inference, InferenceProgress, Invocation, Outcome, Progress
from .tensors import Tensor, compact_json

T = TypeVar("T")

ResultsPlace = Literal["auto", "s3", "inline"]

UNFIT_SECONDS = 60
"""Pause between two requests about a digest that does not fit. An alias may start an older version for weeks, whose
outputs never fit the description."""

MOST_QUESTIONS = 6
"""How often a call asks whether a deployment explains a failure. With the default pauses, that takes nine seconds. For
a few seconds after an update, Step Functions may describe the earlier definition, and start executions of it:
https://docs.aws.amazon.com/step-functions/latest/apireference/API_UpdateStateMachine.html"""

QUESTION_GROWTH = 2.25


class SlicedInferenceClient:
    """Calls one pipeline. Threads may share a client.

    Args:
        state_machine_arn: the ARN of the pipeline's state machine.
        step_functions: your own client of boto3. If the state machine is of type Express, create it with
            ``Config(read_timeout=310)``: StartSyncExecution answers when the run ends, and boto3 starts the run again
            when the default of 60 seconds has passed. By default, the client makes its own, with the region of the ARN.
        s3: your own client of boto3. By default, the client makes its own.
        wait_timeout: how many seconds each call waits in all: for uploads, the run and the results. By default, the
            timeout of the state machine and a minute.
        request_timeout: for how many seconds the client's own clients of boto3 wait for a connection and for an answer,
            or the next part of one; by default 30. StartSyncExecution has more.
        poll_interval: longest pause in seconds between two requests for the status of a Standard execution; by default
        5. max_result_bytes: largest results that the client reads into memory; by default 2 GiB.

    Raises ``ValueError`` if the ARN is no state machine's, or a number is not finite and above 0. Sends no request yet.
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
        _check_positive("request_timeout", request_timeout)
        _check_positive("poll_interval", poll_interval)
        _check_positive("wait_timeout", wait_timeout)
        _check_positive("max_result_bytes", max_result_bytes)
        self._arn = state_machine_arn
        self._wait_timeout = wait_timeout
        self._poll_interval = poll_interval
        self._max_result_bytes = max_result_bytes
        self._aws = Aws(region_of(state_machine_arn), request_timeout, step_functions, s3)
        self._machine: StateMachine | None = None
        """As DescribeStateMachine has answered last. Another thread may forget it at any time."""
        self._unfit: tuple[str, float] | None = None
        """A digest that the description did not fit even when it was new, and when that was."""

    def describe(self) -> PipelineDescription:
        """Returns the pipeline's signature, bucket and limits. Asks each time; calls use what was returned last.

        Raises ``InferenceError``, named ``NotAPipeline`` if the ARN is that of another state machine.
        """
        return self._ask(self._aws).pipeline

    def infer(
        self,
        inputs: Mapping[str, ArrayLike],
        *,
        wait_timeout: float | None = None,
        cancel: threading.Event | None = None,
        stop_on_cancel: bool = False,
        results: ResultsPlace = "auto",
        on_progress: Callable[[InferenceProgress], None] | None = None,
    ) -> Inference:
        """Runs the pipeline on tensors and returns its results.

        Args:
            inputs: one array or nested list for each input of the model. An array must have the dtype of the model; a
                list, a tuple or a number takes it. Strings are arrays or lists of ``str``; results have them as
                objects.
            wait_timeout: replaces that of the client for this call, in seconds.
            cancel: stops the wait when it is set, within a tenth of a second.
            stop_on_cancel: when the wait ends early, also stop the execution, after the request that is in progress.
                AWS can stop only Standard executions, so with an Express state machine the call is refused.
            results: ``s3`` leaves inline results out, for example to keep them out of the execution's history.
                ``inline`` has them in the output alone, and the run fails with ``InvalidInput`` if they do not fit.
            on_progress: called in this thread when the execution starts and ends, and for a Standard execution also for
                each state that it enters and leaves. An error of this function ends the call.

        Raises:
            InferenceError: an input does not fit, the run failed, or AWS refused a request. A run that fails because a
                deployment overtook it is started again.
            InferenceTimeoutError: the run did not end within the waiting time, or a request had no answer in time.
            InferenceCancelledError: ``cancel`` was set.
        """
        events = () if cancel is None else (cancel,)
        return self._infer(self._call(wait_timeout, events, stop_on_cancel, on_progress), inputs, results)

    def infer_many(
        self,
        inputs: Iterable[Mapping[str, ArrayLike]],
        *,
        concurrency: int = 8,
        on_progress: Callable[[Progress], None] | None = None,
        wait_timeout: float | None = None,
        cancel: threading.Event | None = None,
        stop_on_cancel: bool = False,
        results: ResultsPlace = "auto",
    ) -> Iterator[Outcome]:
        """Runs the pipeline on many inputs and yields an outcome for each, in the order of the inputs.

        A failed run is an outcome with an ``error``, and the others go on. ``inputs`` is iterated in another thread, as
        inputs are needed: at most twice ``concurrency`` inputs or results are held. A source may wait, also for an
        outcome of an earlier input. If it raises, the outcomes of the runs that have started come before its error. If
        you stop iterating, the runs are abandoned, and ``inputs`` is closed if it is a generator.

        Args:
            inputs: each as for ``infer``.
            concurrency: how many runs are in progress at most.
            on_progress: called after each run, in one thread at a time, but not in yours.
            wait_timeout, cancel, stop_on_cancel, results: as for ``infer``; the waiting time is that of each run. If
                ``cancel`` is set, the iterator raises ``InferenceCancelledError``.
        """
        _check_positive("concurrency", concurrency)
        _check_positive("wait_timeout", wait_timeout)
        abandoned = threading.Event()
        events = (abandoned,) if cancel is None else (abandoned, cancel)

        def infer(tensors: Mapping[str, ArrayLike]) -> Inference:
            return self._infer(self._call(wait_timeout, events, stop_on_cancel), tensors, results)

        return outcomes_of(inputs, concurrency, infer, abandoned, cancel, on_progress)

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

        Args:
            request: what ``json.dumps`` takes, at most 256 KiB of it: the input of the preprocess function or of your
                state machine, or else a request as the guide to requests and results describes it.
            wait_timeout, cancel, stop_on_cancel, on_progress: as for ``infer``, and so are the errors.
        """
        text = invoked_text(request)
        call = self._call(wait_timeout, () if cancel is None else (cancel,), stop_on_cancel, on_progress)

        def attempt() -> Invocation:
            machine = self._known(call)
            call.use(machine)
            return Invocation(self._execute(call, machine, text), call.execution_arn or "")

        return call.run(lambda: self._restarting(call, attempt, has_tensors=False))

    def _call(
        self,
        wait_timeout: float | None,
        events: tuple[threading.Event, ...],
        stops: bool,
        on_progress: Callable[[InferenceProgress], None] | None = None,
    ) -> Call:
        _check_positive("wait_timeout", wait_timeout)
        seconds = self._wait_timeout if wait_timeout is None else wait_timeout
        return Call(self._aws, seconds, events, self._poll_interval, stops, on_progress)

    def _infer(self, call: Call, inputs: Mapping[str, ArrayLike], results: ResultsPlace) -> Inference:
        if results not in INLINE_MODES:
            raise ValueError(f"results must be one of {', '.join(INLINE_MODES)}, got {results!r}")

        def attempt() -> Inference:
            machine, tensors = self._checked_tensors(call, inputs)
            call.use(machine)

            def put(key: str, file: bytes) -> None:
                call.ask("PutObject", Bucket=machine.pipeline.bucket, Key=key, Body=file)

            text = compact_json(request_of(tensors, put, INLINE_MODES[results]))
            output = self._execute(call, machine, text)
            return self._result(call, machine.pipeline, output)

        return call.run(lambda: self._restarting(call, attempt, has_tensors=True))

    # What is known of the state machine.

    def _ask(self, aws: Aws | Call) -> StateMachine:
        answer = aws.ask("DescribeStateMachine", stateMachineArn=described_arn(self._arn))
        machine = self._machine = StateMachine.described(self._arn, answer)
        return machine

    def _known(self, call: Call) -> StateMachine:
        """The state machine as the client knows it, if it can serve the call."""
        machine = self._machine or self._ask(call)
        if call.stops and machine.type == "EXPRESS":
            # A deployment may have changed the type since the client asked.
            machine = self._ask(call)
            if machine.type == "EXPRESS":
                message = "stop_on_cancel expects a Standard state machine, got an Express one: leave it out"
                raise InferenceError("InvalidInput", message)
        return machine

    def _checked_tensors(self, call: Call, inputs: Mapping[str, ArrayLike]) -> tuple[StateMachine, dict[str, Tensor]]:
        is_new = self._machine is None
        machine = self._known(call)
        try:
            return machine, tensors_from(machine.pipeline.signature, inputs)
        except InferenceError:
            if is_new:
                raise
        # A deployment may have changed the inputs since the client asked.
        machine = self._ask(call)
        return machine, tensors_from(machine.pipeline.signature, inputs)

    # Runs, and the deployments that replace what they use.

    def _restarting(self, call: Call, attempt: Callable[[], T], has_tensors: bool) -> T:
        """Runs again after a deployment. The next run finds the new model, and the bucket of the new stack."""
        while True:
            try:
                return attempt()
            except InferenceError as error:
                if not self._is_explained(call, error, has_tensors):
                    raise
            call.report("restarted")
            call.reset()

    def _is_explained(self, call: Call, error: InferenceError, has_tensors: bool) -> bool:
        """Whether a deployment explains the failure."""
        used = call.machine
        if used is None:
            return False
        trace = trace_of(error, used.signature is not None)
        if trace is None and not may_be_outdated(error):
            return False
        # An object that the caller names may just be missing.
        is_own_request = not has_tensors and error.name == "InvalidInput"
        most = 1 if trace is None or is_own_request else MOST_QUESTIONS
        pauses = call.pauses(QUESTION_GROWTH)
        while call.questions < most:
            call.questions += 1
            try:
                if call.questions > 1:
                    call.sleep(next(pauses))
                if is_replaced(used, self._ask(call), trace, has_tensors):
                    return True
            except (InferenceError, InferenceTimeoutError):
                # The error of the run says more.
                continue
        return False

    def _execute(self, call: Call, machine: StateMachine, text: str) -> Any:
        try:
            return execute(call, machine, text)
        except InferenceError as error:
            if error.cause is not None:
                # A state machine that has become Express is started all the same, but its runs cannot be described.
                self._machine = None
            raise

    def _result(self, call: Call, used: PipelineDescription, output: Any) -> Inference:
        result, inline = result_from(output, call.execution_arn)
        pipeline = self._maker_of(result, call, used)
        place = results_place(result, pipeline.bucket)
        if inline is not None:
            tensors = decoded(inline)
        else:
            call.situation = f"the results are in {place}"
            read = partial(read_object, call, place, self._max_result_bytes)
            tensors = read_undamaged(place.key, read, call.pauses(), call.sleep)
        # If a deployment is under way, or the ARN is that of an alias, the signature may be of another model.
        if result.deployment_digest == pipeline.signature.deployment_digest:
            tensors = ordered(pipeline, tensors)
        return replace(result, outputs=tensors)

    def _maker_of(self, result: Inference, call: Call, used: PipelineDescription) -> PipelineDescription:
        """The pipeline that has made a result: the latest one, if a deployment came between."""
        digest, place = result.deployment_digest, result.results_object
        if digest == used.signature.deployment_digest:
            if place is None or place.bucket == used.bucket:
                return used
        elif self._unfit is not None and self._unfit[0] == digest and time.monotonic() < self._unfit[1] + UNFIT_SECONDS:
            return used
        self._machine = None
        try:
            latest = self._ask(call).pipeline
        except (InferenceError, InferenceTimeoutError):
            # The results are there. The next call asks again.
            return used
        if latest.signature.deployment_digest != digest:
            self._unfit = (digest, time.monotonic())
        return latest


def _check_positive(name: str, value: float | None) -> None:
    """Python itself refuses what is no number."""
    if value is not None and not 0 < value < math.inf:
        raise ValueError(f"{name} must be a finite number above 0, got {value!r}: choose another")
