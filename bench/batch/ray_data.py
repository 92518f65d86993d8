"""Runs a model over items with Ray Data, and prints the milliseconds of processor time of all its processes.

    python ray_data.py MODEL INPUTS ITEMS

INPUTS is JSON: the tensors of an item, each with `dtype`, `shape` and `base64`.
"""

import base64
import ctypes
import json
import os
import resource
import subprocess
import sys
import tempfile

PR_SET_CHILD_SUBREAPER = 36
"""https://man7.org/linux/man-pages/man2/PR_SET_CHILD_SUBREAPER.2const.html"""


def measured(arguments: list[str]) -> float:
    """Ray's daemons become children of this process when their parents end, so that it can count their time."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    subprocess.run([sys.executable, __file__, *arguments, "run"], check=True, stdout=subprocess.DEVNULL)
    while True:
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            break
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return 1000 * (spent.ru_utime + spent.ru_stime)


def run(model: str, inputs: str, items: int) -> None:
    import numpy as np
    import onnxruntime
    import ray

    class Model:
        def __init__(self) -> None:
            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = options.inter_op_num_threads = 1
            self.session = onnxruntime.InferenceSession(model, options)
            self.names = [output.name for output in self.session.get_outputs()]

        def __call__(self, batch):
            rows = range(len(next(iter(batch.values()))))
            results = [self.session.run(self.names, {name: batch[name][row] for name in batch}) for row in rows]
            return {name: np.stack([result[at] for result in results]) for at, name in enumerate(self.names)}

    with open(inputs) as file:
        tensors = {
            name: np.frombuffer(base64.b64decode(tensor["base64"]), tensor["dtype"]).reshape(tensor["shape"])
            for name, tensor in json.load(file).items()
        }
    ray.init(num_cpus=2, include_dashboard=False, logging_level="ERROR")
    ray.data.DataContext.get_current().enable_progress_bars = False
    dataset = ray.data.from_items([tensors] * items)
    results = dataset.map_batches(Model, batch_size=32, compute=ray.data.ActorPoolStrategy(size=1))
    with tempfile.TemporaryDirectory() as folder:
        results.write_parquet(folder)
    ray.shutdown()


if __name__ == "__main__":
    if sys.argv[-1] == "run":
        run(sys.argv[1], sys.argv[2], int(sys.argv[3]))
    else:
        print(measured(sys.argv[1:4]))
