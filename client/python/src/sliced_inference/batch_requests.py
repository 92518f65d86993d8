"""Requests of a batch as one object of JSON Lines: an upload for each would cost more than their computing."""

import contextlib
import itertools
import numbers
import uuid
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any

from .call import Call
from .errors import InferenceError
from .pipeline import TensorSpec, spec_from
from .request import Inputs, inputs_of, suited_tensors
from .tensors import compact_json, encode_shortest

BatchRequest = Inputs | Mapping[str, Any]
"""What ``infer`` takes; for a batch with a preprocess function, a dict that is JSON, which this function gets."""

BatchRequests = Iterable[BatchRequest | tuple[str | int, BatchRequest]]
"""Requests, or pairs of an id and a request, such as ``dict.items()`` has."""

MAX_LINE_BYTES = 150 * 1024
MAX_PREPROCESSED_LINE_BYTES = 90 * 1024
"""The state has the request of the preprocess function too."""

PART_BYTES = 8 * 2**20
"""Parts of a multipart upload have at least 5 MiB."""

LARGE_AT_ONCE = 8
"""Large requests that are on their way or wait for a thread. boto3 keeps ten connections by default."""


def put_requests(call: Call, signature: dict[str, Any], key: str | None, requests: BatchRequests) -> str:
    """Puts requests into one list and returns its key. Of those that do not fit into a line, S3 gets objects.

    Raises ``InferenceError`` ``InvalidInput`` for a request that does not fit, or if there are none.
    """
    items = signature["items"]
    is_of_prefix = items["location"].endswith("/")
    if items["kind"] != "jsonLines" or is_of_prefix:
        got = f"{items['kind']} below {items['location']}" if is_of_prefix else items["kind"]
        advice = "set its items to BatchItems.jsonLines with a key, or put the items into S3 and leave requests out"
        message = f"requests must go to a batch of one object of JSON Lines, got one of {got}: {advice}"
        raise InferenceError("InvalidInput", message)
    place = {"Bucket": items["bucket"], "Key": key or f"{items['folder']}{uuid.uuid4()}.jsonl"}
    parts = _parts(_lines(call, signature, requests))
    first, second = next(parts, None), next(parts, None)
    if first is None:
        raise _invalid("requests", "none", "pass at least one")
    if second is None:
        call.ask("PutObject", **place, Body=first)
        return str(place["Key"])
    upload = place | {"UploadId": call.ask("CreateMultipartUpload", **place)["UploadId"]}
    try:
        sent: list[dict[str, Any]] = []
        for number, part in enumerate(itertools.chain((first, second), parts), 1):
            tag = call.ask("UploadPart", **upload, PartNumber=number, Body=part)["ETag"]
            sent.append({"PartNumber": number, "ETag": tag})
        call.ask("CompleteMultipartUpload", **upload, MultipartUpload={"Parts": sent})
    except BaseException:
        # Without permission, a lifecycle rule of the bucket removes the parts.
        with contextlib.suppress(Exception):
            call.aws.ask("AbortMultipartUpload", **upload)
        raise
    return str(place["Key"])


def _parts(lines: Iterator[bytes]) -> Iterator[bytes]:
    part = bytearray()
    for line in lines:
        part += line
        if len(part) >= PART_BYTES:
            yield bytes(part)
            part.clear()
    if part:
        yield bytes(part)


def _lines(call: Call, signature: dict[str, Any], requests: BatchRequests) -> Iterator[bytes]:
    specs = None if signature.get("preprocess") else tuple(spec_from(spec) for spec in signature["inputs"])
    sending: deque[Future[None]] = deque()

    def put(place: int, key: str, file: bytes) -> None:
        with _naming(place):
            call.ask("PutObject", Bucket=signature["bucket"], Key=key, Body=file)

    with ThreadPoolExecutor(LARGE_AT_ONCE) as pool:

        def send(place: int, key: str, file: bytes) -> None:
            sending.append(pool.submit(put, place, key, file))

        for place, given in enumerate(requests):
            with _naming(place):
                # The file is complete before the thread sends it, because callers may use their arrays again.
                line = _line(specs, given, partial(send, place))
            yield line
            if len(sending) == LARGE_AT_ONCE:
                sending.popleft().result()
        for sent in sending:
            sent.result()


@contextlib.contextmanager
def _naming(place: int) -> Iterator[None]:
    try:
        yield
    except InferenceError as error:
        error.message = f"request {place}: {error.message}"
        raise


def _line(specs: tuple[TensorSpec, ...] | None, given: Any, put: Callable[[str, bytes], object]) -> bytes:
    name, request = given if isinstance(given, tuple) and len(given) == 2 else (None, given)
    named = {} if name is None else {"id": str(name)}
    is_number = isinstance(name, numbers.Integral) and not isinstance(name, bool)
    if named and not is_number and (not isinstance(name, str) or not name):
        raise _invalid("ids that are texts or numbers", repr(name), "name the request, or leave the id out")
    if specs is None:
        return _line_of_json(request, named)
    if not isinstance(request, Mapping):
        raise _invalid("dicts of arrays", type(request).__name__, "pass {name: array}")
    most = MAX_LINE_BYTES - len(compact_json(named | {"inputs": ""}).encode())
    inputs = inputs_of(suited_tensors(specs, request), put, most, encode_shortest)
    return f"{compact_json(named | {'inputs': inputs})}\n".encode()


def _line_of_json(request: Any, named: dict[str, str]) -> bytes:
    if not isinstance(request, Mapping):
        raise _invalid("dicts", type(request).__name__, "pass what the preprocess function expects")
    try:
        line = compact_json(dict(request) | named).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise _invalid("JSON values", f"another ({error})", "convert it") from error
    if len(line) > MAX_PREPROCESSED_LINE_BYTES:
        expected = f"at most {MAX_PREPROCESSED_LINE_BYTES} bytes as JSON"
        raise _invalid(expected, str(len(line)), "put large parts into S3 and pass their key")
    return line + b"\n"


def _invalid(expected: str, got: str, advice: str) -> InferenceError:
    message = f"a batch of requests must have {expected}, got {got}: {advice}"
    return InferenceError("InvalidInput", message, expected=expected, got=got)
