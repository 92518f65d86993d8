"""The local cloud, for tests: ``with serve("cdk.out") as model: result = model.infer({"x": array})``."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import IO, Any

import boto3
import botocore.session
from botocore.config import Config

from .aws import READ_TIMEOUTS
from .client import SlicedInferenceClient


class ServedPipeline(SlicedInferenceClient):
    """The client of a pipeline in the local cloud."""

    environment: dict[str, str]
    """The variables with which other clients of boto3, the AWS CLI and other programs call the local cloud."""

    def __init__(self, access: dict[str, Any]) -> None:
        self.environment = variables = access["environment"]
        # The user's profile, settings and proxy must not change what the clients call.
        own = botocore.session.Session({"profile": (None,) * 4, "config_file": (None, None, os.devnull, None)})
        keys = {name.lower(): variables[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}
        session: Any = boto3.session.Session(**keys, region_name=variables["AWS_REGION"], botocore_session=own)
        local = Config(inject_host_prefix=False, s3={"addressing_style": "path"}, proxies={})
        config = local.merge(Config(read_timeout=max(READ_TIMEOUTS.values()), retries={"total_max_attempts": 1}))
        client = partial(session.client, verify=variables["AWS_CA_BUNDLE"], config=config)
        services = {"step_functions": "stepfunctions", "s3": "s3", "function": "lambda"}
        endpoints = {"stepfunctions": "SFN", "s3": "S3", "lambda": "LAMBDA"}
        clients: dict[str, Any] = {
            name: client(service, endpoint_url=variables[f"AWS_ENDPOINT_URL_{endpoints[service]}"])
            for name, service in services.items()
        }
        super().__init__(access["stateMachineArn"], **clients)


@contextmanager
def serve(folder: str | os.PathLike[str], *, pipeline: str | None = None) -> Iterator[ServedPipeline]:
    """Serves a stack with the command ``sliced-inference local`` until the block ends, and does not change os.environ.

    ``folder`` is what ``cdk synth`` has written, such as ``cdk.out``. ``pipeline`` chooses one of several pipelines by
    its construct's id, as ``--pipeline`` of the command does.

    Raises ``RuntimeError`` if the command is not installed, or ends instead of serving; the message has its last lines.
    """
    places = [os.path.dirname(sys.executable), os.environ.get("PATH", os.defpath)]
    command = shutil.which("sliced-inference", path=os.pathsep.join(places))
    if command is None:
        raise RuntimeError("the command sliced-inference must be in PATH, got none: install the construct's wheel")
    options = [] if pipeline is None else [f"--pipeline={pipeline}"]
    args = [command, "local", "--json", *options, "--", os.fspath(folder)]
    pipes: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "encoding": "utf-8"}
    with tempfile.TemporaryFile() as messages, subprocess.Popen(args, stderr=messages, **pipes) as process:
        try:
            yield ServedPipeline(_access(process, messages, os.fspath(folder)))
        finally:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                # Until the output ends: the process of the cloud is a child of the command's, and cleans up.
                process.communicate(timeout=30)
            process.kill()


def _access(process: subprocess.Popen[str], messages: IO[bytes], folder: str) -> Any:
    text = ""
    for line in process.stdout or ():
        text += line
        if line == "}\n":
            return json.loads(text)
    code = process.wait()
    messages.seek(0)
    last = messages.read().decode(errors="replace").strip().splitlines()[-10:]
    raise RuntimeError("\n".join([f"sliced-inference local must serve '{folder}', got exit code {code}:", *last]))
