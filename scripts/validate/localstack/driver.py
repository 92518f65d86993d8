"""Runs executions in LocalStack's interpreter of state machines, without LocalStack's server and without waiting for retries.

Reads a JSON array of executions from standard input, and writes a JSON array of their results to standard output. The first
argument is a folder with the jars of JSONata for Java: dashjoin's jsonata, and jackson-core, -annotations and -databind.
"""

import json
import logging
import sys
import threading
from collections import defaultdict

import jpype
from botocore.exceptions import ClientError
from localstack.services.stepfunctions.asl.component.common.retry import retrier_decl
from localstack.services.stepfunctions.asl.component.state.state_execution.state_task import lambda_eval_utils
from localstack.services.stepfunctions.asl.eval.evaluation_details import (
    AWSExecutionDetails,
    EvaluationDetails,
    ExecutionDetails,
    StateMachineDetails,
)
from localstack.services.stepfunctions.asl.jsonata import jsonata
from localstack.services.stepfunctions.backend.execution_worker import SyncExecutionWorker
from localstack.services.stepfunctions.backend.execution_worker_comm import ExecutionWorkerCommunication


class NoWait:
    @staticmethod
    def sleep(_seconds):
        pass


class Ended(ExecutionWorkerCommunication):
    def terminated(self):
        pass


def start_jvm(bridge):
    jpype.startJVM(classpath=[sys.argv[1] + "/*"], interrupt=False)
    from com.dashjoin.jsonata.Jsonata import jsonata as java_jsonata
    from com.fasterxml.jackson.databind import ObjectMapper

    bridge._java_OBJECT_MAPPER = ObjectMapper()
    bridge._java_JSONATA = java_jsonata


# Branches that an error ends may still make calls while the next execution runs.
running = {}


def execute(env, parameters, region, state_credentials):
    arn = env.states.context_object.context_object_data["Execution"]["Id"]
    env.stack.append(running[arn](parameters))


def run(execution):
    calls = defaultdict(list)
    mutex = threading.Lock()

    def invoke(parameters):
        payload = json.loads(parameters["Payload"])
        function = parameters["FunctionName"]
        key = function + "#warm-up" if isinstance(payload, dict) and payload.get("warmUp") else function
        with mutex:
            attempt = len(calls[key])
            calls[key].append(payload)
        own = execution["attempts"].get(key, [])
        answer = own[attempt] if attempt < len(own) else execution["otherwise"].get(key, {"payload": {}})
        if "code" in answer:
            error = {"Code": answer["code"], "Message": answer["message"]}
            metadata = {"HTTPStatusCode": 429, "RequestId": "request"}
            raise ClientError({"Error": error, "ResponseMetadata": metadata}, "Invoke")
        if "failure" in answer:
            failure = json.dumps(answer["failure"], separators=(",", ":"))
            raise lambda_eval_utils.LambdaFunctionErrorException("Unhandled", failure)
        return {"Payload": answer["payload"], "StatusCode": 200, "ExecutedVersion": "1"}

    running[execution["arn"]] = invoke
    details = EvaluationDetails(
        AWSExecutionDetails(account="000000000000", region="us-east-1", role_arn="arn:aws:iam::000000000000:role/role"),
        ExecutionDetails(
            arn=execution["arn"],
            name=execution["executionName"],
            role_arn="arn:aws:iam::000000000000:role/role",
            inpt=execution["input"],
            start_time=execution["startTime"],
        ),
        StateMachineDetails(
            arn=execution["machineArn"], name="Machine", typ=execution["type"], definition=execution["definition"]
        ),
    )
    worker = SyncExecutionWorker(details, Ended(), None, {})
    worker.start()
    # The branches may add events after the end.
    events = worker.env.event_manager.get_event_history()
    ends = [event for event in events if event["type"] in ("ExecutionSucceeded", "ExecutionFailed", "ExecutionTimedOut")]
    if len(ends) != 1:
        raise RuntimeError(f"an execution must end once, got {ends}")
    if ends[0]["type"] == "ExecutionSucceeded":
        output = json.loads(ends[0]["executionSucceededEventDetails"]["output"])
        return {"status": "SUCCEEDED", "output": output, "calls": calls}
    if ends[0]["type"] == "ExecutionTimedOut":
        return {"status": "TIMED_OUT", "calls": calls}
    failed = ends[0]["executionFailedEventDetails"]
    return {"status": "FAILED", "error": failed.get("error", ""), "cause": failed.get("cause", ""), "calls": calls}


logging.disable(logging.CRITICAL)
retrier_decl.time = NoWait
jsonata._JSONataJVMBridge.__init__ = start_jvm
lambda_eval_utils.execute_lambda_function_integration = execute
results = [run(execution) for execution in json.load(sys.stdin)]
# The packages write to standard output while they load.
sys.stdout.write("\n" + json.dumps(results, default=str) + "\n")
