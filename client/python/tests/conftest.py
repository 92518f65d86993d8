"""An AWS on this machine that answers, hangs and breaks connections as a test says, and what it answers if all goes
well."""

import http.server
import json
import os
import re
import threading
import time
from dataclasses import dataclass
from types import SimpleNamespace

import boto3
import numpy as np
import pytest
from botocore.config import Config

from sliced_inference import SlicedInferenceClient, handlers, results
from sliced_inference.tensors import encode_file, encode_inline

ARN = "arn:aws:states:eu-west-1:111122223333:stateMachine:Test"
EXECUTION = "arn:aws:states:eu-west-1:111122223333:execution:Test:"
RUN = "Test/run/1000"
X = np.arange(3, dtype=np.float32)
LARGE = np.zeros(100_000, dtype=np.float32)


@dataclass(frozen=True)
class Answer:
    """A complete answer: JSON of Step Functions, or bytes of S3."""

    body: object = b""
    status: int = 200


LOST = "the connection ends without an answer"
HANGS = "no answer comes before the server is released"
CUT = "a part of a body comes"
RUNNING = Answer({"executionArn": f"{EXECUTION}run", "status": "RUNNING"})
STARTED = Answer({"executionArn": f"{EXECUTION}run", "startDate": 1000})


def error(name, status=400):
    """An error of Step Functions."""
    return Answer({"__type": name, "message": f"the {name} of the test"}, status)


def s3_error(name, status):
    return Answer(f"<Error><Code>{name}</Code><Message>the {name} of the test</Message></Error>".encode(), status)


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


IN_S3 = succeeded(inline=False)


def raised(kind, message, work):
    with pytest.raises(kind, match=message) as caught:
        work()
    return caught.value


class Aws:
    """Answers each operation with the answers that `script` has for it, or with what they return for the request. The
    last of them is repeated.

    `calls` are the operations that were asked for, in their order, and `requests` what they were sent. When an
    operation is asked for, `on` may do something before the answer.
    """

    def __init__(self):
        self.released = threading.Event()
        self._lock = threading.Lock()
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        server.fake = self
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        self.endpoint = f"http://127.0.0.1:{server.server_port}"
        # A client of boto3 takes longer to make than most tests.
        self.clients = {"step_functions": self.client("stepfunctions"), "s3": self.client("s3")}

    def client(self, service="stepfunctions", **config):
        config = {"retries": {"total_max_attempts": 1}, "inject_host_prefix": False, "read_timeout": 310, **config}
        keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "eu-west-1"}
        return boto3.session.Session(**keys).client(service, endpoint_url=self.endpoint, config=Config(**config))

    def begin(self, script=None):
        """Lets AWS serve everything but what the script has, as if nothing had happened before. What hangs ends."""
        self.released.set()
        self.released, self.cancel = threading.Event(), threading.Event()
        self.on, self.calls, self.requests = {}, [], {}
        success = {
            "DescribeStateMachine": [machine()],
            "StartExecution": [STARTED],
            "StartSyncExecution": [succeeded()],
            "DescribeExecution": [RUNNING, succeeded()],
            "StopExecution": [Answer({"stopDate": 1001})],
            "PutObject": [Answer()],
            "GetObject": [Answer(encode_file({"y": X}))],
        }
        self.script = {name: list(answers) for name, answers in {**success, **(script or {})}.items()}

    def answer(self, operation, request):
        with self._lock:
            self.calls.append(operation)
            self.requests.setdefault(operation, []).append(request)
            answers = self.script[operation]
            answer = answers.pop(0) if len(answers) > 1 else answers[0]
        self.on.get(operation, lambda: None)()
        return answer(request) if callable(answer) else answer

    def counts(self, *operations):
        return tuple(self.calls.count(operation) for operation in operations)

    def model(self, **settings):
        return SlicedInferenceClient(ARN, **{"poll_interval": 0.001, **self.clients, **settings})

    def own_model(self, **settings):
        """A model that makes its own clients of boto3."""
        return self.model(step_functions=None, s3=None, **settings)

    def infer(self, x=X, model=None, **options):
        return (model or self.model()).infer({"x": x}, **options)

    def cancel_at(self, operation, times=1):
        """Cancels the call when an operation is asked for the last of so many times."""
        self.on[operation] = lambda: self.counts(operation) == (times,) and self.cancel.set()


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    log_message = lambda *_: None  # noqa: E731

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if "X-Amz-Target" in self.headers:
            self._serve(self.headers["X-Amz-Target"].split(".")[1], json.loads(body))
        else:
            operation = "CreateMultipartUpload" if "uploads" in self.path else "CompleteMultipartUpload"
            self._serve(operation, (self.path, body))

    def do_PUT(self):
        operation = "UploadPart" if "partNumber=" in self.path else "PutObject"
        self._serve(operation, (self.path, self.rfile.read(int(self.headers["Content-Length"]))))

    def do_DELETE(self):
        self._serve("AbortMultipartUpload", self.path)

    def do_GET(self):
        self._serve("ListObjectsV2" if "list-type=2" in self.path else "GetObject", self.path)

    def _serve(self, operation, request):
        self.close_connection = True
        released = self.server.fake.released
        answer = self.server.fake.answer(operation, request)
        if answer == HANGS:
            released.wait()
        elif answer == CUT:
            self._send(200, b"some bytes", 100)
            released.wait()
        elif answer != LOST:
            body = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
            ranged = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range") or "")
            if ranged is None or answer.status != 200:
                tag = {"ETag": '"tag"'} if operation == "UploadPart" else None
                self._send(answer.status, body, len(body), tag)
            else:
                start, end, size = int(ranged[1]), int(ranged[2]) + 1, len(body)
                part = body[start:end]
                about = {"Content-Range": f"bytes {start}-{start + len(part) - 1}/{size}", "ETag": '"tag"'}
                self._send(206, part, len(part), about)

    def _send(self, status, body, length, headers=None):
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(length))
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()


@pytest.fixture(scope="session")
def server():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_CONFIG_FILE", os.devnull)
        patch.delenv("AWS_CA_BUNDLE", raising=False)
        return Aws()


@pytest.fixture
def aws(server, monkeypatch):
    for name in ("AWS_ENDPOINT_URL_SFN", "AWS_ENDPOINT_URL_S3", "AWS_CA_BUNDLE", "AWS_DISABLE_HOST_PREFIX_INJECTION"):
        monkeypatch.delenv(name, raising=False)
    # The client's own repeats are tested, without the pauses of boto3.
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, os.devnull)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", server.endpoint)
    server.begin()
    yield server
    server.released.set()


@pytest.fixture
def objects(monkeypatch):
    """The objects that handlers put, by key."""
    found = {}

    def read(file):
        body = file.pop(0) if isinstance(file, list) else file
        if isinstance(body, Exception):
            raise body
        return body

    storage = SimpleNamespace(
        put_object=lambda Bucket, Key, Body: found.update({Key: Body}),
        get_object=lambda Bucket, Key: {"Body": SimpleNamespace(read=lambda: read(found[Key]))},
    )
    monkeypatch.setattr(handlers, "_s3", lambda: storage)
    handlers._tensors_of_items.cache_clear()
    monkeypatch.setattr(results, "LONGEST_PAUSE", 0)
    monkeypatch.setenv("SLICED_INFERENCE_BUCKET", "bucket")
    return found


@pytest.fixture
def advance(monkeypatch):
    """Puts the clock of the client forward."""
    monotonic, ahead = time.monotonic, []
    monkeypatch.setattr(time, "monotonic", lambda: monotonic() + sum(ahead))
    return ahead.append
