"""Calls pipelines by client/python: a request in each line of the standard input, and an answer for each.

Only environment variables say where the pipelines are, as for an application.
"""

import json
import sys

from sliced_inference import InferenceError, SlicedInferenceClient
from sliced_inference.tensors import decode_file, encode_file

clients = {}
for line in sys.stdin:
    request = json.loads(line)
    arn = request["stateMachineArn"]
    client = clients.setdefault(arn, SlicedInferenceClient(arn))
    try:
        if "json" in request:
            answer = {"output": client.invoke(request["json"]).output}
        else:
            with open(request["inputs"], "rb") as file:
                inputs = decode_file(file.read())
            result = client.infer(inputs, results=request["results"])
            with open(request["outputs"], "wb") as file:
                file.write(encode_file(result.outputs))
            answer = {"servedBy": result.served_by}
    except Exception as error:  # The caller goes on, and the check says what failed.
        name = error.name if isinstance(error, InferenceError) else type(error).__name__
        answer = {"error": f"{name}: {error}"}
    print(json.dumps(answer), flush=True)
