"""One call of the client. Its requests run in a thread, so that its wait ends in time although AWS does not answer."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent import futures
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from .aws import Aws, is_throttled, is_transient
from .errors import EndOfWait, InferenceCancelledError, InferenceError, InferenceTimeoutError
from .pipeline import StateMachine

T = TypeVar("T")

NOTHING_STARTED, MAY_HAVE_STARTED = "nothing was started", "it may have started"

# How often a wait looks at its event and its time, because Python cannot wait for several things at once.
LOOK_SECONDS = 0.1
# For uploads and downloads, besides the longest execution.
TRANSFER_SECONDS = 60
# Requests that may fail in a row. With the default pauses, they take more than a minute.
MOST_FAILURES = 20


class Ended(Exception):
    """Nobody waits for the call any more."""


ProgressEvent = Literal["started", "state_entered", "state_exited", "restarted", "ended"]


@dataclass(frozen=True)
class InferenceProgress:
    """What a call reports while its execution runs."""

    event: ProgressEvent
    """``restarted``: a deployment has replaced the pipeline, and the execution starts again. States are those of a
    Standard execution."""
    time: float
    """Seconds since 1970; of states by the clock of Step Functions."""
    state: str | None = None
    """Name of the state, such as ``Slice 00``."""
    execution_arn: str | None = None
    """``None`` for an Express execution before its end."""


@dataclass(eq=False)
class Call:
    aws: Aws
    seconds: float | None
    """How long the call waits; ``None`` until it knows how long the execution may last."""
    cancel: threading.Event | None
    """The wait ends when it is set."""
    poll_interval: float
    stops: bool
    """Whether the end of the wait also stops the execution."""
    on_progress: Callable[[InferenceProgress], None] | None = None

    def __post_init__(self) -> None:
        self.ended = threading.Event()
        """Nobody waits any more."""
        self._start = time.monotonic()
        self._is_chosen = self.seconds is not None
        self.reset()

    def reset(self) -> None:
        self.machine: StateMachine | None = None
        """The state machine as the call has used it."""
        self.execution_arn: str | None = None
        self.must_stop = False
        """Whether the execution is to be stopped if the wait ends now."""
        self.situation = NOTHING_STARTED
        """What is true after the end of the wait, for its error."""
        self.stopped = False
        self.failure: Exception | None = None
        """Why the last request failed, if it is sent again."""

    def run(self, work: Callable[[], T]) -> T:
        """Runs the work in a thread of the call, which goes on alone when the wait ends."""
        result: futures.Future[T] = futures.Future()

        def go() -> None:
            try:
                result.set_result(work())
            except BaseException as error:
                result.set_exception(error)

        try:
            self._look()
            # Not an executor's thread, because Python would wait for it at its end.
            threading.Thread(target=go, name="sliced-inference", daemon=True).start()
            while not futures.wait([result], LOOK_SECONDS).done:
                self._look()
            return result.result()
        except Ended:
            raise self._end() from self.failure
        except (InferenceError, InferenceTimeoutError) as error:
            error.execution_arn = error.execution_arn or self.execution_arn
            raise
        finally:
            self.ended.set()

    def _is_late(self) -> bool:
        return self.seconds is not None and time.monotonic() >= self._start + self.seconds

    def _is_over(self) -> bool:
        if self._is_late() or (self.cancel is not None and self.cancel.is_set()):
            self.ended.set()
        return self.ended.is_set()

    def _look(self) -> None:
        """Ends the wait if it is over, unless the thread must still stop what it has started."""
        if self._is_over() and not self.must_stop:
            raise Ended

    def reason(self) -> str:
        late = f"the run must end within {self.seconds} seconds, got no result"
        return late if self._is_late() else "the wait was cancelled"

    def _end(self) -> EndOfWait:
        message = f"{self.reason()}: {self.situation}"
        if not self._is_late():
            return InferenceCancelledError(message, execution_arn=self.execution_arn, stopped=self.stopped)
        if self.failure is not None:
            message += f", and the last request failed ({self.failure}): check the connection or raise wait_timeout"
        return InferenceTimeoutError(message, execution_arn=self.execution_arn, stopped=self.stopped)

    # The rest runs in the call's own thread.

    def use(self, machine: StateMachine) -> None:
        self.machine = machine
        if not self._is_chosen:
            longest = machine.execution_seconds
            self.seconds = None if longest is None else longest + TRANSFER_SECONDS

    def check(self) -> None:
        """Raises ``Ended`` if nobody waits any more."""
        if self._is_over():
            raise Ended

    def ask(self, operation: str, **arguments: Any) -> dict[str, Any]:
        self.check()
        return self.aws.ask(operation, **arguments)

    def repeated(self, send: Callable[[], T], may_repeat: Callable[[Exception], bool] = is_transient) -> T:
        """Sends a request until it is answered. Throttled ones do not count: the service works."""
        pauses, failures = self.pauses(), 0
        while True:
            try:
                answer = send()
            except (InferenceError, InferenceTimeoutError) as error:
                failures += not is_throttled(error)
                if not may_repeat(error) or failures == MOST_FAILURES:
                    raise
                self.failure = error
            else:
                self.failure = None
                return answer
            self.sleep(next(pauses))

    def pauses(self, growth: float = 1.5) -> Iterator[float]:
        pause = min(0.2, self.poll_interval)
        while True:
            yield pause
            pause = min(pause * growth, self.poll_interval)

    def sleep(self, seconds: float) -> None:
        self.ended.wait(seconds)
        self.check()

    def report(self, event: ProgressEvent, at: float | None = None, state: str | None = None) -> None:
        if self.on_progress is not None:
            self.check()
            self.on_progress(InferenceProgress(event, time.time() if at is None else at, state, self.execution_arn))
            self.check()
