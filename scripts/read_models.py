"""Reads ONNX files with tools other than ONNX Runtime.

Expects one path in each line of the standard input. Writes lines of JSON: first the versions of the tools, then for each path
the error of each tool, or null if the tool accepts the file.
"""

import importlib
import json
import sys

READERS = {
    "checker": ("onnx", lambda onnx, path: onnx.checker.check_model(path)),
    "openvino": ("openvino", lambda openvino, path: openvino.Core().read_model(path)),
}

tools = {}
for name, (package, read) in READERS.items():
    try:
        tools[name] = (importlib.import_module(package), read)
    except ImportError:
        pass  # The caller says which tools are missing.


def error_of(read, module, path):
    try:
        read(module, path)
    except Exception as error:  # Each tool has exceptions of its own; every one is a refusal.
        return str(error) or type(error).__name__
    return None


print(json.dumps({name: module.__version__ for name, (module, _) in tools.items()}), flush=True)
for line in sys.stdin:
    path = json.loads(line)
    print(json.dumps({name: error_of(read, module, path) for name, (module, read) in tools.items()}), flush=True)
