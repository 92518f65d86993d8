"""Many inputs side by side."""

import threading

import numpy as np
import pytest
from conftest import RUNNING, X, raised

from sliced_inference import InferenceCancelledError


class Source:
    """Makes some inputs, and does not make the next before it is released."""

    def __init__(self):
        self.released, self.blocking, self.closed = threading.Event(), threading.Event(), threading.Event()

    def inputs(self, before=1):
        try:
            for _ in range(before):
                yield {"x": X}
            self.blocking.set()
            self.released.wait()
            yield {"x": X}
        finally:
            self.closed.set()


@pytest.fixture
def source():
    source = Source()
    yield source
    source.released.set()


@pytest.mark.parametrize("before", [0, 1])
def test_an_event_ends_the_wait_for_an_input(aws, source, before):
    outcomes = aws.model().infer_many(source.inputs(before), cancel=aws.cancel)
    assert [next(outcomes).index for _ in range(before)] == list(range(before))
    threading.Thread(target=lambda: (source.blocking.wait(), aws.cancel.set())).start()
    raised(InferenceCancelledError, "the wait was cancelled", lambda: next(outcomes))


def test_an_event_ends_the_runs(aws):
    aws.begin({"DescribeExecution": [RUNNING]})
    aws.cancel_at("DescribeExecution")
    outcomes = aws.model().infer_many([{"x": X}] * 9, concurrency=2, cancel=aws.cancel, stop_on_cancel=True)
    raised(InferenceCancelledError, "the execution was stopped", lambda: list(outcomes))
    assert aws.calls.count("StopExecution") == aws.calls.count("StartExecution") <= 2


def test_outcomes_do_not_wait_for_a_source_that_waits_for_them(aws, source):
    indexes = []
    for outcome in aws.model().infer_many(source.inputs()):
        indexes.append(outcome.index)
        source.released.set()
    assert indexes == [0, 1]


def test_an_iteration_that_ends_early_closes_the_generator(aws, source):
    source.released.set()
    outcomes = aws.model().infer_many(source.inputs(before=99), concurrency=2)
    next(outcomes)
    outcomes.close()
    assert (source.closed.is_set(), source.blocking.is_set()) == (True, False)


def test_a_generator_that_is_making_an_input_is_closed_later(aws, source):
    outcomes = aws.model().infer_many(source.inputs())
    next(outcomes)
    source.blocking.wait()
    outcomes.close()
    assert not source.closed.is_set()
    source.released.set()
    assert source.closed.wait(60)


def test_an_error_of_the_source_comes_after_the_outcomes_before_it(aws):
    def inputs():
        yield {"x": X}
        raise LookupError("no more")

    outcomes = aws.model().infer_many(inputs())
    assert next(outcomes).index == 0
    raised(LookupError, "no more", lambda: next(outcomes))
    raised(TypeError, "not iterable", lambda: list(aws.model().infer_many(5)))


def test_runs_are_side_by_side_and_come_in_order(aws):
    together = threading.Barrier(3, timeout=60)
    aws.on["StartExecution"] = together.wait
    inputs = ({"x": X if index != 4 else np.zeros(2)} for index in range(7))
    outcomes = list(aws.model().infer_many(inputs, concurrency=3))
    errors = [getattr(outcome.error, "name", None) for outcome in outcomes]
    assert ([outcome.index for outcome in outcomes], errors) == ([*range(7)], [*[None] * 4, "InvalidInput", None, None])


def test_progress_counts(aws):
    seen = []
    inputs = [{"x": X}, {"x": np.zeros(2)}, {"x": X}]
    outcomes = list(aws.model().infer_many(inputs, concurrency=1, on_progress=seen.append))
    assert [outcome.error is None for outcome in outcomes] == [True, False, True]
    counts = [(progress.done, progress.failed, progress.started, progress.total) for progress in seen]
    assert counts == [(1, 0, 1, 3), (2, 1, 2, 3), (3, 1, 3, 3)]
