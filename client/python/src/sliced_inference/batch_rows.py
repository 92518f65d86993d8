"""The rows of a batch's table, which another program may have written."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from .batch_results import BatchResult, batch_result
from .errors import invalid_output
from .pipeline import json_object

ENDS: dict[str, list[str]] = {"done": ["result"], "skipped": ["result"], "failed": ["failure"], "pending": []}
"""What a row has by its status, and nothing else."""


@dataclass(frozen=True)
class BatchRow:
    """An item of a batch that has ended."""

    index: int
    """The item's place among the inputs, from 0 on."""
    item: str
    """The key of the item, its ``id``, or the number of its line."""
    status: Literal["done", "skipped", "failed", "pending"]
    """``skipped``: there was a result already. ``pending``: the item did not run."""
    result: BatchResult | None
    """Where the result is; ``None`` if the item failed or is pending."""
    failure: dict[str, str] | None
    """``error`` and ``message``, if the item failed."""
    ms: float | None
    """The item's share of the wall-clock milliseconds of its run."""
    processors: list[str]
    """The classes of the processors that computed the result, such as ``x86_64 AVX2``; empty if it was skipped."""
    read: Callable[[], Any] = field(repr=False, compare=False)
    """Reads the result: arrays by name, or the JSON of a postprocess function. Raises the failure of the item, or
    ``ItemsPending``."""


def row_from(
    line: bytes, signature: dict[str, Any], after: int, read: Callable[[dict[str, Any], BatchResult | None], Any]
) -> BatchRow:
    """Raises ``InvalidOutput`` for a row that is malformed, or not behind the index of the one before."""
    row, prefix = json_object(line) or {}, signature["resultsPrefix"]
    index, item, failure, processors = row.get("index"), row.get("item"), row.get("failure"), row.get("processors", [])
    found = row["result"] if isinstance(row.get("result"), dict) else {}
    place = batch_result(signature["bucket"], found.get("key"), found.get("entry"), prefix)
    is_failure = isinstance(failure, dict) and _are_texts([failure.get("error"), failure.get("message")])
    ends = {name: fits for name, fits in (("result", place is not None), ("failure", is_failure)) if name in row}
    is_ended = ENDS.get(str(row.get("status"))) == [*ends] and all(ends.values())
    # JSON's true is an integer in Python.
    is_placed = type(index) is int and index > after and isinstance(item, str)
    if not is_placed or not is_ended or not _are_texts(processors):
        expected = f"row {after + 1} of the table with index, item, status, and a failure or a result below {prefix}"
        raise invalid_output(expected, "another one")
    about = (row["index"], row["item"], row["status"], place, failure, row.get("ms"), processors)
    return BatchRow(*about, read=lambda: read(row, place))


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)
