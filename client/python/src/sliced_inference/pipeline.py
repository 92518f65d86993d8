"""What the definition of a state machine says about its pipeline."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from . import contract
from .errors import InferenceError

SIGNATURE_KEY = "slicedInference"
"""In the comment of a definition."""

STEPS = {"Preprocess": "preprocess", "Postprocess": "postprocess"}
"""Functions of the user by the names of their states."""


@dataclass(frozen=True)
class TensorSpec:
    """A tensor as the model declares it: sizes are numbers, names, or ``None`` if unknown; so is a shape of unknown
    rank."""

    name: str
    dtype: str
    shape: tuple[int | str | None, ...] | None

    def __str__(self) -> str:
        return described(self.dtype, self.shape)


def described(dtype: str, shape: Sequence[int | str | None] | None) -> str:
    """``float32[1,3,48,320]``; an unknown size reads ``?``, an unknown rank ``[...]``."""
    sizes = "..." if shape is None else ",".join("?" if size is None else str(size) for size in shape)
    return f"{dtype}[{sizes}]"


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
class StateMachine:
    """A state machine, which may also be one that only contains pipelines."""

    arn: str
    type: Literal["EXPRESS", "STANDARD"]
    definition: str
    execution_seconds: float | None
    """How long an execution may last; ``None`` if the state machine has no timeout."""
    signature: Mapping[str, Any] | None
    """That of a pipeline, from the comment."""

    @staticmethod
    def described(arn: str, answer: Mapping[str, Any]) -> "StateMachine":
        definition = json_object(answer["definition"]) or {}
        seconds = definition.get("TimeoutSeconds")
        if answer["type"] == "EXPRESS":
            seconds = min(seconds or contract.MAX_EXPRESS_SECONDS, contract.MAX_EXPRESS_SECONDS)
        signature = (json_object(definition.get("Comment")) or {}).get(SIGNATURE_KEY)
        return StateMachine(arn, answer["type"], answer["definition"], seconds, signature)

    @property
    def has_own_functions(self) -> bool:
        return any(step in (self.signature or {}) for step in STEPS.values())

    @property
    def pipeline(self) -> PipelineDescription:
        """Raises ``NotAPipeline`` for a state machine that is none."""
        signature = self.signature
        if signature is None:
            raise InferenceError(
                "NotAPipeline",
                f"the comment of {self.arn} must have the signature of a SlicedInferencePipeline, got none: "
                "check the ARN, or use invoke for your own state machine",
            )
        if signature["version"] != contract.CONTRACT_VERSION:
            expected, got = contract.CONTRACT_VERSION, signature["version"]
            message = f"the pipeline's signature must have version {expected}, got {got}: use the client of its release"
            raise InferenceError("NotAPipeline", message)
        return PipelineDescription(
            state_machine_arn=self.arn,
            type=self.type,
            bucket=signature["bucket"],
            signature=PipelineSignature(
                deployment_digest=signature["deploymentDigest"],
                threads=signature["threads"],
                inputs=tuple(map(_spec, signature["inputs"])),
                outputs=tuple(map(_spec, signature["outputs"])),
                preprocess="preprocess" in signature,
                postprocess="postprocess" in signature,
            ),
            limits=PipelineLimits(
                request_bytes=contract.MAX_REQUEST_BYTES,
                inline_result_bytes=contract.MAX_INLINE_RESULT_BYTES,
                execution_input_bytes=contract.MAX_INPUT_BYTES,
                execution_seconds=self.execution_seconds,
            ),
        )


def _spec(spec: Mapping[str, Any]) -> TensorSpec:
    shape = spec["shape"]
    return TensorSpec(spec["name"], spec["dtype"], None if shape is None else tuple(shape))


def json_object(text: Any) -> dict[str, Any] | None:
    """The object of a JSON text, or ``None`` for anything else."""
    try:
        value = json.loads(text)
    except (TypeError, ValueError):
        return None
    return value if isinstance(value, dict) else None


def region_of(arn: str) -> str:
    parts = arn.split(":")
    if len(parts) < 7 or parts[0] != "arn" or parts[2] != "states" or parts[5] != "stateMachine" or not parts[3]:
        raise ValueError(
            f"a state machine's ARN must be like arn:aws:states:REGION:ACCOUNT:stateMachine:NAME, got {arn!r}"
        )
    return parts[3]


def described_arn(arn: str) -> str:
    """What DescribeStateMachine takes: it is documented for state machines and versions, but not for aliases."""
    parts = arn.split(":")
    is_alias = len(parts) == 8 and not parts[7].isdigit()
    return ":".join(parts[:7]) if is_alias else arn


def execution_arn(state_machine_arn: str, name: str) -> str:
    """The ARN of an execution, as far as it is known before Step Functions tells it."""
    parts = state_machine_arn.split(":")
    return ":".join([*parts[:5], "execution", parts[6], name])
