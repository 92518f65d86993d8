/** The files of an app in Python. */
import { elementCount } from '../../lambda/tensors/tensor';
import { DIGESTS } from '../../local/snapshot';
import type { AppModel } from './app-model';
import { inWords, otherConstruct } from './typescript';
import type { ExampleInput } from './example-inputs';
import { indented, listed, literal } from '../terminal/literals';

/** Their texts by name. @param version of this library */
export function pythonFiles(model: AppModel, version: string): Record<string, string> {
  const { module, stack } = model.names;
  return {
    'app.py': appFile(module, stack),
    [`${module}_stack.py`]: stackFile(model),
    'test_stack.py': testFile(module, stack),
    'call.py': callFile(model.inputs),
    'cdk.json': '{ "app": "python3 app.py" }\n',
    'requirements.txt': requirements(version),
  };
}

const NO_BANNER = `# Otherwise the import of aws_cdk prints a banner on Node.js 20.
os.environ.setdefault("JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION", "20")
`;

function appFile(module: string, stack: string): string {
  return `"""The CDK app: \`npx --yes aws-cdk synth\` cuts the model, \`npx --yes aws-cdk deploy\` deploys it."""

import os
import platform

${NO_BANNER}
import aws_cdk as cdk
from aws_cdk.aws_lambda import Architecture

from ${module}_stack import ${stack}Stack

app = cdk.App()
# The local cloud runs the functions on this machine, so the app takes its architecture.
is_arm = platform.machine() in ("arm64", "aarch64")
${stack}Stack(app, "${stack}", architecture=Architecture.ARM_64 if is_arm else Architecture.X86_64)
app.synth()
`;
}

function stackFile({ names: { stack }, path, pathComment, dimensions, construct }: AppModel): string {
  const sizes = Object.entries(dimensions).map(([name, size]) => `${literal(name)}: ${size}`);
  const lines = [
    '# The sizes of your requests. These are assumed: change them here and in call.py.',
    ...listed('dimensions={', sizes, '},'),
  ];
  return `"""The stack: the model as ${inWords(construct)}."""

from aws_cdk import CfnOutput, RemovalPolicy, Stack
from aws_cdk.aws_lambda import Architecture
import cdk_sliced_inference as inference
from constructs import Construct


class ${stack}Stack(Stack):
    def __init__(self, scope: Construct, construct_id: str, *, architecture: Architecture) -> None:
        super().__init__(scope, construct_id)
        # ${otherConstruct(construct)}
        self.model = inference.${construct}(
            self,
            "Model",
            model_path=${literal(path)},  # ${pathComment}
${indented(sizes.length === 0 ? [] : lines, 12)}            architecture=architecture,
            # \`cdk destroy\` deletes the bucket of results too, with all that is in it.
            removal_policy=RemovalPolicy.DESTROY,
            auto_delete_objects=True,
        )
        CfnOutput(self, "ModelArn", value=self.model.invoke_arn)
`;
}

function testFile(module: string, stack: string): string {
  return `"""Other weights pass this test; other cuts and other resources do not. To accept them, delete snapshot.json and run it again."""

import json
import os
import re
from pathlib import Path

${NO_BANNER}
import aws_cdk as cdk
from aws_cdk.assertions import Template
from aws_cdk.aws_lambda import Architecture

from ${module}_stack import ${stack}Stack

SNAPSHOT = Path(__file__).with_name("snapshot.json")
# What changes with the weights: SHA-256 digests, and the ends of some logical ids.
DIGESTS = re.compile(r"${DIGESTS.source}")


def test_stack_and_cuts_are_those_of_the_snapshot() -> None:
    # One architecture, so that the snapshot is the same on every machine.
    stack = ${stack}Stack(cdk.App(), "${stack}", architecture=Architecture.X86_64)
    template = Template.from_stack(stack).to_json()
    slices = json.loads(Path(stack.model.plan_path).read_text(encoding="utf-8"))["slices"]
    cuts = [{"nodes": cut["nodes"], "outputs": [output["name"] for output in cut["outputs"]]} for cut in slices]
    found = DIGESTS.sub("<digest>", json.dumps({"cuts": cuts, "template": template}, indent=2, sort_keys=True))
    if not SNAPSHOT.exists() and os.environ.get("CI") in (None, "", "false"):
        SNAPSHOT.write_text(found, encoding="utf-8")
    assert SNAPSHOT.read_text(encoding="utf-8") == found
`;
}

function callFile(inputs: readonly ExampleInput[]): string {
  const arrays = inputs.map((input) => `${literal(input.name)}: ${elements(input)},`);
  return `"""Calls the model with example values: replace them by yours. It runs in the local cloud and on AWS."""

import os
import sys

import numpy as np
from sliced_inference import InferenceError, SlicedInferenceClient

inputs = {
${indented(arrays, 4)}}

if "STATE_MACHINE_ARN" not in os.environ:
    sys.exit("STATE_MACHINE_ARN must be the ARN that the stack prints, got none: see README.md")
try:
    result = SlicedInferenceClient(os.environ["STATE_MACHINE_ARN"]).infer(inputs)
except (InferenceError, ValueError) as error:
    sys.exit(str(error))
for name, output in result.outputs.items():
    print(f"{name} {output.dtype}{list(output.shape)}:", *output.ravel()[:8])
`;
}

function elements({ dtype, shape, values }: ExampleInput): string {
  const sizes = `(${shape.join(', ')}${shape.length === 1 ? ',' : ''})`;
  const type = `np.${dtype}`;
  if (dtype === 'string') return `np.full(${sizes}, "text")`;
  if (values !== 'wave') return `np.${values}(${sizes}, dtype=${dtype === 'bool' ? 'bool' : type})`;
  return `np.sin(np.arange(${elementCount(shape)}, dtype=${type})).reshape(${sizes})`;
}

/** The packages are of one release, with the same contract between its parts. */
function requirements(version: string): string {
  return `aws-cdk-lib>=2.224.0,<3
cdk-sliced-inference==${version}
constructs>=10.0.0,<11
numpy
pytest
sliced-inference-client==${version}
`;
}
