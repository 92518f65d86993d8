"""What runs return: checks the output of an execution, and reads the results that it names."""

import io
import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from botocore import exceptions
from numpy.typing import NDArray

from .aws import explained
from .call import Call
from .errors import InferenceError, invalid_output
from .pipeline import CONTRACT_VERSION, PipelineDescription
from .tensors import DAMAGE, Tensor, decode_inline

T = TypeVar("T")

# If results are damaged, they are read as often as the functions of a pipeline do it, with pauses in seconds.
READS, LONGEST_PAUSE = 3, 0.5

BROKEN_BODY = (exceptions.FlexibleChecksumError, exceptions.IncompleteReadError, exceptions.ResponseStreamingError)
"""boto3 repeats requests, but not the reading of a body."""


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
    served_by: Literal["whole", "slices"] | None = None
    """Of a pipeline with consolidation: whether the function of the whole model served the run, or the slices did."""

    @property
    def processors(self) -> list[str]:
        """The classes of the processors on which the functions ran, such as ``x86_64 AVX2``, each once. If there are
        several, the results may differ in their last bits from those of the whole model on each of them. Empty if the
        pipeline is of an earlier version of this package."""
        return [*dict.fromkeys(timing["processor"] for timing in self.timings if "processor" in timing)]


@dataclass(frozen=True)
class Invocation:
    """The output of an execution, which can be any JSON if the pipeline has a postprocess function."""

    output: Any
    execution_arn: str


def result_from(output: Any, execution_arn: str | None = None) -> tuple[Inference, dict[str, Tensor] | None]:
    """The result of a run without its tensors, and its inline tensors, or ``None`` if they are only in S3.

    An execution of another state machine may return anything, and newer pipelines have more fields. If the execution
    is known, the output of another one is refused.
    """
    if not isinstance(output, dict) or output.get("version") != CONTRACT_VERSION:
        raise invalid_output(f"a JSON object of version {CONTRACT_VERSION}", "another")
    run, outputs = _field(output, "run", str), _field(output, "outputs", dict)
    # The last two segments of the ARN name the run, in a Standard execution together with its start.
    own = "/".join(execution_arn.split(":")[-2:]) if execution_arn is not None else run
    if not re.fullmatch(rf"{re.escape(own)}(/[0-9]+)?", run):
        raise invalid_output(f"the run {own} of its execution", repr(run))
    inline = _field(outputs, "tensors", dict) if "tensors" in outputs else None
    place = None
    # If the request wants the results inline only, none are in S3.
    if inline is None or "s3" in outputs:
        s3 = _field(outputs, "s3", dict)
        place = ObjectReference(_field(s3, "bucket", str), _field(s3, "key", str))
    timings, digest = _field(output, "timings", list), _field(output, "deploymentDigest", str)
    # Only the outputs of pipelines with consolidation have servedBy.
    result = Inference({}, execution_arn or "", place, run, timings, digest, output.get("servedBy"))
    return result, None if inline is None else {name: decode_inline(name, tensor) for name, tensor in inline.items()}


def _field(parent: dict[str, Any], name: str, kind: type[T]) -> T:
    value = parent.get(name)
    if not isinstance(value, kind):
        raise invalid_output(f"{name} as {kind.__name__}", "none" if value is None else type(value).__name__)
    return value


def results_place(result: Inference, bucket: str) -> ObjectReference:
    """Where a run of a pipeline with this bucket has its results. Those of another bucket or run are refused."""
    place = ObjectReference(bucket, f"outputs/{result.run}.safetensors")
    if result.results_object not in (None, place):
        raise invalid_output(f"results at {place}", str(result.results_object))
    return place


def read_object(call: Call, place: ObjectReference, max_bytes: int) -> bytes:
    answer = call.ask("GetObject", Bucket=place.bucket, Key=place.key)
    body, size = answer["Body"], answer["ContentLength"]
    if size > max_bytes:
        body.close()
        message = f"the results {place.key} must have at most {max_bytes} bytes, got {size}: raise max_result_bytes"
        raise InferenceError("InvalidOutput", message, expected=f"at most {max_bytes} bytes", got=f"{size} bytes")
    file = io.BytesIO()
    while part := body.read(2**20):
        call.check()
        file.write(part)
    return file.getvalue()


def read_undamaged(
    key: str, read: Callable[[], bytes], decode: Callable[[bytes], T], sleep: Callable[[float], None]
) -> T:
    damage: Exception | None = None
    for _ in range(READS):
        if damage is not None:
            sleep(random.uniform(0, LONGEST_PAUSE))
        try:
            return decode(read())
        except (*DAMAGE, *BROKEN_BODY) as error:
            damage = error
        except exceptions.BotoCoreError as error:
            raise explained("GetObject", error) from error
    message = f"the results {key} must be whole, got damaged ones in {READS} reads: {damage}"
    raise InferenceError("CorruptTensor", message) from damage


def ordered(pipeline: PipelineDescription, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The results in the model's order, after a check that they are the model's."""
    dtypes = {name: "string" if tensor.dtype == object else tensor.dtype.name for name, tensor in tensors.items()}
    expected = {spec.name: spec.dtype for spec in pipeline.signature.outputs}
    if dtypes != expected:
        raise invalid_output(f"the tensors {expected}", str(dtypes))
    return {name: tensors[name] for name in expected}
