"""The output of an execution: checks it, and reads the results that it names."""

import io
import random
import re
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from botocore import exceptions

from .aws import explained
from .call import Call
from .contract import CONTRACT_VERSION
from .errors import InferenceError, invalid_output
from .pipeline import PipelineDescription
from .results import Inference, ObjectReference
from .tensors import DAMAGE, Tensor, decode_file, decode_inline, dtype_of

T = TypeVar("T")

READS = 3
"""How often results are read if they are damaged, as often as the functions of a pipeline do it."""

BROKEN_BODY = (
    exceptions.FlexibleChecksumError,
    exceptions.IncompleteReadError,
    exceptions.ResponseStreamingError,
)
"""boto3 repeats requests, but not the reading of a body."""

KINDS: dict[type, str] = {dict: "an object", list: "a list", str: "a text", type(None): "none"}


def result_from(value: Any, execution_arn: str | None = None) -> tuple[Inference, dict[str, Any] | None]:
    """The result of a run, without its tensors, and the inline tensors as JSON, or ``None`` if they are only in S3.

    An execution of another state machine may return anything, so each field is checked. Fields of newer pipelines may
    be there. If the execution is known, the output of another one is refused.
    """
    output = _checked(value, "a JSON object", dict)
    if output.get("version") != CONTRACT_VERSION:
        raise invalid_output(f"version {CONTRACT_VERSION}", "another")
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
    timings = _field(output, "timings", list)
    if not all(isinstance(timing, dict) for timing in timings):
        raise invalid_output("timings as a list of objects", "a list of others")
    # Only the outputs of pipelines with consolidation have it.
    if "servedBy" in output and output["servedBy"] not in ("whole", "slices"):
        raise invalid_output("servedBy of 'whole' or 'slices'", "another")
    digest = _field(output, "deploymentDigest", str)
    return Inference({}, execution_arn or "", place, run, timings, digest, output.get("servedBy")), inline


def _field(parent: dict[str, Any], name: str, kind: type[T]) -> T:
    return _checked(parent.get(name), f"{name} as {KINDS[kind]}", kind)


def _checked(value: Any, expected: str, kind: type[T]) -> T:
    if not isinstance(value, kind):
        raise invalid_output(expected, KINDS.get(type(value), "another value"))
    return value


def decoded(inline: dict[str, Any]) -> dict[str, Tensor]:
    return {name: decode_inline(name, tensor) for name, tensor in inline.items()}


def results_place(result: Inference, bucket: str) -> ObjectReference:
    """Where a run of a pipeline with this bucket has its results. Those of another bucket or run are refused."""
    place = ObjectReference(bucket, f"outputs/{result.run}.safetensors")
    if result.results_object not in (None, place):
        raise invalid_output(f"results at {place}", str(result.results_object))
    return place


def read_object(call: Call, place: ObjectReference, max_bytes: int) -> bytes:
    """Reads an object into memory, unless it is too large."""
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
    key: str, read: Callable[[], bytes], pauses: Iterator[float], sleep: Callable[[float], None]
) -> dict[str, Tensor]:
    """Reads results from S3, again if they are damaged."""
    damage: Exception | None = None
    for _ in range(READS):
        if damage is not None:
            sleep(random.uniform(0, next(pauses)))
        try:
            return decode_file(read())
        except (*DAMAGE, *BROKEN_BODY) as error:
            damage = error
        except exceptions.BotoCoreError as error:
            raise explained("GetObject", error) from error
    message = f"the results {key} must be whole, got damaged ones in {READS} reads: {damage}"
    raise InferenceError("CorruptTensor", message) from damage


def ordered(pipeline: PipelineDescription, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The results in the model's order, after a check that they are the model's."""
    dtypes = {name: dtype_of(tensor) for name, tensor in tensors.items()}
    expected = {spec.name: spec.dtype for spec in pipeline.signature.outputs}
    if dtypes != expected:
        raise invalid_output(f"the tensors {expected}", str(dtypes))
    return {name: tensors[name] for name in expected}
