"""Starts moto's servers of S3 and Step Functions, whose state machines call functions at the address in LAMBDA_ENDPOINT.

moto evaluates no JSONata, so jsonata-python does. It prints its address, and ends when its standard input does.
"""

import itertools
import json
import logging
import os
import re
import sys
import uuid

import boto3
from jsonata import JException, Jsonata, Utils
from moto.core.config import default_user_config
from moto.server import ThreadedMotoServer
from moto.stepfunctions.parser.api import HistoryEventType
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEvent, FailureEventException
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name import StatesErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import StatesErrorNameType
from moto.stepfunctions.parser.asl.component.common.retry import retrier_decl
from moto.stepfunctions.parser.asl.component.common.string.string_expression import StringJSONata
from moto.stepfunctions.parser.asl.component.intrinsic import jsonata as intrinsic
from moto.stepfunctions.parser.asl.component.state.exec.execute_state import ExecutionState
from moto.stepfunctions.parser.asl.component.state.exec.state_task import lambda_eval_utils
from moto.stepfunctions.parser.asl.eval import states, variable_store
from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails
from moto.stepfunctions.parser.asl.jsonata import jsonata
from moto.stepfunctions.parser.asl.utils.encoding import to_json_str

# By number: the values of variables. moto would write them into the text of an expression, where a list is an array
# constructor, which JSONata does not flatten as it flattens the same list in a value.
values = {}
numbers = itertools.count()

DECLARED = re.compile(r":=\$value_(\d+);")


def declare(bindings):
    text = ""
    for name, value in bindings.items():
        number = next(numbers)
        # As moto writes it, with times as text.
        values[number] = json.loads(to_json_str(value))
        text += f"{name}:=$value_{number};"
    return text


states.encode_jsonata_variable_declarations = declare
variable_store.encode_jsonata_variable_declarations = declare


# moto has functions for those that Step Functions adds to JSONata, but none for this one.
intrinsic._DECLARATION_BY_VARIABLE_REFERENCE.pop("$uuid")


def evaluate(expression):
    program = Jsonata(expression)
    frame = program.create_frame()
    frame.bind("uuid", Jsonata.JLambda(lambda: str(uuid.uuid4())))
    for number in DECLARED.findall(expression):
        frame.bind(f"value_{number}", with_nulls(values[int(number)]))
    return plain(program.evaluate(None, frame))


def with_nulls(value):
    """For jsonata-python, None is undefined."""
    if isinstance(value, dict):
        return {name: with_nulls(each) for name, each in value.items()}
    if isinstance(value, list):
        return [with_nulls(each) for each in value]
    return Utils.NULL_VALUE if value is None else value


def plain(value):
    """Lists of jsonata-python hold more than their elements, and ranges only their ends."""
    if isinstance(value, dict):
        return {name: plain(each) for name, each in value.items()}
    if isinstance(value, list):
        return [plain(value[at]) for at in range(len(value))]
    return None if value is Utils.NULL_VALUE else value


jsonata._eval_jsonata = evaluate


def patch(owner, name):
    """Replaces a method by the decorated function, which receives the original first."""

    def decorate(replacement):
        original = getattr(owner, name)
        setattr(owner, name, lambda *args: replacement(original, *args))
        return replacement

    return decorate


# An expression that fails is an error of its state. For moto, it is an error of the interpreter.
# https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
@patch(StringJSONata, "_eval_body")
def fail_the_state(original, self, env):
    try:
        original(self, env)
    except JException as error:
        name = StatesErrorName(typ=StatesErrorNameType.StatesQueryEvaluationError)
        details = {"error": name.error_name, "cause": str(error)}
        raise FailureEventException(
            FailureEvent(
                env=env,
                error_name=name,
                event_type=HistoryEventType.EvaluationFailed,
                event_details=EventDetails(evaluationFailedEventDetails=details),
            )
        ) from error


# A state catches what fails in its `Output` too. moto evaluates `Output` when the state can catch no more.
@patch(ExecutionState, "_evaluate_with_timeout")
def try_the_output(original, self, env):
    original(self, env)
    if self.output is not None:
        self.output.jsonata_template_value.eval(env)
        env.stack.pop()


# moto would run functions in Docker.
lambda_eval_utils.boto_client_for = lambda region, service, state_credentials=None: boto3.client(
    service,
    region_name=region,
    endpoint_url=os.environ["LAMBDA_ENDPOINT"],
    aws_access_key_id="id",
    aws_secret_access_key="secret",
)


class NoWaits:
    """The waits before retries change no result."""

    @staticmethod
    def sleep(seconds):
        pass


retrier_decl.time = NoWaits

# The check says what has failed.
logging.disable(logging.CRITICAL)

default_user_config["stepfunctions"]["execute_state_machine"] = True
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
host, port = server.get_host_and_port()
print(f"http://{host}:{port}", flush=True)
sys.stdin.read()
os._exit(0)
