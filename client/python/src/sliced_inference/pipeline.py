"""What the definition of a state machine says about its pipeline, and what callers and functions agree on."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from .errors import InferenceError

CONTRACT_VERSION = 1

# Bytes of JSON. https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
MAX_REQUEST_BYTES = 255 * 1024
MAX_INLINE_RESULT_BYTES = 180 * 1024
MAX_INPUT_BYTES = 256 * 1024
MAX_EXPRESS_SECONDS = 300

# Of a function without a state machine. https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
MAX_CALL_BYTES = 6 * 2**20
MAX_CALL_TENSOR_BYTES = MAX_CALL_BYTES - 8 * 1024
MAX_FUNCTION_SECONDS = 900

MachineType = Literal["EXPRESS", "STANDARD", "FUNCTION"]

NAMES_OF_SLICES = ("PlanChanged", "SliceFailed", "WeightsCorrupt")
"""What only slices mean by these names. If a function of the user has one, its error is a ``HandlerError``."""


@dataclass(frozen=True)
class TensorSpec:
    """A tensor as the model declares it: sizes are numbers, names, or ``None`` if unknown; so is a shape of unknown
    rank."""

    name: str
    dtype: str
    shape: tuple[int | str | None, ...] | None

    def __str__(self) -> str:
        """``float32[1,3,48,320]``; an unknown size reads ``?``, an unknown rank ``[...]``."""
        sizes = "..." if self.shape is None else ",".join("?" if size is None else str(size) for size in self.shape)
        return f"{self.dtype}[{sizes}]"


@dataclass(frozen=True)
class PipelineSignature:
    """What the pipeline computes."""

    deployment_digest: str
    """Identifies everything that a result depends on: the model, the code, the architecture and threads."""
    threads: int
    """Threads of each function."""
    inputs: tuple[TensorSpec, ...]
    """The tensors of a request, or those that the preprocess function must produce."""
    outputs: tuple[TensorSpec, ...]
    """The tensors of a result, in the model's order, or those that the postprocess function receives."""
    preprocess: bool
    """Whether a function turns any JSON into a request."""
    postprocess: bool
    """Whether a function turns the results into any JSON."""


@dataclass(frozen=True)
class PipelineLimits:
    """Limits of calls. Sizes are bytes of JSON."""

    request_bytes: int
    """Largest request. The client puts larger tensors into S3."""
    inline_result_bytes: int
    """Largest results inside an execution's output. With more than 100 slices it is lower."""
    execution_input_bytes: int
    """Largest input of an execution: of ``invoke``."""
    execution_seconds: float | None
    """How long an execution may last; ``None`` if the state machine has no timeout."""


@dataclass(frozen=True)
class PipelineDescription:
    """What the state machine alone says about its pipeline, or a function about itself."""

    state_machine_arn: str
    """As the client was given it. Of a function, its name or ARN."""
    type: MachineType
    bucket: str
    """Name of the bucket of requests and results."""
    signature: PipelineSignature
    limits: PipelineLimits


@dataclass(frozen=True)
class StateMachine:
    """A state machine, which may also be one that only contains pipelines; or a function without one."""

    arn: str
    type: MachineType
    definition: str
    execution_seconds: float | None
    signature: Mapping[str, Any] | None
    """As it is in the comment of the definition; ``None`` if that has none."""

    @staticmethod
    def described(arn: str, answer: Mapping[str, Any]) -> "StateMachine":
        definition = json_object(answer["definition"]) or {}
        seconds = definition.get("TimeoutSeconds")
        if answer["type"] == "EXPRESS":
            seconds = min(seconds or MAX_EXPRESS_SECONDS, MAX_EXPRESS_SECONDS)
        signature = (json_object(definition.get("Comment")) or {}).get("slicedInference")
        return StateMachine(arn, answer["type"], answer["definition"], seconds, signature)

    @staticmethod
    def of_function(name: str, answer: Any) -> "StateMachine":
        """With the answer of the function to the question for its signature."""
        signature = answer.get("signature") if isinstance(answer, dict) else None
        return StateMachine(name, "FUNCTION", json.dumps(signature), MAX_FUNCTION_SECONDS, signature)

    @property
    def pipeline(self) -> PipelineDescription:
        """Raises ``NotAPipeline`` for a state machine that is none."""
        signature = self.signature
        version = signature.get("version") if isinstance(signature, dict) else None
        if signature is None or version != CONTRACT_VERSION:
            what, where = "a SlicedInferencePipeline", f"the comment of {self.arn}"
            if self.type == "FUNCTION":
                what, where = "an InferenceFunction", f"the function {self.arn}"
            expected = f"the signature of {what} of version {CONTRACT_VERSION}"
            message = f"{where} must have {expected}, got {version}"
            advice = "check the ARN, use the client of the pipeline's release, or invoke for your own state machine"
            raise InferenceError("NotAPipeline", f"{message}: {advice}")
        return PipelineDescription(
            self.arn,
            self.type,
            signature["bucket"],
            PipelineSignature(
                deployment_digest=signature["deploymentDigest"],
                threads=signature["threads"],
                inputs=tuple(map(spec_from, signature["inputs"])),
                outputs=tuple(map(spec_from, signature["outputs"])),
                preprocess="preprocess" in signature,
                postprocess="postprocess" in signature,
            ),
            PipelineLimits(*_sizes(self.type), self.execution_seconds),
        )


def _sizes(machine: MachineType) -> tuple[int, int, int]:
    if machine == "FUNCTION":
        return MAX_CALL_BYTES, MAX_CALL_TENSOR_BYTES, MAX_CALL_BYTES
    return MAX_REQUEST_BYTES, MAX_INLINE_RESULT_BYTES, MAX_INPUT_BYTES


def spec_from(spec: Mapping[str, Any]) -> TensorSpec:
    return TensorSpec(spec["name"], spec["dtype"], None if spec["shape"] is None else tuple(spec["shape"]))


def json_object(text: Any) -> dict[str, Any] | None:
    """The object of a JSON text, or ``None`` for anything else."""
    try:
        value = json.loads(text)
    except (TypeError, ValueError):
        return None
    return value if isinstance(value, dict) else None
