"""Results of the items of a batch, which share objects."""

import threading
from collections.abc import Callable, Mapping
from concurrent import futures
from dataclasses import dataclass
from typing import Any

from .errors import invalid_output
from .pipeline import json_object
from .results import Inference, ObjectReference
from .tensors import Tensor

Content = dict[str, Tensor] | list[bytes]
"""The tensors of several items, or JSON Lines of a postprocess function."""

KEPT_OBJECTS = 4
"""Rows that follow each other are mostly in one object. Runs that were halved, and skipped rows, alternate between
some."""


@dataclass(frozen=True)
class BatchResult(ObjectReference):
    """Where an item's result is: in an object of the pipeline's bucket, which has the results of several items."""

    entry: int
    """The item's number in the object, from 0 on: its tensors are named ``<entry>/<tensor>``. In JSON Lines of a
    postprocess function, the number of its line."""


def batch_result(bucket: str, key: Any, entry: Any, prefix: str) -> BatchResult | None:
    """``None`` for anything else than an entry of an object below the prefix.

    A key comes from outside: the caller may have permissions for others.
    """
    is_below = isinstance(key, str) and key.startswith(prefix) and not {".", ".."} & {*key.split("/")}
    # JSON's true is an integer in Python.
    return BatchResult(bucket, key, entry) if is_below and type(entry) is int and entry >= 0 else None


def item_place(result: Inference, bucket: str, entry: Any) -> BatchResult:
    """Where the output of an item has its results. Those of another bucket are refused."""
    found = result.results_object
    key = None if found is None or found.bucket != bucket else found.key
    place = batch_result(bucket, key, entry, "outputs/")
    if place is None:
        raise invalid_output(f"an entry of an object below {bucket}/outputs/", f"{entry!r} of {found}")
    return place


def tensors_of_entry(tensors: Mapping[str, Tensor], entry: int) -> dict[str, Tensor]:
    """The tensors of one item, in an object with those of several. You may write to them: they are copies."""
    start = f"{entry}/"
    own = {name.removeprefix(start): tensor.copy() for name, tensor in tensors.items() if name.startswith(start)}
    if not own:
        raise invalid_output(f"tensors of the entry {entry}", "none")
    return own


class ResultReader:
    """Reads results, and keeps the objects of the latest ones. Threads may share it."""

    def __init__(self, load: Callable[[BatchResult], Content]) -> None:
        self._load = load
        self._kept: dict[str, futures.Future[Content]] = {}
        self._keeping = threading.Lock()

    def read(self, place: BatchResult) -> Any:
        """Arrays by name, or JSON. Raises ``InvalidOutput`` if the object has no such entry."""
        content = self._content(place)
        if isinstance(content, dict):
            return tensors_of_entry(content, place.entry)
        line = json_object(content[place.entry]) if place.entry < len(content) else None
        if line is None or "output" not in line:
            raise invalid_output(f"the line {place.entry} of {place.key}", "none")
        return line["output"]

    def _content(self, place: BatchResult) -> Content:
        with self._keeping:
            kept = self._kept.pop(place.key, None)
            content: futures.Future[Content] = futures.Future() if kept is None else kept
            # The object of the latest row stays longest.
            self._kept[place.key] = content
            for oldest in [*self._kept][:-KEPT_OBJECTS]:
                del self._kept[oldest]
        if kept is None:
            try:
                content.set_result(self._load(place))
            except BaseException as error:
                # The next read tries again.
                with self._keeping:
                    if self._kept.get(place.key) is content:
                        del self._kept[place.key]
                content.set_exception(error)
        return content.result()
