"""Calls a pipeline from several threads, and prints how each call ended, for `calls-during-deployments.test.ts`."""

import base64
import concurrent.futures
import json
import os
import sys

import numpy as np
import sliced_inference

model = sliced_inference.SlicedInferenceClient(os.environ["STATE_MACHINE_ARN"])


def call(seed):
    events = []
    x = np.array([[(7 * at + 13 * seed) % 32 / 16 - 1 for at in range(16)]], dtype=np.float32)
    try:
        result = model.infer({"x": x}, on_progress=lambda progress: events.append(progress.event))
        ended = {
            "deploymentDigest": result.deployment_digest,
            "y": base64.b64encode(result.outputs["y"].tobytes()).decode(),
        }
    except sliced_inference.InferenceError as error:
        ended = {"error": str(error)}
    print(json.dumps({"seed": seed, **ended, "restarts": events.count("restarted")}), flush=True)


calls, at_a_time = map(int, sys.argv[1:])
with concurrent.futures.ThreadPoolExecutor(at_a_time) as executor:
    for ended in executor.map(call, range(calls)):
        pass
