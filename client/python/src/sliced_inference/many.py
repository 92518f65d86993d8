"""Runs many inputs side by side."""

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sized
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from .errors import InferenceCancelledError
from .request import Inputs
from .results import Inference


@dataclass(frozen=True)
class Outcome:
    """One of many inferences. Exactly one of ``result`` and ``error`` is set."""

    index: int
    result: Inference | None = None
    error: Exception | None = None


@dataclass(frozen=True)
class Progress:
    """How far many inferences are. Those that have failed have ended too, and those that have ended have started."""

    done: int
    failed: int
    started: int
    total: int | None
    """``None`` if the inputs have no length."""


def outcomes_of(
    inputs: Iterable[Inputs],
    concurrency: int,
    infer: Callable[[Inputs, threading.Event], Inference],
    on_progress: Callable[[Progress], None] | None,
) -> Iterator[Outcome]:
    """Yields an outcome for each input, once the next input has been taken.

    ``infer`` gets an event that is set when nobody waits for outcomes any more.
    """
    executor = ThreadPoolExecutor(concurrency)
    abandoned = threading.Event()
    runs: deque[Future[Outcome]] = deque()
    counting = threading.Lock()
    counts = {"done": 0, "failed": 0, "started": 0}
    total = len(inputs) if isinstance(inputs, Sized) else None

    def run(index: int, tensors: Inputs) -> Outcome:
        with counting:
            counts["started"] += 1
        try:
            outcome = Outcome(index, infer(tensors, abandoned))
        except Exception as error:
            outcome = Outcome(index, error=error)
        with counting:
            counts["done"] += 1
            counts["failed"] += outcome.error is not None
            if on_progress is not None:
                on_progress(Progress(**counts, total=total))
        return outcome

    def first() -> Outcome:
        outcome = runs.popleft().result()
        if isinstance(outcome.error, InferenceCancelledError):
            raise outcome.error
        return outcome

    source = enumerate(inputs)
    failure: Exception | None = None
    try:
        while True:
            try:
                index, tensors = next(source)
            except StopIteration:
                break
            except Exception as error:
                failure = error
                break
            runs.append(executor.submit(run, index, tensors))
            while runs and (len(runs) == 2 * concurrency or runs[0].done()):
                yield first()
        while runs:
            yield first()
        if failure is not None:
            raise failure
    finally:
        abandoned.set()
        if isinstance(inputs, Generator):
            inputs.close()
        executor.shutdown(wait=True, cancel_futures=True)
