"""An AWS that does what a test says, and what it answers if all goes well."""

import json
import os
import threading
import time

import boto3
import numpy as np
import pytest
from botocore.config import Config
from fake_aws import Answer, FakeAws

from sliced_inference import SlicedInferenceClient
from sliced_inference.tensors import encode_file, encode_inline

ARN = "arn:aws:states:eu-west-1:111122223333:stateMachine:Test"
EXECUTION = "arn:aws:states:eu-west-1:111122223333:execution:Test:"
RUN = "Test/run/1000"
X = np.arange(3, dtype=np.float32)
LARGE = np.zeros(100_000, dtype=np.float32)
RUNNING = Answer({"executionArn": f"{EXECUTION}run", "status": "RUNNING"})
STARTED = Answer({"executionArn": f"{EXECUTION}run", "startDate": 1000})


def machine(kind="STANDARD", bucket="bucket", digest="digest", inputs=("x", "float32", ["n"]), output="y", **more):
    """What DescribeStateMachine answers: a pipeline with an input and an output of float32[n]."""
    specs = [dict(zip(("name", "dtype", "shape"), inputs, strict=True))]
    outputs = [{"name": output, "dtype": "float32", "shape": ["n"]}]
    signature = {"version": 1, "bucket": bucket, "deploymentDigest": digest, "threads": 1}
    comment = json.dumps({"slicedInference": {**signature, "inputs": specs, "outputs": outputs, **more}})
    return described(kind, {"Comment": comment, "TimeoutSeconds": 300})


def described(kind, definition):
    return Answer({"stateMachineArn": ARN, "name": "Test", "type": kind, "definition": json.dumps(definition)})


def output_of(bucket="bucket", digest="digest", name="y", inline=True, run=RUN):
    """The output of an execution that returns its input `X`."""
    outputs = {"s3": {"bucket": bucket, "key": f"outputs/{run}.safetensors"}}
    if inline:
        outputs["tensors"] = {name: encode_inline(X)}
    return {"version": 1, "deploymentDigest": digest, "run": run, "timings": [], "outputs": outputs}


def ended_with(output):
    return Answer({"executionArn": f"{EXECUTION}run", "status": "SUCCEEDED", "output": json.dumps(output)})


def succeeded(**output):
    return ended_with(output_of(**output))


class Aws(FakeAws):
    def __init__(self):
        super().__init__()
        config = Config(retries={"total_max_attempts": 1}, inject_host_prefix=False, read_timeout=310)
        # A client of boto3 takes longer to make than most tests.
        self.clients = {
            name: boto3.session.Session().client(
                service, endpoint_url=self.endpoint, region_name="eu-west-1", config=config
            )
            for name, service in (("step_functions", "stepfunctions"), ("s3", "s3"))
        }

    def begin(self, script=None):
        """Lets AWS serve everything, as if nothing had happened before."""
        self.cancel = threading.Event()
        success = {
            "DescribeStateMachine": [machine()],
            "StartExecution": [STARTED],
            "StartSyncExecution": [succeeded()],
            "DescribeExecution": [RUNNING, succeeded()],
            "StopExecution": [Answer({"stopDate": 1001})],
            "PutObject": [Answer()],
            "GetObject": [Answer(encode_file({"y": X}))],
        }
        super().begin({name: list(answers) for name, answers in {**success, **(script or {})}.items()})

    def model(self, **settings):
        return SlicedInferenceClient(ARN, **{"poll_interval": 0.001, **self.clients, **settings})

    def own_model(self, **settings):
        """A model that makes its own clients of boto3."""
        return self.model(step_functions=None, s3=None, **settings)

    def infer(self, x=X, model=None, **options):
        return (model or self.model()).infer({"x": x}, **options)

    def cancel_at(self, operation, times=1):
        """Cancels the call when an operation is asked for the last of so many times."""
        self.on[operation] = lambda: self.calls.count(operation) == times and self.cancel.set()


@pytest.fixture(scope="session")
def server():
    return _with_variables()


def _with_variables():
    variables = {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        # The client's own repeats are tested, without the pauses of boto3.
        "AWS_MAX_ATTEMPTS": "1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "NO_PROXY": "127.0.0.1",
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value)
        aws = Aws()
    aws.variables = {**variables, "AWS_ENDPOINT_URL": aws.endpoint}
    return aws


@pytest.fixture
def aws(server, monkeypatch):
    for name, value in server.variables.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_ENDPOINT_URL_SFN", "AWS_ENDPOINT_URL_S3", "AWS_CA_BUNDLE", "AWS_DISABLE_HOST_PREFIX_INJECTION"):
        monkeypatch.delenv(name, raising=False)
    server.begin()
    yield server
    server.released.set()


class Clock:
    """The clock of the client, which a test can put forward."""

    def __init__(self):
        self.ahead = 0.0
        self._monotonic = time.monotonic

    def advance(self, seconds):
        self.ahead += seconds

    def __call__(self):
        return self._monotonic() + self.ahead


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(time, "monotonic", clock)
    return clock
