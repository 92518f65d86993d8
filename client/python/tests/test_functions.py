"""Calls of a function whose answers break, and of functions that are not an `InferenceFunction`."""

import io
import json

import botocore.exceptions
import pytest
from conftest import X, output_of, raised

from sliced_inference import InferenceError, SlicedInferenceClient

SIGNATURE = {
    "version": 1,
    "bucket": "bucket",
    "deploymentDigest": "digest",
    "threads": 1,
    "inputs": [{"name": "x", "dtype": "float32", "shape": list(X.shape)}],
    "outputs": [{"name": "y", "dtype": "float32", "shape": list(X.shape)}],
}


class Broken:
    """The body of an answer whose connection ended too early."""

    def read(self):
        raise botocore.exceptions.IncompleteReadError(actual_bytes=1, expected_bytes=2)


class Lambda:
    """Answers the question for the signature, and then calls, with one body after the other; the last is repeated."""

    def __init__(self, signature, *bodies):
        self.signature, self.bodies, self.calls = signature, list(bodies), 0

    def invoke(self, Payload, **_):
        if json.loads(Payload).get("describe"):
            body = io.BytesIO(json.dumps(self.signature).encode())
        else:
            self.calls += 1
            body = self.bodies.pop(0) if len(self.bodies) > 1 else self.bodies[0]
        return {"Payload": body, "ResponseMetadata": {"RequestId": "id"}}


def answer():
    return io.BytesIO(json.dumps(output_of(run="Classify/id")).encode())


def client(function):
    return SlicedInferenceClient(function_name="Classify", function=function)


def test_a_broken_answer_is_lost_and_the_function_is_called_again():
    function = Lambda({"signature": SIGNATURE}, Broken(), answer())
    assert client(function).infer({"x": X}).outputs["y"].tolist() == X.tolist()
    assert function.calls == 2


def test_an_answer_that_breaks_each_time_ends_the_call_after_three():
    function = Lambda({"signature": SIGNATURE}, Broken())
    error = raised(InferenceError, "Invoke failed: .*1 read", lambda: client(function).infer({"x": X}))
    assert (error.name, function.calls) == ("IncompleteReadError", 3)


@pytest.mark.parametrize(
    "said", [{}, {"signature": {}}, {"signature": []}, [], "text", None, {"signature": {"version": 2}}]
)
def test_another_function_is_no_pipeline(said):
    error = raised(
        InferenceError, "must have the signature of an InferenceFunction of version 1", client(Lambda(said)).describe
    )
    assert error.name == "NotAPipeline"
