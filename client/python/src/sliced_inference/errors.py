"""The errors of calls."""

from dataclasses import KW_ONLY, dataclass, field


@dataclass(eq=False)
class InferenceError(Exception):
    """A run failed, an input does not fit the model, or a request to AWS failed."""

    name: str
    """One that the guide to requests and results lists, such as ``SliceFailed``; one of Step Functions, Lambda, S3 or
    boto3; or ``InvalidInput``, ``InvalidOutput``, ``NotAPipeline``, ``ExecutionAborted`` or ``NotStopped`` of the
    client itself."""
    message: str
    _: KW_ONLY
    slice: int | None = None
    """The slice that failed."""
    step: str | None = None
    """``preprocess`` or ``postprocess``, if that function failed."""
    tensor: str | None = None
    """The tensor that the failure is about; ``expected`` and ``got`` describe it."""
    expected: str | None = None
    got: str | None = None
    execution_arn: str | None = None
    """``None`` if nothing was started."""
    cause: Exception | None = None
    """The error of boto3."""
    reported_cause: str | None = field(default=None, repr=False)
    """Of an execution that failed: the cause as Step Functions has it."""

    def __str__(self) -> str:
        place = f"{self.step}: " if self.step is not None else f"slice {self.slice}: " if self.slice is not None else ""
        return f"{self.name}: {place}{self.message}"


class EndOfWait(Exception):
    """A call no longer waits. Unless ``stopped`` is true, a run that has started goes on.

    ``execution_arn`` is ``None`` if nothing was started, and for an Express execution: AWS tells its ARN at its end.
    """

    def __init__(self, message: str, *, execution_arn: str | None = None, stopped: bool = False) -> None:
        super().__init__(message)
        self.execution_arn = execution_arn
        self.stopped = stopped


class InferenceTimeoutError(EndOfWait, TimeoutError):
    """The run did not end within ``wait_timeout``, or one request to AWS within ``request_timeout``; the message says
    which. If the last request failed and was to be sent again, the message and ``__cause__`` have its error.
    """


class InferenceCancelledError(EndOfWait):
    """The event ``cancel`` was set during the wait."""


def invalid_input(name: str, expected: str, got: str, advice: str = "convert it") -> InferenceError:
    message = f"input '{name}' expects {expected}, got {got}: {advice}"
    return InferenceError("InvalidInput", message, tensor=name, expected=expected, got=got)


def invalid_output(expected: str, got: str) -> InferenceError:
    message = f"the output of the execution must have {expected}, got {got}: use the client of the pipeline's release"
    return InferenceError("InvalidOutput", message, expected=expected, got=got)
