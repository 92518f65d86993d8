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


@patch(lambda_svc, "_execute_function_warm")
def name_the_error(original, *args):
    result = original(*args)
    if result.get("error"):
        try:
            result["body"] = json.loads(result["body"]["errorMessage"])
        except ValueError:
            pass  # The function threw nothing: it took too long, or its process ended.
    return result


# A branch has variables of its own, and reads those of the states around it. A child of a distributed Map is an execution of its own.
# https://docs.aws.amazon.com/step-functions/latest/dg/workflow-variables.html
# https://docs.aws.amazon.com/step-functions/latest/dg/state-map-distributed.html
@patch(states, "_run_sub_machine")
def run_in_a_scope(original, machine, start_at, value, execution, ctx):
    if "mapRunArn" in execution:
        about = {"Id": execution["executionArn"], "Name": execution["name"], "StartTime": execution["startDate"]}
        ctx = {**ctx, "Execution": {**about, "Input": json.loads(execution["input"]), "RedriveCount": 0}}
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


def require(action, resource, error, context=None):
    """Fails the state with the error if the policies of the machine's role do not allow the action."""
    role = machine_role.get()
    arn = f"arn:aws:lambda:{get_region()}:{get_account_id()}:function:{role.rsplit('/', 1)[-1][:64]}"
    credentials = lambda_runtime.execution_credentials({"FunctionArn": arn, "Role": role})
    key, service = credentials["AWS_ACCESS_KEY_ID"], action.split(":")[0]
    if iam_evaluator.enforce(key, action, service, get_region(), resource, context) is not None:
        raise states._ExecutionError(error, f"{role} is not authorized to perform: {action} on resource: {resource}")


@patch(states, "_run_execution")
def run_as_the_role(original, execution_arn):
    machine = states._executions[execution_arn]["stateMachineArn"]
    machine_role.set(states._state_machines.get(machine, {}).get("roleArn"))
    return original(execution_arn)


@patch(states, "_call_lambda")
def call_as_the_role(original, function, event):
    require("lambda:InvokeFunction", function, "Lambda.AWSLambdaException")
    return original(function, event)


def children_of(run):
    return [each for each in states._executions.values() if each.get("mapRunArn") == run["mapRunArn"]]


# A distributed Map in JSONata lists objects as the role of its machine, fills ItemSelector for each, and hands them on in batches.
# https://docs.aws.amazon.com/step-functions/latest/dg/input-output-itembatcher.html
@patch(states, "_run_distributed_map")
def run_batches(original, state, value, effective, iterator, execution, ctx):
    def filled(template, **item):
        return states._apply_jsonata_template(template, value, {**ctx, "Map": {"Item": item}})

    ctx["Execution"]["RedriveCount"] = 0
    reader, batcher, place = state["ItemReader"], state["ItemBatcher"], filled(state["ItemReader"]["Arguments"])
    bucket = f"arn:aws:s3:::{place['Bucket']}"
    # https://docs.aws.amazon.com/step-functions/latest/dg/iam-policies-eg-dist-map.html
    require("states:StartExecution", execution["stateMachineArn"], "States.Permissions")
    require("s3:ListBucket", bucket, "States.ItemReaderFailed", {"s3:prefix": place["Prefix"]})
    listed = states._read_map_items({**reader, "Arguments": place}, value, ctx)
    items = [filled(state["ItemSelector"], Index=index, Value=item) for index, item in enumerate(listed)]
    execution["itemsOfMap"] = len(items)
    size, more = batcher["MaxItemsPerBatch"], filled(batcher["BatchInput"])
    batches = [{"Items": items[at : at + size], "BatchInput": more} for at in range(0, len(items), size)]
    own = {name: field for name, field in state.items() if name not in ("ItemReader", "ItemSelector")}
    original(own, value, batches, iterator, execution, ctx)
    run = [run for run in states._map_runs.values() if run["executionArn"] == execution["executionArn"]][-1]
    details = write_results(run, filled(state["ResultWriter"]["Arguments"]))
    return {"MapRunArn": run["mapRunArn"], "ResultWriterDetails": details}, states._next_or_end(state)


# The result of such a Map names a manifest in S3, beside which are the records of its children, by status.
# https://docs.aws.amazon.com/step-functions/latest/dg/input-output-resultwriter.html
RECORDED = "executionArn input name output startDate stateMachineArn status stopDate error cause".split()


def write_results(run, place):
    bucket, files = place["Bucket"], {"FAILED": [], "PENDING": [], "SUCCEEDED": []}

    def put(name, content):
        key, text = f"{place['Prefix']}/{run['mapRunArn'].split(':')[-1]}/{name}.json", json.dumps(content).encode()
        require("s3:PutObject", f"arn:aws:s3:::{bucket}/{key}", "States.ResultWriterFailed")
        s3._put_object(bucket, key, text, {})
        return {"Key": key, "Size": len(text)}

    for status, named in files.items():
        children = [child for child in children_of(run) if child["status"] == status]
        records = [{name[0].upper() + name[1:]: child[name] for name in RECORDED if child.get(name)} for child in children]
        named.extend([put(f"{status}_0", records)] if records else [])
    manifest = {"DestinationBucket": bucket, "MapRunArn": run["mapRunArn"], "ResultFiles": files}
    return {"Bucket": bucket, "Key": put("manifest", manifest)["Key"]}


# The items of a batch have the status of its child.
# https://docs.aws.amazon.com/step-functions/latest/apireference/API_MapRunItemCounts.html
@patch(states, "_map_run_view")
def count_items(original, run):
    counts = dict.fromkeys(run["itemCounts"], 0)
    for child in children_of(run):
        counts[child["status"].lower()] += len(json.loads(child["input"])["Items"])
    total = states._executions[run["executionArn"]]["itemsOfMap"]
    return {**original(run), "itemCounts": {**counts, "total": total, "pending": total - sum(counts.values())}}


# Policies name map runs.
# https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsstepfunctions.html
@patch(iam_actions, "extract_resource_arn")
def name_the_map_run(original, service, method, path, headers, body, *place):
    named = json.loads(body).get("mapRunArn") if service == "states" else None
    return named or original(service, method, path, headers, body, *place)


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


def end_with_the_parent():
    sys.stdin.read()
    os.killpg(0, signal.SIGKILL)


if "END_WITH_STDIN" in os.environ:
    threading.Thread(target=end_with_the_parent, daemon=True).start()
# Root may listen on 443 too, which a second MiniStack could not.
app._port_is_bindable = lambda *_: False
app.main()
