"""Deployments that replace a pipeline during a call: which failures they explain, and the next attempt."""

import re
from collections.abc import Callable
from typing import TypeVar

from .call import NOTHING_STARTED, Call
from .errors import InferenceError, InferenceTimeoutError
from .execution import parse_failure_cause
from .pipeline import StateMachine

T = TypeVar("T")

MOST_QUESTIONS = 6
"""How often a call asks whether a deployment explains a failure. With the default pauses, that takes nine seconds. For
a few seconds after an update, Step Functions may describe the earlier definition, and start executions of it:
https://docs.aws.amazon.com/step-functions/latest/apireference/API_UpdateStateMachine.html"""

OUTDATED = ("NoSuchBucket", "AccessDenied", "StateMachineTypeNotSupported")
"""How AWS refuses requests whose description is older than the deployment: the bucket is gone or is that of another
account, or the type is another.
https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartSyncExecution.html"""

LOST_FUNCTION = ("Lambda.ResourceNotFoundException", "Lambda.AWSLambdaException")
"""How Lambda answers if a deployment has removed a function, or the permission to call it."""

FUNCTION_ARN = re.compile(r"\barn:[\w-]+:lambda:[\w-]+:\d{12}:function:[\w-]+(?::[\w-]+)?")


def restarting(call: Call, attempt: Callable[[], T], ask: Callable[[], StateMachine], has_tensors: bool) -> T:
    """Runs again after a deployment. The next attempt finds the new model, and the bucket of the new stack."""
    questions = 0

    def is_explained(error: InferenceError) -> bool:
        nonlocal questions
        used = call.machine
        trace = None if used is None else _trace_of(error, used.signature is not None)
        if used is None or (trace is None and not _may_be_outdated(error)):
            return False
        # An object that the caller names may just be missing.
        is_own_request = not has_tensors and error.name == "InvalidInput"
        most = 1 if trace is None or is_own_request else MOST_QUESTIONS
        pauses = call.pauses(growth=2.25)
        while questions < most:
            questions += 1
            try:
                if questions > 1:
                    call.sleep(next(pauses))
                now = ask()
            except (InferenceError, InferenceTimeoutError):
                # The error of the run says more.
                continue
            is_other = used.type != now.type or (has_tensors and used.signature != now.signature)
            if is_other or (trace is not None and trace not in now.definition):
                return True
        return False

    while True:
        try:
            return attempt()
        except InferenceError as error:
            if not is_explained(error):
                raise
        if call.situation != NOTHING_STARTED:
            call.report("restarted")
        call.reset()


def _trace_of(error: InferenceError, is_pipeline: bool) -> str | None:
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


def _may_be_outdated(error: InferenceError) -> bool:
    """Whether a call may fail so because its description is older than the deployment."""
    # Without a cause: the state machine is another, the request is in another bucket than the slices read, or the
    # inputs are those of another model.
    return error.name in (("InvalidInput", "NotAPipeline") if error.cause is None else OUTDATED)
