"""Calls of pipelines in the local cloud, over TLS. `test/client/python.test.ts` serves them and names them."""

import json
import os
import random
import tempfile

import boto3
import numpy as np
import pytest
from conftest import raised

from sliced_inference import InferenceError, SlicedInferenceClient
from sliced_inference.handlers import outputs, request
from sliced_inference.local import serve
from sliced_inference.tensors import NUMERIC_DTYPES, decode_file

PIPELINES = json.loads(os.environ.get("PIPELINES", "{}"))
"""By name: the ARN of the state machine, and the bucket."""

pytestmark = pytest.mark.skipif(not PIPELINES, reason="test/client/python.test.ts serves the pipelines")


def client(name, **options):
    return SlicedInferenceClient(PIPELINES[name]["arn"], **options)


def every_input(count=3):
    """Any bits, which NaN and infinities also have; text for strings."""
    numbers = random.Random(1)
    inputs = {"string": np.array([numbers.choice(["", "ü", "漢字", '"\n', "a" * 40]) for _ in range(count)], object)}
    for dtype in NUMERIC_DTYPES:
        size = np.dtype(dtype).itemsize
        data = bytes(numbers.randrange(2 if dtype == "bool" else 256) for _ in range(count * size))
        inputs[dtype] = np.frombuffer(data, dtype)
    return inputs


def assert_same(result, inputs):
    """Each input `x` has an output `same x`."""
    assert set(result.outputs) == {f"same {name}" for name in inputs}
    for name, expected in inputs.items():
        got = result.outputs[f"same {name}"]
        assert (got.dtype, got.shape, got.flags.writeable) == (expected.dtype, expected.shape, True)
        assert got.tolist() == expected.tolist() if got.dtype == object else got.tobytes() == expected.tobytes()


@pytest.mark.parametrize("results", ["auto", "s3", "inline"])
@pytest.mark.parametrize("by", ["arn", "name and region"])
def test_a_function_of_the_whole_model_takes_and_returns_tensors(results, by):
    arn = PIPELINES["Function"]["arn"]
    model = SlicedInferenceClient(function_name=arn if by == "arn" else arn.split(":")[6])
    inputs = {"x": np.arange(50_000, dtype=np.float32)}
    result = model.infer(inputs, results=results)
    assert_same(result, inputs)
    assert (result.results_object is None) == (results != "s3")
    assert result.run == "/".join(result.execution_arn.split(":")[-2:])
    description = model.describe()
    assert (description.type, description.limits.execution_seconds) == ("FUNCTION", 900)
    assert description.bucket == PIPELINES["Function"]["bucket"]
    large = {"x": np.arange(3_000_000, dtype=np.float32)}
    if results == "inline":
        assert raised(InferenceError, "inline results must have", lambda: model.infer(large, results=results))
    else:
        assert_same(model.infer(large, results=results), large)


def test_a_function_refuses_what_a_pipeline_refuses():
    model = SlicedInferenceClient(function_name=PIPELINES["Function"]["arn"])
    caught = raised(InferenceError, "must be", lambda: model.invoke({"version": 2}))
    assert (caught.name, caught.slice) == ("InvalidInput", 0)
    raised(InferenceError, "got a function: leave it out", lambda: model.infer({"x": [1.0]}, stop_on_cancel=True))
    with pytest.raises(ValueError, match="either state_machine_arn or function_name"):
        SlicedInferenceClient()
    with pytest.raises(ValueError, match="the name or the ARN of a function"):
        SlicedInferenceClient(function_name="a/b")
    unknown = SlicedInferenceClient(function_name="unknown")
    assert raised(InferenceError, "Function not found", unknown.describe).name == "ResourceNotFoundException"


@pytest.mark.parametrize("results", ["auto", "s3", "inline"])
@pytest.mark.parametrize("count", [0, 3, 6000])
def test_tensors_of_every_type_return_as_they_are(count, results):
    model, inputs = client("EveryType"), every_input(count)
    if count == 6000 and results == "inline":
        caught = raised(InferenceError, "inline results must have", lambda: model.infer(inputs, results=results))
        assert caught.name == "InvalidInput"
        return
    result = model.infer(inputs, results=results)
    assert_same(result, inputs)
    description = model.describe()
    assert result.deployment_digest == description.signature.deployment_digest
    assert list(result.outputs) == [spec.name for spec in description.signature.outputs]
    assert (result.served_by, len(result.timings), len(result.processors)) == (None, 3, 1)
    place = result.results_object
    assert (place is None) == (results == "inline")
    if place is not None:
        body = boto3.client("s3").get_object(Bucket=place.bucket, Key=place.key)["Body"].read()
        assert set(decode_file(body)) == set(result.outputs)


def test_describe_reads_everything_from_the_state_machine():
    pipeline = client("EveryType").describe()
    signature, limits = pipeline.signature, pipeline.limits
    names = [*NUMERIC_DTYPES, "string"]
    assert [str(spec) for spec in signature.inputs] == [f"{name}[n]" for name in names]
    assert [spec.name for spec in signature.outputs] == [f"same {name}" for name in names]
    assert (pipeline.state_machine_arn, pipeline.bucket) == tuple(PIPELINES["EveryType"].values())
    assert (pipeline.type, signature.threads) == ("EXPRESS", 1)
    assert (signature.preprocess, signature.postprocess) == (False, False)
    assert (limits.request_bytes, limits.execution_input_bytes) == (255 * 1024, 256 * 1024)
    assert (limits.inline_result_bytes, limits.execution_seconds) == (180 * 1024, 300)


def test_a_standard_pipeline_reports_its_states():
    seen = []
    x = {"x": np.arange(100_000, dtype=np.float32)}
    model = client("Standard")
    result = model.infer(x, on_progress=seen.append)
    assert_same(result, x)
    assert (seen[0].event, seen[-1].event) == ("started", "ended")
    assert {progress.execution_arn for progress in seen} == {result.execution_arn}
    states = {event: [one.state for one in seen if one.event == event] for event in ("state_entered", "state_exited")}
    assert "Slice 00" in states["state_entered"]
    assert sorted(states["state_entered"]) == sorted(states["state_exited"])
    assert (model.describe().type, model.describe().limits.execution_seconds) == ("STANDARD", 300)


def test_the_function_of_the_whole_model_serves_runs_when_it_is_warm():
    x = {"x": np.ones((1, 16), np.float32)}
    served = [client("Consolidated").infer(x) for _ in range(2)]
    assert [timing["slice"] for timing in served[0].timings] == [0, 1]
    while served[-1].served_by == "slices":
        served.append(client("Consolidated").infer(x))
    assert [timing["whole"] for timing in served[-1].timings] == [True]
    assert len({one.outputs["y"].tobytes() for one in served}) == 1


@pytest.mark.parametrize("rows", [2, 5000])
def test_handlers_pass_arrays_on(monkeypatch, rows):
    monkeypatch.setenv("SLICED_INFERENCE_BUCKET", PIPELINES["Consolidated"]["bucket"])
    model = client("Consolidated")
    x = np.cos(np.arange(rows * 16, dtype=np.float32)).reshape(rows, 16)
    made = request({"x": x})
    assert list(made["inputs"]) == ["tensors" if rows == 2 else "s3"]
    results = outputs(model.invoke(made).output)
    assert results["y"].tobytes() == model.infer({"x": x}).outputs["y"].tobytes()


def test_failures_say_where_and_why():
    x = {"x": np.zeros((1, 5), "f4")}
    error = raised(InferenceError, "^SliceFailed: slice 0: ", lambda: client("Picky").infer(x))
    assert (error.name, error.slice, error.step) == ("SliceFailed", 0, None)
    assert error.execution_arn.startswith("arn:aws:states:")
    message, wrong = "^InvalidInput: slice 0: input 'x' expects float32", request({"x": np.ones((1, 4), np.int8)})
    error = raised(InferenceError, message, lambda: client("Picky").invoke(wrong))
    assert (error.tensor, error.got, error.expected) == ("x", "int8[1,4]", "float32[rows,columns]")


def test_own_functions_take_and_return_any_json():
    model = client("OwnFunctions")
    assert model.invoke({"text": "hello"}).output == {"rank": 2}
    raised(InferenceError, "^TypeError: preprocess: no such text$", lambda: model.invoke({"text": "throw"}))
    raised(InferenceError, "got one with a preprocess function: use invoke", lambda: model.infer({"x": [1.0]}))


def test_a_state_machine_that_contains_a_pipeline_is_invoked():
    model = client("Mine")
    invocation = model.invoke(request({"x": np.ones(1, np.float32)}))
    assert list(invocation.output["outputs"]["tensors"]) == ["same x"]
    assert ":express:Stack-Mine" in invocation.execution_arn
    error = raised(InferenceError, "^InvalidInput: slice 0: ", lambda: model.invoke({"no": "request"}))
    assert ":express:Stack-Mine" in error.execution_arn
    for call in (model.describe, lambda: model.infer({"x": [1.0]})):
        raised(InferenceError, "^NotAPipeline: the comment of .*Stack-Mine.* must have", call)


def test_serve_calls_a_cloud_of_its_own_and_ends_it(monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    own = {"AWS_PROFILE": "missing", "HTTPS_PROXY": "http://127.0.0.1:1", "NO_PROXY": "", "no_proxy": ""}
    for name, value in own.items():
        monkeypatch.setenv(name, value)
    before, x = dict(os.environ), {"x": np.ones((1, 16), np.float32)}
    with pytest.raises(KeyError), serve(os.environ["ASSEMBLY"], pipeline="Consolidated") as model:  # noqa: PT012
        assert dict(os.environ) == before
        assert model.infer(x, results="s3").outputs["y"].shape == (1, 16)
        raise KeyError
    raised(InferenceError, "^EndpointConnectionError: ", lambda: model.infer(x))
    assert list(tmp_path.iterdir()) == []


def test_serve_says_why_the_cloud_does_not_start(monkeypatch):
    message = "^sliced-inference local must serve '-none', got exit code 2:\nerror: .* run `cdk synth` first$"
    raised(RuntimeError, message, lambda: serve("-none").__enter__())
    monkeypatch.setenv("PATH", "")
    raised(RuntimeError, "must be in PATH, got none: install the construct's wheel", lambda: serve(".").__enter__())
