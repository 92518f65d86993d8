"""Deployments that replace the pipeline between the calls of a client, and during them."""

import json

import pytest
from conftest import EXECUTION, LARGE, X, described, machine, succeeded
from fake_aws import Answer, error, s3_error

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
        (X, {"DescribeExecution": [succeeded(**NEW_RESULT, inline=False)]}, 2),
        (X, {"DescribeExecution": [INVALID, succeeded(**NEW_RESULT)]}, 3),
        (LARGE, {"DescribeExecution": [INVALID, succeeded(**NEW_RESULT)]}, 3),
        (
            LARGE,
            {"PutObject": [s3_error("NoSuchBucket", 404), Answer()], "DescribeExecution": [succeeded(**NEW_RESULT)]},
            2,
        ),
    ],
    ids=["results-in-the-new-bucket", "inputs-of-another-model", "request-in-the-old-bucket", "no-old-bucket"],
)
def test_a_client_outlives_a_deployment_under_the_same_arn(aws, client, x, script, starts):
    aws.begin({"DescribeStateMachine": [NEW_MACHINE], "GetObject": [Answer(encode_file({"z": X}))], **script})
    for _ in range(2):
        outputs = aws.infer(x, client).outputs
        assert {name: tensor.tolist() for name, tensor in outputs.items()} == {"z": X.tolist()}
    assert (aws.calls.count("DescribeStateMachine"), aws.calls.count("StartExecution")) == (1, starts)
    if x is LARGE:
        assert [path.split("/")[1] for path, _ in aws.requests["PutObject"]] == ["bucket", "new", "new"]


def test_outputs_must_be_those_of_the_latest_description(aws, client):
    aws.script["DescribeExecution"] = [succeeded(bucket="new", digest="new", name="y")]
    with pytest.raises(InferenceError, match="^InvalidOutput: .*the tensors {'z': 'float32'}"):
        aws.infer(model=client)
    aws.script["DescribeExecution"] = [succeeded(bucket="other", digest="new", name="z")]
    with pytest.raises(InferenceError, match="^InvalidOutput: .*results at new/outputs/.*, got other/"):
        aws.infer(model=client)


def test_results_are_kept_if_the_description_cannot_be_read_again(aws, client):
    script = {"DescribeExecution": [succeeded(digest="new", name="z")]}
    aws.begin({**script, "DescribeStateMachine": [error("ThrottlingException")]})
    assert list(aws.infer(model=client).outputs) == ["z"]


def test_a_digest_that_never_fits_is_asked_about_once_a_minute(aws, client, clock):
    aws.begin({"DescribeExecution": [succeeded(digest="older")]})
    for asked in (1, 1, 2):
        aws.infer(model=client)
        assert aws.calls.count("DescribeStateMachine") == asked
        clock.advance(60 if asked == aws.calls.count("StartExecution") - 1 else 0)


def test_a_change_of_the_type_is_found(aws):
    express = {"DescribeStateMachine": [machine("EXPRESS"), machine("STANDARD")]}
    for options in ({}, {"stop_on_cancel": True}):
        aws.begin({**express, "StartSyncExecution": [error("StateMachineTypeNotSupported")]})
        model = aws.model()
        model.describe()
        for _ in range(2):
            assert aws.infer(model=model, **options).execution_arn == f"{EXECUTION}run"
        assert (aws.calls.count("DescribeStateMachine"), aws.calls.count("StartExecution")) == (2, 2)
    standard = {"DescribeStateMachine": [machine("STANDARD"), machine("EXPRESS")]}
    aws.begin({**standard, "DescribeExecution": [error("InvalidArn")]})
    model = aws.model()
    with pytest.raises(InferenceError, match="^InvalidArn"):
        aws.infer(model=model)
    assert aws.infer(model=model).execution_arn == f"{EXECUTION}run"
    assert aws.calls.count("StartSyncExecution") == 1


def test_a_refusal_that_no_deployment_explains_is_an_error(aws):
    for script in (
        {
            "DescribeStateMachine": [machine("EXPRESS")],
            "StartSyncExecution": [error("StateMachineTypeNotSupported")],
        },
        {"DescribeExecution": [INVALID]},
    ):
        aws.begin(script)
        with pytest.raises(InferenceError, match="^(StateMachineTypeNotSupported|InvalidInput)"):
            aws.infer()
        assert aws.calls.count("StartExecution") + aws.calls.count("StartSyncExecution") == 1


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
    seen = []
    name = None
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
    assert aws.calls.count("StartExecution") == 2


def test_a_missing_object_of_a_request_is_asked_about_once_if_the_caller_has_named_it(aws):
    for call, questions in ((lambda: aws.model().invoke({}), 1), (aws.infer, 6)):
        aws.begin(
            {"DescribeStateMachine": [machine(digest=OLD)], "DescribeExecution": [failed("InvalidInput", OF_SLICE)]}
        )
        with pytest.raises(InferenceError, match="^InvalidInput"):
            call()
        assert aws.calls.count("DescribeStateMachine") == 1 + questions
