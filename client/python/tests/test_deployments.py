"""Deployments that replace the pipeline between the calls of a client, and during them."""

import json

import numpy as np
import pytest
from conftest import EXECUTION, LARGE, Answer, X, described, error, machine, raised, s3_error, succeeded

from sliced_inference import InferenceError
from sliced_inference.tensors import encode_file

OLD, NEW = "ab" * 32, "cd" * 32
FUNCTION = "arn:aws:lambda:eu-west-1:111122223333:function:Slice"
NEW_MACHINE = machine(bucket="new", digest="new", output="z")
NEW_RESULT = {"bucket": "new", "digest": "new", "name": "z"}


def failed(error, cause):
    text = cause if isinstance(cause, str) else json.dumps(cause)
    return Answer({"executionArn": f"{EXECUTION}old", "status": "FAILED", "error": error, "cause": text})


def thrown(cause):
    """As Lambda puts it around what a function throws."""
    return {"errorMessage": json.dumps(cause), "trace": []}


INVALID = failed("InvalidInput", "missing")


@pytest.fixture
def client(aws):
    """Knows the pipeline of before."""
    client = aws.model()
    client.describe()
    aws.begin({"DescribeStateMachine": [NEW_MACHINE]})
    return client


@pytest.mark.parametrize(
    ("x", "script", "starts"),
    [
        pytest.param(X, {"DescribeExecution": [succeeded(**NEW_RESULT, inline=False)]}, 2, id="results-in-new-bucket"),
        pytest.param(X, {"DescribeExecution": [INVALID, succeeded(**NEW_RESULT)]}, 3, id="inputs-of-another-model"),
        pytest.param(LARGE, {"DescribeExecution": [INVALID, succeeded(**NEW_RESULT)]}, 3, id="request-in-old-bucket"),
        pytest.param(LARGE, {"PutObject": [s3_error("NoSuchBucket", 404), Answer()]}, 2, id="no-old-bucket"),
    ],
)
def test_a_client_outlives_a_deployment_under_the_same_arn(aws, client, x, script, starts):
    files = {"GetObject": [Answer(encode_file({"z": X}))], "DescribeExecution": [succeeded(**NEW_RESULT)]}
    aws.begin({"DescribeStateMachine": [NEW_MACHINE], **files, **script})
    for _ in range(2):
        outputs = aws.infer(x, client).outputs
        assert {name: tensor.tolist() for name, tensor in outputs.items()} == {"z": X.tolist()}
    assert aws.counts("DescribeStateMachine", "StartExecution") == (1, starts)
    if x is LARGE:
        assert [path.split("/")[1] for path, _ in aws.requests["PutObject"]] == ["bucket", "new", "new"]


def test_inputs_and_outputs_must_be_those_of_the_latest_description(aws, client):
    history, seen = {"GetExecutionHistory": [Answer({"events": []})]}, []
    aws.begin({**history, "DescribeStateMachine": [machine(inputs=("x", "float64", ["n"]))]})
    assert aws.infer(np.zeros(3), client, on_progress=seen.append).outputs["y"].tolist() == X.tolist()
    assert [progress.event for progress in seen] == ["started", "ended"]
    raised(InferenceError, r"^InvalidInput: .* expects float64\[n\], got float32", lambda: aws.infer(X, client))
    assert aws.counts("DescribeStateMachine", "StartExecution") == (2, 1)
    aws.begin({"DescribeStateMachine": [NEW_MACHINE]})
    for output, message in (
        ({"bucket": "new", "name": "y"}, "the tensors {'z': 'float32'}"),
        ({"bucket": "other", "name": "z"}, "results at new/outputs/.*, got other/"),
    ):
        aws.script["DescribeExecution"] = [succeeded(digest="new", **output)]
        raised(InferenceError, f"^InvalidOutput: .*{message}", lambda: aws.infer(model=client))


def test_results_are_kept_if_the_description_cannot_be_read_again(aws, client):
    script = {"DescribeExecution": [succeeded(digest="new", name="z")]}
    aws.begin({**script, "DescribeStateMachine": [error("ThrottlingException")]})
    assert list(aws.infer(model=client).outputs) == ["z"]


def test_an_alias_of_an_older_version_is_asked_about_once_a_minute(aws, advance):
    aws.begin({"DescribeExecution": [succeeded(digest="old")]})
    client = aws.model()
    for seconds, asked in ((0, 2), (0, 2), (61, 3), (0, 3)):
        advance(seconds)
        assert client.infer({"x": X}).deployment_digest == "old"
        assert aws.counts("DescribeStateMachine") == (asked,)


def test_a_change_of_the_type_is_found(aws):
    express = {"DescribeStateMachine": [machine("EXPRESS"), machine("STANDARD")]}
    for options in ({}, {"stop_on_cancel": True}):
        aws.begin({**express, "StartSyncExecution": [error("StateMachineTypeNotSupported")]})
        model = aws.model()
        model.describe()
        for _ in range(2):
            assert aws.infer(model=model, **options).execution_arn == f"{EXECUTION}run"
        assert aws.counts("DescribeStateMachine", "StartExecution") == (2, 2)


def test_a_refusal_that_no_deployment_explains_is_an_error(aws):
    express = {"DescribeStateMachine": [machine("EXPRESS")]}
    for script in (
        {**express, "StartSyncExecution": [error("StateMachineTypeNotSupported")]},
        {"DescribeExecution": [INVALID]},
        {"DescribeExecution": [INVALID], "DescribeStateMachine": [machine(), error("AccessDeniedException")]},
    ):
        aws.begin(script)
        raised(InferenceError, "^(StateMachineTypeNotSupported|InvalidInput)", aws.infer)
        assert sum(aws.counts("StartExecution", "StartSyncExecution")) == 1


def own_machine(digest, version, kind, comment=""):
    """What a state machine of the user's own has too: the functions that its tasks call, and the deployment of each."""
    task = {"Arguments": {"FunctionName": f"{FUNCTION}:{version}", "Payload": {"deploymentDigest": digest}}}
    return described(kind, {"Comment": comment, "States": {"Slice 00": task}})


NOT_FOUND = f"Function not found: {FUNCTION}:1 (Service: Lambda, Status Code: 404)"
REFUSED_CALL = f"User: R is not authorized to perform: lambda:InvokeFunction on resource: {FUNCTION}:1 because"
OF_SLICE = {"slice": 1, "message": "why", "deploymentDigest": OLD}
OVERTAKEN = (
    failed("SliceFailed", OF_SLICE),
    failed("PlanChanged", thrown({"slice": 1, "message": "why", "expected": NEW, "got": OLD})),
    failed("Lambda.ResourceNotFoundException", {"slice": 1, "message": NOT_FOUND}),
    failed("Lambda.AWSLambdaException", {"slice": 1, "message": REFUSED_CALL}),
)


def play(aws, kind, descriptions, ends):
    """How a call ends, how often it starts an execution, and how often it asks again."""
    machines = [own_machine(*description, kind) for description in descriptions]
    aws.begin({"DescribeStateMachine": machines, "GetExecutionHistory": [Answer({"events": []})]})
    aws.script["StartSyncExecution"] = aws.script["DescribeExecution"] = list(ends)
    seen, name = [], None
    try:
        aws.model().invoke({}, on_progress=lambda progress: seen.append(progress.event))
    except InferenceError as error:
        name = error.name
    assert seen.count("restarted") == seen.count("started") - 1
    return name, seen.count("started"), aws.calls.count("DescribeStateMachine") - 1


@pytest.mark.parametrize("kind", ["EXPRESS", "STANDARD"])
@pytest.mark.parametrize("end", OVERTAKEN, ids=lambda end: end.body["error"])
def test_a_run_that_a_deployment_overtakes_is_started_again(aws, kind, end):
    old, new, name = (OLD, 1), (NEW, 12), end.body["error"]
    for descriptions, ends, expected in (
        ([old, old, old, new], [end, succeeded()], (None, 2, 3)),
        ([old, new], [end, end, end, succeeded()], (None, 4, 3)),
        ([old], [end], (name, 1, 6)),
        ([old, new], [end], (name, 7, 6)),
    ):
        assert play(aws, kind, descriptions, ends) == expected


@pytest.mark.parametrize(
    ("name", "end"),
    [
        ("HandlerError", failed("PlanChanged", {"step": "preprocess", "message": "mine", "got": OLD})),
        ("HandlerError", failed("PlanChanged", thrown({"step": "postprocess", "message": "mine"}))),
        ("PlanChanged", failed("PlanChanged", {"message": "mine"})),
        ("PlanChanged", failed("PlanChanged", {"slice": 1, "message": "no digest", "got": "nothing"})),
        ("PlanChanged", failed("PlanChanged", {"errorMessage": "mine", "errorType": "PlanChanged"})),
        ("SliceFailed", failed("SliceFailed", {"slice": 1, "message": "a bug in an operator"})),
        ("Lambda.ResourceNotFoundException", failed("Lambda.ResourceNotFoundException", NOT_FOUND)),
    ],
)
def test_a_failure_that_no_deployment_explains_is_not_started_again(aws, name, end):
    assert play(aws, "STANDARD", [(OLD, 1), (NEW, 12)], [end]) == (name, 1, 0)


def test_a_function_that_is_gone_is_known_from_the_definition_of_its_pipeline(aws):
    comment = json.loads(machine().body["definition"])["Comment"]
    lost = failed("Lambda.ResourceNotFoundException", NOT_FOUND)
    machines = [own_machine(OLD, version, "STANDARD", comment) for version in (1, 12)]
    aws.begin({"DescribeStateMachine": machines, "DescribeExecution": [lost, succeeded()]})
    aws.model().invoke({})
    assert aws.counts("StartExecution") == (2,)


def test_a_missing_object_of_a_request_is_asked_about_once_if_the_caller_has_named_it(aws):
    script = {"DescribeStateMachine": [machine(digest=OLD)], "DescribeExecution": [failed("InvalidInput", OF_SLICE)]}
    for call, questions in ((lambda: aws.model().invoke({}), 1), (aws.infer, 6)):
        aws.begin(script)
        raised(InferenceError, "^InvalidInput", call)
        assert aws.counts("DescribeStateMachine") == (1 + questions,)
