"""A server on this machine in the place of AWS, which answers, hangs and breaks connections as a test says."""

import http.server
import json
import threading
from dataclasses import dataclass


@dataclass(frozen=True)
class Answer:
    """A complete answer: JSON of Step Functions, or bytes of S3."""

    body: object = b""
    status: int = 200


@dataclass(frozen=True)
class Cut:
    """Bytes of a body that never ends."""

    body: bytes


LOST = "the connection ends without an answer"
HANGS = "no answer comes before the server is released"


def error(name, status=400):
    """An error of Step Functions."""
    return Answer({"__type": name, "message": f"the {name} of the test"}, status)


def s3_error(name, status):
    """An error of S3."""
    return Answer(f"<Error><Code>{name}</Code><Message>the {name} of the test</Message></Error>".encode(), status)


class FakeAws:
    """Answers each operation with the answers that `script` has for it, or with what they return for the request. The last
    of them is repeated.

    `calls` are the operations that were asked for, in their order, and `requests` what Step Functions was sent. When an
    operation is asked for, `on` may do something before the answer.
    """

    def __init__(self):
        self.script = {}
        self.on = {}
        self.calls = []
        self.requests = {}
        self.released = threading.Event()
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.fake = self
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def endpoint(self):
        return f"http://127.0.0.1:{self._server.server_port}"

    def answer(self, operation, request):
        with self._lock:
            self.calls.append(operation)
            self.requests.setdefault(operation, []).append(request)
            answers = self.script[operation]
            answer = answers.pop(0) if len(answers) > 1 else answers[0]
        self.on.get(operation, lambda: None)()
        return answer(request) if callable(answer) else answer

    def close(self):
        self.released.set()
        self._server.shutdown()
        self._server.server_close()


class _Server(http.server.ThreadingHTTPServer):
    # A thread that hangs ends with the release, which `close` waits for.
    daemon_threads = False


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self._serve(self.headers["X-Amz-Target"].split(".")[1], json.loads(body))

    def do_PUT(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self._serve("PutObject", self.path)

    def do_GET(self):
        self._serve("GetObject", self.path)

    def _serve(self, operation, request):
        self.close_connection = True
        fake = self.server.fake
        answer = fake.answer(operation, request)
        if answer == HANGS:
            fake.released.wait()
        elif isinstance(answer, Cut):
            self._send(200, answer.body, len(answer.body) + 1)
            fake.released.wait()
        elif answer != LOST:
            body = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
            self._send(answer.status, body, len(body))

    def _send(self, status, body, length):
        self.send_response(status)
        self.send_header("Content-Length", str(length))
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, *_):
        """The output of the tests is their results."""
