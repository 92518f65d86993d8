"""Packs of a batch: a handler gets the items of a run together, and answers one by one."""

import json
import time
from collections.abc import Callable
from typing import Any

from .errors import InferenceError
from .tensors import compact_json

MAX_HANDLED_BYTES = 120 * 1024
"""Of the JSON that answers a pack. A state of Step Functions holds 256 KiB, and has the items too."""

MAX_VALUE_BYTES = MAX_HANDLED_BYTES - 1024
"""Of the answer for one item: the rest is for the fields around it."""

PACKED_REQUEST_BYTES = 8 * 1024
"""Larger requests of a pack go into S3, so that one answer has at least 15 requests."""

RESERVE_SECONDS = 2.0
"""For the answer, and for items that take longer than those before."""


def is_pack(event: Any) -> bool:
    if not isinstance(event, dict) or sorted(event) != ["pack", "until"]:
        return False
    return isinstance(event["pack"], list) and isinstance(event["until"], int | float)


def handled_pack(
    event: dict[str, Any], answer: Callable[[Any], dict[str, Any]], remaining_ms: Callable[[], float]
) -> dict[str, Any]:
    """Answers for as many of the first items as fit in the state and in the time of the pack, but for one at least.

    The state machine sends the others again.
    """
    answers: list[dict[str, Any]] = []
    size, longest = 0, 0.0
    for item in event["pack"]:
        start = time.monotonic()
        left = min(remaining_ms(), event["until"] - 1000 * time.time())
        if answers and left < 1000 * (RESERVE_SECONDS + 2 * longest):
            break
        answered = answer(item)
        longest = max(longest, time.monotonic() - start)
        # With spaces and escapes, as older runtimes of Lambda send it.
        size += len(json.dumps(answered)) + 2
        if answers and size > MAX_HANDLED_BYTES:
            break
        answers.append(answered)
    return {"pack": answers}


def checked_json(value: Any) -> Any:
    """Returns a value that fits into JSON of Step Functions.

    Raises ``InvalidOutput`` for another, which would fail the whole pack.
    """
    try:
        compact_json(value).encode()
        size = len(json.dumps(value))
    except (TypeError, ValueError, RecursionError) as error:
        # Of these kinds are also NaN, circles and lone surrogates.
        raise _invalid("JSON", f"another value ({error})", "convert it, an array with tolist()") from error
    if size > MAX_VALUE_BYTES:
        expected = f"at most {MAX_VALUE_BYTES} bytes of JSON for an item of a batch"
        raise _invalid(expected, str(size), "put large values into S3 and return their key")
    return value


def _invalid(expected: str, got: str, advice: str) -> InferenceError:
    message = f"the function must return {expected}, got {got}: {advice}"
    return InferenceError("InvalidOutput", message, expected=expected, got=got)
