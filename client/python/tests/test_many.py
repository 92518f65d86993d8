"""Many inputs side by side."""

import threading

import numpy as np
from conftest import RUNNING, X, raised

from sliced_inference import InferenceCancelledError


def test_an_event_ends_the_runs(aws):
    aws.begin({"DescribeExecution": [RUNNING]})
    aws.cancel_at("DescribeExecution")
    outcomes = aws.model().infer_many([{"x": X}] * 9, concurrency=2, cancel=aws.cancel, stop_on_cancel=True)
    raised(InferenceCancelledError, "the execution was stopped", lambda: list(outcomes))
    assert aws.calls.count("StopExecution") == aws.calls.count("StartExecution") <= 2


def test_an_iteration_that_ends_early_takes_few_inputs_and_closes_the_generator(aws):
    taken, closed = [], threading.Event()

    def inputs():
        try:
            for index in range(99):
                taken.append(index)
                yield {"x": X}
        finally:
            closed.set()

    source = inputs()
    outcomes = aws.model().infer_many(source, concurrency=2)
    assert next(outcomes).index == 0
    outcomes.close()
    assert closed.is_set()
    assert len(taken) <= 4


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
    seen = []
    inputs = [{"x": X if index != 4 else np.zeros(2)} for index in range(7)]
    outcomes = list(aws.model().infer_many(inputs, concurrency=3, on_progress=seen.append))
    errors = [getattr(outcome.error, "name", None) for outcome in outcomes]
    assert ([outcome.index for outcome in outcomes], errors) == ([*range(7)], [*[None] * 4, "InvalidInput", None, None])
    assert [(progress.done, progress.total) for progress in seen] == [(done, 7) for done in range(1, 8)]
    assert (seen[-1].failed, seen[-1].started) == (1, 7)
