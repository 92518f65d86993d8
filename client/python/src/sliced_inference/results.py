"""What calls return and report."""

from dataclasses import dataclass
from typing import Any, Literal

from numpy.typing import NDArray

ServedBy = Literal["whole", "slices"]


@dataclass(frozen=True)
class ObjectReference:
    """An object in S3."""

    bucket: str
    key: str

    def __str__(self) -> str:
        return f"{self.bucket}/{self.key}"


@dataclass(frozen=True)
class Inference:
    """The result of a run."""

    outputs: dict[str, NDArray[Any]]
    """The results by name, in the model's order. You may write to the arrays."""
    execution_arn: str
    results_object: ObjectReference | None
    """The safetensors object with all results, until the bucket's lifecycle rule removes it. ``results="inline"``
    writes none."""
    run: str
    timings: list[dict[str, Any]]
    """Measurements with the names that they have in the execution's output: of each slice, or one with ``whole`` if
    the whole model served the run. Times are milliseconds."""
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
    """``restarted``: a deployment has replaced the pipeline, and the execution starts again. States are those of a
    Standard execution."""
    time: float
    """Seconds since 1970; of states by the clock of Step Functions."""
    state: str | None = None
    """Name of the state, such as ``Slice 00``."""
    execution_arn: str | None = None
    """``None`` for an Express execution before its end."""


@dataclass(frozen=True)
class Progress:
    """How far many inferences are. Those that have failed have ended too, and those that have ended have started."""

    done: int
    failed: int
    started: int
    total: int | None
    """``None`` if the inputs have no length."""
