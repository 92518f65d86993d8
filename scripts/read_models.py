"""Reads ONNX files with tools other than ONNX Runtime.

Expects one path in each line of the standard input. Writes lines of JSON: first the versions of the tools, then for each path
the error of each tool, or null if the tool accepts the file.
"""

import json
import sys


def onnx_checker():
    import onnx

    return onnx.__version__, onnx.checker.check_model


def openvino_reader():
    import openvino

    return openvino.__version__, openvino.Core().read_model


def found(openers):
    tools = {}
    for name, open_tool in openers.items():
        try:
            tools[name] = open_tool()
        except ImportError:
            pass  # The caller says which tools are missing.
    return tools


def error_of(read, path):
    try:
        read(path)
    except Exception as error:  # Each tool has exceptions of its own; every one is a refusal.
        return str(error) or type(error).__name__
    return None


def main():
    tools = found({"checker": onnx_checker, "openvino": openvino_reader})
    print(json.dumps({name: version for name, (version, _) in tools.items()}), flush=True)
    for line in sys.stdin:
        path = json.loads(line)
        print(json.dumps({name: error_of(read, path) for name, (_, read) in tools.items()}), flush=True)


main()
