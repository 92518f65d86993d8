"""Why an execution failed, and whether a deployment explains it."""

import re
from collections.abc import Mapping
from typing import Any

from .contract import NAMES_OF_SLICES
from .errors import InferenceError
from .pipeline import StateMachine, json_object

STATUS_NAMES = {"TIMED_OUT": "States.Timeout", "ABORTED": "ExecutionAborted"}

OUTDATED = ("NoSuchBucket", "AccessDenied", "StateMachineTypeNotSupported")
"""How AWS refuses requests whose description is older than the deployment: the bucket is gone or is that of another
account, or the type is another.
https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartSyncExecution.html"""

LOST_FUNCTION = ("Lambda.ResourceNotFoundException", "Lambda.AWSLambdaException")
"""How Lambda answers if a deployment has removed a function, or the permission to call it."""

FUNCTION_ARN = re.compile(r"\barn:[\w-]+:lambda:[\w-]+:\d{12}:function:[\w-]+(?::[\w-]+)?")


def failure_of(execution: Mapping[str, Any], step: str | None) -> InferenceError:
    """The error of an execution that failed, timed out or was stopped."""
    status = execution["status"]
    fields = parse_failure_cause(execution.get("cause") or f"the execution ended with the status {status}")
    fields.pop("deploymentDigest", None)
    fields.setdefault("step", step)
    name = execution.get("error") or STATUS_NAMES.get(status, status)
    if fields["step"] is not None and name in NAMES_OF_SLICES:
        name, fields["message"] = "HandlerError", f"{name}: {fields['message']}"
    arn, cause = execution["executionArn"], execution.get("cause")
    return InferenceError(name, execution_arn=arn, reported_cause=cause, **fields)


def parse_failure_cause(cause: str) -> dict[str, Any]:
    """Returns ``message`` and what else a cause has of slice, step, tensor, expected, got and deploymentDigest.

    The cause is a slice's JSON, with or without the JSON that Lambda puts around it, or a text of an AWS service.
    """
    outer = json_object(cause) or {}
    message = outer.get("errorMessage")
    if isinstance(message, str):
        return _cause_fields(json_object(message) or {}) or {"message": message}
    return _cause_fields(outer) or {"message": cause}


def _cause_fields(fields: Mapping[str, Any]) -> dict[str, Any] | None:
    if not isinstance(fields.get("message"), str):
        return None
    texts = ("step", "message", "tensor", "expected", "got", "deploymentDigest")
    kinds: dict[str, type] = {"slice": int, **dict.fromkeys(texts, str)}
    return {name: fields[name] for name, kind in kinds.items() if isinstance(fields.get(name), kind)}


def trace_of(error: InferenceError, is_pipeline: bool) -> str | None:
    """Text of a failure that the definition of the state machine contains while it is the one that has run.

    If a later definition lacks it, a deployment explains the failure. ``None`` if none can. The failures of the user's
    own functions have no trace, whatever their names are. A pipeline's definition names all functions that it calls.
    """
    cause = error.reported_cause
    if cause is None or error.step is not None:
        return None
    if error.name in LOST_FUNCTION and (is_pipeline or error.slice is not None):
        arn = FUNCTION_ARN.search(cause)
        # Version 1 of a function is not version 12.
        return None if arn is None else f'{arn[0]}"'
    digest = str(parse_failure_cause(cause).get("got" if error.name == "PlanChanged" else "deploymentDigest"))
    return digest if error.slice is not None and re.fullmatch("[0-9a-f]{64}", digest) else None


def may_be_outdated(error: InferenceError) -> bool:
    """Whether a call may fail so because its description is older than the deployment."""
    if error.cause is not None:
        return error.name in OUTDATED
    # The request is in another bucket than the slices read, or has the inputs of another model.
    return error.name == "InvalidInput" and error.execution_arn is not None


def is_replaced(used: StateMachine, now: StateMachine, trace: str | None, has_tensors: bool) -> bool:
    """Whether a state machine is no longer as a call has used it, or lacks the trace of what has run."""
    if used.type != now.type or (trace is not None and trace not in now.definition):
        return True
    if not has_tensors:
        return False
    before, after = used.pipeline, now.pipeline
    digests = before.signature.deployment_digest, after.signature.deployment_digest
    return before.bucket != after.bucket or digests[0] != digests[1]
