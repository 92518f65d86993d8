"""Starts MiniStack after filling the gaps between it and AWS that the stacks meet.

Each part fills one gap and names what AWS documents. All else is MiniStack 1.5.33 as it is. With END_WITH_STDIN, it ends
when its standard input does.
"""

import contextvars
import json
import os
import random
import signal
import sys
import threading

from ministack import app
from ministack.core import iam_actions, iam_evaluator, lambda_runtime
from ministack.core.responses import get_account_id, get_region
from ministack.services import lambda_svc, s3, sts
from ministack.services import stepfunctions as states
from ministack.services.cloudformation import provisioners


def patch(owner, name):
    """Replaces a function of a module or a table by the decorated one, which receives the original first."""

    def decorate(replacement):
        functions = owner if isinstance(owner, dict) else vars(owner)
        original = functions[name]
        functions[name] = lambda *args, **more: replacement(original, *args, **more)
        return replacement

    return decorate


# The signature of the root user is not checked, so its key must be a secret: functions run with the rights of whoever starts this program.
ROOT_KEY = os.environ.get("AWS_ACCESS_KEY_ID", "")
if len(ROOT_KEY) < 20:
    sys.exit("AWS_ACCESS_KEY_ID must be a secret key of 20 characters or more for the root user, got a shorter one")


def is_root(key):
    return key == ROOT_KEY


iam_evaluator.is_root_access_key = sts.is_root_access_key = is_root


# The error of a failed function has the name of what it threw, and a trace.
# https://docs.aws.amazon.com/lambda/latest/dg/nodejs-exceptions.html
REPORTED = "error: String(err.message || err)"
NAMED = "String(err.message || err), trace: String(err.stack || '').split('\\n') })"
NAMED = "error: JSON.stringify({ errorType: err.name || 'Error', errorMessage: " + NAMED
if lambda_runtime._NODEJS_WORKER_SCRIPT.count(REPORTED) != 1:
    sys.exit("MiniStack must report errors of functions as version 1.5.33 does, got another version: install that one")
lambda_runtime._NODEJS_WORKER_SCRIPT = lambda_runtime._NODEJS_WORKER_SCRIPT.replace(REPORTED, NAMED)


# The answer to a call has the id that the function gets with it.
# https://docs.aws.amazon.com/lambda/latest/dg/nodejs-context.html
call_ids = contextvars.ContextVar("call_ids")


class HeadersWithId(dict):
    """MiniStack updates the headers with an id of its own."""

    def update(self, more):
        super().update({**more, "x-amzn-requestid": self["x-amzn-requestid"]})


@patch(lambda_svc, "_invoke")
async def answer_with_the_id(original, *args, **more):
    ids = []
    call_ids.set(ids)
    status, headers, body = await original(*args, **more)
    return status, HeadersWithId({**headers, "x-amzn-requestid": ids[-1]}) if ids else headers, body


@patch(lambda_svc, "_execute_function_warm")
def name_the_error(original, *args):
    call_ids.get([]).append(args[2])
    result = original(*args)
    if result.get("error"):
        try:
            result["body"] = json.loads(result["body"]["errorMessage"])
        except ValueError:
            pass  # The function threw nothing: it took too long, or its process ended.
    return result


# A branch has variables of its own, and reads those of the states around it.
# https://docs.aws.amazon.com/step-functions/latest/dg/workflow-variables.html
@patch(states, "_run_sub_machine")
def run_in_a_scope(original, machine, start_at, value, execution, ctx):
    return original(machine, start_at, value, execution, {**ctx, "variables": dict(ctx["variables"])})


# A Parallel state in JSONata has Arguments, Output and Assign.
# https://docs.aws.amazon.com/step-functions/latest/dg/state-parallel.html
@patch(states, "_run_parallel_branches")
def run_branches(original, state, value, execution, ctx):
    if states._state_query_language(state, ctx) != "JSONata":
        return original(state, value, execution, ctx)
    results, following = original(state, states._apply_jsonata_arguments(state, value, ctx), execution, ctx)
    output = states._apply_jsonata_output(state, value, ctx, result=results, default=results)
    states._apply_state_assign(state, value, ctx, result=results)
    return output, following


# A Catch has the query language of its state.
# https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html
@patch(states, "_apply_catcher")
def catch_in_the_language(original, catcher, value, ctx, language, error):
    return original({**catcher, "QueryLanguage": language}, value, ctx, language, error)


# A retry waits at most MaxDelaySeconds, and a random part of that with full jitter.
# https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
@patch(states, "_find_matching_retrier")
def wait_as_declared(original, retriers, error, counts):
    retrier, index = original(retriers, error, counts)
    if retrier is None:
        return retrier, index
    seconds = retrier.get("IntervalSeconds", 1) * retrier.get("BackoffRate", 2) ** counts.get(index, 0)
    seconds = min(seconds, retrier.get("MaxDelaySeconds", seconds))
    if retrier.get("JitterStrategy") == "FULL":
        seconds = random.uniform(0, seconds)
    return {**retrier, "IntervalSeconds": seconds, "BackoffRate": 1}, index


# Threads register sessions beside each other, each of which looks for old ones.
SESSIONS = threading.Lock()


@patch(sts, "register_session")
def register_alone(original, *args):
    with SESSIONS:
        original(*args)


# A state machine calls functions as its role.
# https://docs.aws.amazon.com/step-functions/latest/dg/procedure-create-iam-role.html
machine_role = contextvars.ContextVar("machine_role")


@patch(states, "_run_execution")
def run_as_the_role(original, execution_arn):
    machine = states._executions[execution_arn]["stateMachineArn"]
    machine_role.set(states._state_machines.get(machine, {}).get("roleArn"))
    return original(execution_arn)


@patch(states, "_call_lambda")
def call_as_the_role(original, function, event):
    role, action = machine_role.get(), "lambda:InvokeFunction"
    arn = f"arn:aws:lambda:{get_region()}:{get_account_id()}:function:{role.rsplit('/', 1)[-1][:64]}"
    key = lambda_runtime.execution_credentials({"FunctionArn": arn, "Role": role})["AWS_ACCESS_KEY_ID"]
    if iam_evaluator.enforce(key, action, "lambda", get_region(), function, None) is not None:
        why = f"{role} is not authorized to perform: {action} on resource: {function}"
        raise states._ExecutionError("Lambda.AWSLambdaException", why)
    return original(function, event)


# A caller that names an alias needs a permission for that alias.
# https://docs.aws.amazon.com/lambda/latest/dg/lambda-api-permissions-ref.html
@patch(iam_actions, "extract_resource_arn")
def name_the_alias(original, service, method, path, headers, body, query, *args):
    arn = original(service, method, path, headers, body, query, *args)
    qualifier = query.get("Qualifier") if service == "lambda" else None
    qualifier = qualifier[0] if isinstance(qualifier, list) else qualifier
    return f"{arn}:{qualifier}" if qualifier and len(arn.split(":")) == 7 else arn


# A bucket has the tags of its template, for which the function looks that empties it, and is deleted only if it is empty.
# https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-s3-bucket.html
BUCKET = provisioners._RESOURCE_HANDLERS["AWS::S3::Bucket"]


@patch(BUCKET, "create")
def tag_the_bucket(original, logical_id, props, stack):
    name, attributes = original(logical_id, props, stack)
    s3._bucket_tags[name] = {tag["Key"]: tag["Value"] for tag in props.get("Tags", [])}
    return name, attributes


@patch(BUCKET, "delete")
def delete_if_empty(original, name, props):
    if s3._buckets.get(name, {}).get("objects"):
        raise ValueError("The bucket you tried to delete is not empty")
    return original(name, props)


# There is no network whose traffic is restricted.
provisioners._RESOURCE_HANDLERS["Custom::VpcRestrictDefaultSG"] = {
    "create": lambda logical_id, props, stack: (logical_id, {}),
    "delete": lambda physical_id, props: None,
}


# Lambda authenticates no caller of a URL whose type is NONE, so the header `authorization` is for the function alone.
# https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html
@patch(app, "_enforce_data_plane")
def open_the_url(original, *args, **more):
    if (more.get("service_context") or {}).get("lambda:FunctionUrlAuthType") == "NONE":
        return None
    return original(*args, **more)


def end_with_the_parent():
    sys.stdin.read()
    os.killpg(0, signal.SIGKILL)


if "END_WITH_STDIN" in os.environ:
    threading.Thread(target=end_with_the_parent, daemon=True).start()
# Root may listen on 443 too, which a second MiniStack could not.
app._port_is_bindable = lambda *_: False
app.main()
