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


LOST = "the connection ends without an answer"
HANGS = "no answer comes before the server is released"
CUT = "a part of a body comes"


def error(name, status=400):
    """An error of Step Functions."""
    return Answer({"__type": name, "message": f"the {name} of the test"}, status)


def s3_error(name, status):
    return Answer(f"<Error><Code>{name}</Code><Message>the {name} of the test</Message></Error>".encode(), status)


class FakeAws:
    """Answers each operation with the answers that `script` has for it, or with what they return for the request. The
    last of them is repeated.

    `calls` are the operations that were asked for, in their order, and `requests` what they were sent. When an
    operation is asked for, `on` may do something before the answer.
    """

    def __init__(self):
        self.released = threading.Event()
        self._lock = threading.Lock()
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.fake = self
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        self.endpoint = f"http://127.0.0.1:{self._server.server_port}"

    def begin(self, script):
        """Forgets what has happened. What hangs ends."""
        self.released.set()
        self.released = threading.Event()
        self.script, self.on, self.calls, self.requests = script, {}, [], {}

    def answer(self, operation, request):
        with self._lock:
            self.calls.append(operation)
            self.requests.setdefault(operation, []).append(request)
            answers = self.script[operation]
            answer = answers.pop(0) if len(answers) > 1 else answers[0]
        self.on.get(operation, lambda: None)()
        return answer(request) if callable(answer) else answer


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self._serve(self.headers["X-Amz-Target"].split(".")[1], json.loads(body))

    def do_PUT(self):
        self._serve("PutObject", (self.path, self.rfile.read(int(self.headers["Content-Length"]))))

    def do_GET(self):
        self._serve("GetObject", self.path)

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
        """Prints nothing."""
