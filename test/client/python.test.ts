/** The tests of the Python client. pytest runs them against pipelines in the local cloud over TLS, which the environment names. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import type { Stack } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { variables } from '../../bin/local-cloud/variables';
import {
  Consolidation,
  SlicedInferencePipeline,
  Slicing,
  type SlicedInferencePipelineProps,
} from '../../lib';
import { pickyAboutColumns } from '../support/command-models';
import { start, synthesize } from '../support/deployed-pipeline';
import { ROOT } from '../support/documents';
import {
  FLOAT,
  mlp,
  node,
  saveModel,
  temporaryFolder,
  value,
  type ModelInit,
} from '../support/model-builder';
import { hasPackages, PYTHON_CLIENT, PYTHON_CLIENT_PACKAGES, runPython } from '../support/python';

/** ONNX's numbers of the element types, in the order in which the client lists them. */
const TYPES: Readonly<Record<string, number>> = {
  ...{ float32: 1, float64: 11, float16: 10, int8: 3, int16: 5, int32: 6, int64: 7 },
  ...{ uint8: 2, uint16: 4, uint32: 12, uint64: 13, bool: 9, string: 8 },
};

/** Returns each of its inputs. */
function identities(inputs: readonly (readonly [name: string, type: number])[]): ModelInit {
  return {
    graph: {
      node: inputs.map(([name]) => node('Identity', [name], [`same ${name}`])),
      input: inputs.map(([name, type]) => value(name, type, ['n'])),
      output: inputs.map(([name, type]) => value(`same ${name}`, type, ['n'])),
    },
  };
}

/** A function with this body, which reads the variable `event`. */
function own(stack: Stack, id: string, body: string): lambda.Function {
  const folder = temporaryFolder();
  fs.writeFileSync(path.join(folder, 'index.js'), `exports.handler = async (event) => { ${body} };`);
  return new lambda.Function(stack, id, {
    code: lambda.Code.fromAsset(folder),
    handler: 'index.handler',
    runtime: lambda.Runtime.NODEJS_22_X,
    architecture: ARCHITECTURE,
  });
}

const ARCHITECTURE = process.arch === 'arm64' ? lambda.Architecture.ARM_64 : lambda.Architecture.X86_64;
const STANDARD = { slicing: Slicing.count(1), stateMachineType: sfn.StateMachineType.STANDARD };
const EXPRESS = { slicing: Slicing.count(1) };

/** A state machine that contains a pipeline. */
const OWN_MACHINE = 'Mine';

/** Adds the pipelines that the tests name, besides that of every type, and a state machine that contains one. */
function addPipelines(stack: Stack): void {
  const ownFunctions = {
    preprocess: own(
      stack,
      'Before',
      `if (event.text === 'throw') throw new TypeError('no such text');
       const data = Array.from({ length: 16 }, (_, at) => event.text.charCodeAt(at % event.text.length) / 256);
       return { version: 1, inputs: { tensors: { x: { dtype: 'float32', shape: [1, 16], data } } } };`,
    ),
    postprocess: own(
      stack,
      'After',
      `return { label: 'read', y: event.outputs.tensors.y, slices: event.timings.length };`,
    ),
  };
  const add = (
    id: string,
    model: ModelInit,
    props: Partial<SlicedInferencePipelineProps>,
  ): SlicedInferencePipeline =>
    new SlicedInferencePipeline(stack, id, {
      modelPath: saveModel(model),
      architecture: ARCHITECTURE,
      ...props,
    });
  const same = identities([['x', FLOAT]]);
  const inner = add('Inner', same, EXPRESS);
  new sfn.StateMachine(stack, OWN_MACHINE, {
    queryLanguage: sfn.QueryLanguage.JSONATA,
    stateMachineType: sfn.StateMachineType.EXPRESS,
    definitionBody: sfn.DefinitionBody.fromChainable(inner.asFragment(stack, 'Run')),
  });
  add('Standard', same, STANDARD);
  add('Picky', pickyAboutColumns(4), { slicing: Slicing.count(2) });
  add('Consolidated', mlp(4), { slicing: Slicing.count(2), consolidation: Consolidation.ALWAYS });
  add('OwnFunctions', mlp(4), { ...ownFunctions, slicing: Slicing.count(2) });
}

const hasPython = hasPackages(...PYTHON_CLIENT_PACKAGES, 'pytest');

(hasPython ? test : test.skip)('the Python client passes its tests', async () => {
  const assembly = synthesize(
    saveModel(identities(Object.entries(TYPES))),
    () => ({ slicing: Slicing.count(3) }),
    {
      use: addPipelines,
    },
  );
  const cloud = await start(assembly, { pipeline: OWN_MACHINE });
  const found = cloud.pipelines.map(({ stateMachineArn, bucket }) => {
    const id = /-(\w+)StateMachine[0-9A-F]{8}$/.exec(stateMachineArn)?.[1];
    return [id === 'Pipeline' ? 'EveryType' : id, { arn: stateMachineArn, bucket }] as const;
  });
  const mine = { arn: cloud.stateMachine.stateMachineArn, bucket: '' };
  const env = {
    ...variables(cloud, {}),
    PIPELINES: JSON.stringify({ ...Object.fromEntries(found), [OWN_MACHINE]: mine }),
  };
  const output = await runPython(['-m', 'pytest', '-p', 'no:cacheprovider'], { cwd: PYTHON_CLIENT, env });
  expect(output).toMatch(/ \d+ passed in /);
  expect(output).not.toContain('skipped');
});

test('the Python client has the version and the licence of the package', () => {
  const source = fs.readFileSync(path.join(PYTHON_CLIENT, 'src/sliced_inference/__init__.py'), 'utf8');
  const project = fs.readFileSync(path.join(PYTHON_CLIENT, 'pyproject.toml'), 'utf8');
  const { version, license } = JSON.parse(fs.readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as Record<
    string,
    string
  >;
  expect(/^__version__ = "(.*)"$/m.exec(source)?.[1]).toBe(version);
  expect(/^license = "(.*)"$/m.exec(project)?.[1]).toBe(license);
});
