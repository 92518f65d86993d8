"""Requests to AWS or a local cloud by boto3, which reads endpoints and credentials from the environment."""

import re
import threading
import urllib.parse
from typing import Any

import boto3
import botocore
from botocore import exceptions
from botocore.config import Config

from .errors import InferenceError, InferenceTimeoutError

READ_TIMEOUTS = {"synchronous": 310, "lambda": 910}
"""Seconds for the answers of StartSyncExecution, five minutes of an Express execution, and of Invoke, the 15 minutes of
a function, and something for the way."""

CREDENTIALS = (
    *(exceptions.NoCredentialsError, exceptions.PartialCredentialsError, exceptions.CredentialRetrievalError),
    *(exceptions.TokenRetrievalError, exceptions.SSOError, exceptions.ProfileNotFound),
)

THROTTLING = (
    *("ThrottlingException", "Throttling", "TooManyRequestsException"),
    *("RequestLimitExceeded", "SlowDown", "ExecutionLimitExceeded"),
)
"""Names of errors that mean "too many requests", besides status 429.
https://docs.aws.amazon.com/step-functions/latest/apireference/CommonErrors.html and API_StartExecution.html there"""

# Of the operations of S3, and of the one that waits for the end of an execution.
UPLOADS = ("CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload", "AbortMultipartUpload")
KINDS = {
    **dict.fromkeys(("PutObject", "GetObject", "ListObjectsV2", *UPLOADS), "s3"),
    "StartSyncExecution": "synchronous",
    "Invoke": "lambda",
}


class Aws:
    """The clients of boto3: those of the caller, or made when they are needed."""

    def __init__(
        self, region: str | None, request_timeout: float, step_functions: Any, s3: Any, function: Any = None
    ) -> None:
        self._region = region
        self._timeout = request_timeout
        self._clients = {
            **{"s3": s3, "lambda": function},
            **{"stepfunctions": step_functions, "synchronous": step_functions},
        }
        self._making = threading.Lock()

    def ask(self, operation: str, **arguments: Any) -> dict[str, Any]:
        """The error of boto3 is the cause of the error that is raised."""
        try:
            kind = KINDS.get(operation, "stepfunctions")
            with self._making:
                self._clients[kind] = self._clients[kind] or self._new_client(kind)
            answer: dict[str, Any] = getattr(self._clients[kind], botocore.xform_name(operation))(**arguments)
            return answer
        except (exceptions.ClientError, exceptions.BotoCoreError) as error:
            raise explained(operation, error) from error

    def _new_client(self, kind: str) -> Any:
        # For many runs at once; boto3's own default is 10.
        config = Config(max_pool_connections=50, connect_timeout=self._timeout, read_timeout=self._timeout)
        if kind != "s3":
            # The client itself repeats what may be repeated, until the wait is over.
            config = config.merge(Config(retries={"total_max_attempts": 1}))
        if kind in READ_TIMEOUTS:
            # Routers forget connections that are silent until the run ends.
            longest = max(self._timeout, READ_TIMEOUTS[kind])
            config = config.merge(Config(tcp_keepalive=True, read_timeout=longest))
        # Stubs of boto3 know services by their literal names.
        session: Any = boto3.session.Session(region_name=self._region)
        service = "stepfunctions" if kind == "synchronous" else kind
        client = session.client(service, config=config)
        host = urllib.parse.urlsplit(client.meta.endpoint_url).hostname or ""
        if re.fullmatch(r"[\d.]+|.*:.*|(.*\.)?localhost", host):
            # `sync-127.0.0.1` and `bucket.localhost` do not exist.
            local = Config(inject_host_prefix=False, s3={"addressing_style": "path"})
            client = session.client(service, config=config.merge(local))
        return client


def explained(operation: str, error: Exception) -> InferenceError | InferenceTimeoutError:
    """The error of a request that AWS refused or did not answer, or that boto3 could not send."""
    name, message = type(error).__name__, f"{operation} failed: {error}"
    if isinstance(error, (exceptions.ReadTimeoutError, exceptions.ConnectTimeoutError)):
        advice = "raise request_timeout, or read_timeout of your own client, or try again"
        return InferenceTimeoutError(f"{operation} must answer in time, got no answer ({error}): {advice}")
    if isinstance(error, exceptions.ClientError):
        name, message = error.response.get("Error", {}).get("Code") or name, str(error)
    elif isinstance(error, CREDENTIALS):
        message = f"boto3 must have credentials for {operation}, got none: {error}: set AWS_PROFILE or run with a role"
    return InferenceError(name, message, cause=error)


def is_throttled(error: Exception) -> bool:
    """Whether the service refused the request because there are too many. It did nothing."""
    return isinstance(error, InferenceError) and (error.name in THROTTLING or _http_status(error) == 429)


def is_transient(error: Exception) -> bool:
    """Whether the same request may succeed later. The service may have done what it asks."""
    if not isinstance(error, InferenceError) or is_throttled(error) or _http_status(error) >= 500:
        return True
    broken = (exceptions.ConnectionError, exceptions.HTTPClientError, exceptions.IncompleteReadError)
    is_connection = isinstance(error.cause, broken)
    return is_connection and not isinstance(error.cause, exceptions.SSLError)


def _http_status(error: InferenceError) -> int:
    answer = error.cause.response if isinstance(error.cause, exceptions.ClientError) else {}
    return int(answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
