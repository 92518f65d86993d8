"""Runs many inputs side by side."""

import itertools
import queue
import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Sized
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from .call import LOOK_SECONDS
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
    cancel: threading.Event | None,
    on_progress: Callable[[Progress], None] | None,
) -> Iterator[Outcome]:
    """Yields an outcome for each input. ``infer`` gets an event that is set when nobody waits for outcomes any more.

    A thread takes the inputs one by one, as they are needed, and starts the runs. A source may wait for an outcome of
    an earlier input, so the caller's thread does not wait for the source.
    """
    executor = ThreadPoolExecutor(concurrency)
    abandoned = threading.Event()
    room = threading.Semaphore(2 * concurrency)
    started: queue.SimpleQueue[Future[Outcome] | BaseException | None] = queue.SimpleQueue()
    """The runs in the order of their inputs, then an error of the source or ``None``."""
    taking = threading.Lock()
    """Held while the source makes an input."""
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

    def take() -> None:
        end: BaseException | None = None
        iterator: Iterator[Inputs] | None = None
        try:
            for index in itertools.count():
                room.acquire()
                with taking:
                    if abandoned.is_set():
                        break
                    iterator = iter(inputs) if iterator is None else iterator
                    tensors = next(iterator)
                started.put(executor.submit(run, index, tensors))
        except StopIteration:
            pass
        except BaseException as error:
            end = error
        started.put(end)
        if isinstance(iterator, Generator):
            iterator.close()

    # Python does not wait for a daemon at its end: a source may never make its next input.
    source = threading.Thread(target=take, name="sliced-inference-inputs", daemon=True)
    source.start()
    try:
        while True:
            try:
                next_run = started.get(timeout=LOOK_SECONDS)
            except queue.Empty:
                if cancel is not None and cancel.is_set():
                    raise InferenceCancelledError("the wait was cancelled: no run was in progress") from None
                continue
            if next_run is None:
                return
            if isinstance(next_run, BaseException):
                raise next_run
            outcome = next_run.result()
            if isinstance(outcome.error, InferenceCancelledError):
                raise outcome.error
            yield outcome
            room.release()
    finally:
        abandoned.set()
        room.release()
        if taking.acquire(blocking=False):
            # The source is not making an input, so its generator is closed at once.
            taking.release()
            source.join()
        executor.shutdown(wait=True, cancel_futures=True)
