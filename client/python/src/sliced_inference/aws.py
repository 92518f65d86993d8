"""Requests to AWS or a local cloud by boto3, which reads endpoints and credentials from the environment."""

import re
import threading
import urllib.parse
import warnings
from typing import Any

import boto3
import botocore
from botocore import exceptions
from botocore.config import Config

from .errors import InferenceError, InferenceTimeoutError

SYNC_READ_TIMEOUT = 310
"""Seconds for the answer of StartSyncExecution: five minutes of an Express execution, and something for the way."""

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

SENDING = threading.local()
"""In a thread of a call: ``check`` raises an error if nobody waits for the call any more."""


class Aws:
    """The clients of boto3: those of the caller, or made when they are needed."""

    def __init__(self, region: str, request_timeout: float, step_functions: Any, s3: Any) -> None:
        self._region = region
        self._timeout = request_timeout
        given = {("stepfunctions", False): step_functions, ("stepfunctions", True): step_functions, ("s3", False): s3}
        self._clients = {key: client for key, client in given.items() if client is not None}
        """By service, and whether it waits for synchronous executions."""
        self._making = threading.Lock()
        for client in self._clients.values():
            _watch(client)

    def ask(self, operation: str, **arguments: Any) -> dict[str, Any]:
        """The error of boto3 is the cause of the error that is raised."""
        try:
            send = getattr(self._client_for(operation), botocore.xform_name(operation))
            answer: dict[str, Any] = send(**arguments)
            return answer
        except (exceptions.ClientError, exceptions.BotoCoreError) as error:
            raise explained(operation, error) from error

    def _client_for(self, operation: str) -> Any:
        is_synchronous = operation == "StartSyncExecution"
        key = ("s3" if operation in ("PutObject", "GetObject") else "stepfunctions", is_synchronous)
        with self._making:
            if key not in self._clients:
                self._clients[key] = self._new_client(*key)
        if is_synchronous:
            _check_synchronous(self._clients[key])
        return self._clients[key]

    def _new_client(self, service: str, is_synchronous: bool) -> Any:
        config = Config(
            connect_timeout=self._timeout,
            read_timeout=max(self._timeout, SYNC_READ_TIMEOUT) if is_synchronous else self._timeout,
            # For many runs at once; boto3's own default is 10.
            max_pool_connections=50,
            retries={"mode": "standard"},
            # Routers forget connections that are silent, which StartSyncExecution's are.
            tcp_keepalive=True,
        )
        # Stubs of boto3 know services by their literal names.
        session: Any = boto3.session.Session(region_name=self._region)
        client = session.client(service, config=config)
        if _is_local(client):
            # `sync-127.0.0.1` and `bucket.localhost` do not exist.
            local = Config(inject_host_prefix=False, s3={"addressing_style": "path"})
            client = session.client(service, config=config.merge(local))
        _watch(client)
        return client


def _check_synchronous(client: Any) -> None:
    # The stub of a test has no configuration.
    if not hasattr(client, "meta"):
        return
    if _is_local(client) and client.meta.config.inject_host_prefix:
        got = "a client for a local endpoint must not add a prefix to its host, got one that does"
        raise ValueError(f"{got}: create it with Config(inject_host_prefix=False)")
    if client.meta.config.read_timeout < SYNC_READ_TIMEOUT - 10:
        should = f"the client's read_timeout should be {SYNC_READ_TIMEOUT} seconds for Express"
        advice = f"boto3 starts longer runs again; create it with Config(read_timeout={SYNC_READ_TIMEOUT})"
        warnings.warn(f"{should}, got {client.meta.config.read_timeout}: {advice}", RuntimeWarning, stacklevel=2)


def _watch(client: Any) -> None:
    """Lets a client send nothing that nobody waits for, also no repeat. Other threads' requests are not concerned."""
    if hasattr(client, "meta"):
        client.meta.events.register("before-send", _check_wait, unique_id="sliced-inference")


def _check_wait(**_: Any) -> None:
    getattr(SENDING, "check", lambda: None)()


def _is_local(client: Any) -> bool:
    host = urllib.parse.urlsplit(client.meta.endpoint_url).hostname or ""
    is_address = re.fullmatch(r"[\d.]+|.*:.*", host) is not None
    return is_address or f".{host}".endswith(".localhost")


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
    is_connection = isinstance(error.cause, (exceptions.ConnectionError, exceptions.HTTPClientError))
    return is_connection and not isinstance(error.cause, exceptions.SSLError)


def _http_status(error: InferenceError) -> int:
    answer = error.cause.response if isinstance(error.cause, exceptions.ClientError) else {}
    return int(answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
