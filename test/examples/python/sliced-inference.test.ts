/** The Python caller against the local cloud over TLS, which it finds through the environment alone. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import type { Stack } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { variables } from '../../../bin/local-cloud/variables';
import { writeTensorFile } from '../../../bin/tensor-files';
import type { SlicedInferencePipeline, SlicedInferencePipelineProps } from '../../../lib';
import { Consolidation, Slicing } from '../../../lib';
import type { LocalCloud } from '../../../local';
import { endless, pickyAboutColumns } from '../../support/command-models';
import { start, synthesize } from '../../support/deployed-pipeline';
import { FLOAT, mlp, node, saveModel, temporaryFolder, value } from '../../support/model-builder';
import type { ModelInit } from '../../support/model-builder';
import { hasPackages, runPython } from '../../support/python';
import { casesOf, EXAMPLE, resultsOf, type Results } from '../../support/python-cases';
import { float32 } from '../../support/tensors';

/** ONNX's numbers of the element types, in the order in which `cases.py` lists them. */
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

type Build = (stack: Stack) => Partial<SlicedInferencePipelineProps>;
type Use = (stack: Stack, pipeline: SlicedInferencePipeline) => void;

/** Adds a state machine named `Mine` that contains the pipeline. */
function addOwnMachine(stack: Stack, pipeline: SlicedInferencePipeline): void {
  new sfn.StateMachine(stack, OWN_MACHINE, {
    queryLanguage: sfn.QueryLanguage.JSONATA,
    stateMachineType: sfn.StateMachineType.EXPRESS,
    definitionBody: sfn.DefinitionBody.fromChainable(pipeline.asFragment(stack, 'Run')),
  });
}

const OWN_MACHINE = 'Mine';

const STANDARD: Build = () => ({
  slicing: Slicing.count(1),
  stateMachineType: sfn.StateMachineType.STANDARD,
});

/** A function with this body, which reads the variable `event`. */
function own(stack: Stack, id: string, body: string): lambda.Function {
  const folder = temporaryFolder();
  fs.writeFileSync(path.join(folder, 'index.js'), `exports.handler = async (event) => { ${body} };`);
  return new lambda.Function(stack, id, {
    code: lambda.Code.fromAsset(folder),
    handler: 'index.handler',
    runtime: lambda.Runtime.NODEJS_22_X,
    architecture: process.arch === 'arm64' ? lambda.Architecture.ARM_64 : lambda.Architecture.X86_64,
  });
}

const OWN_FUNCTIONS: Build = (stack) => ({
  slicing: Slicing.count(2),
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
});

/** By class of `cases.py`: what the pipeline is, and how it is built. Those that compute until they are stopped come last. */
const PIPELINES: Readonly<Record<string, readonly [model: () => ModelInit, build: Build, use?: Use]>> = {
  EveryType: [() => identities(Object.entries(TYPES)), () => ({ slicing: Slicing.count(3) })],
  Standard: [() => identities([['x', FLOAT]]), STANDARD],
  Picky: [() => pickyAboutColumns(4), () => ({ slicing: Slicing.count(2) })],
  OwnFunctions: [() => mlp(4), OWN_FUNCTIONS],
  OwnFunctionsStandard: [() => mlp(4), (stack) => ({ ...OWN_FUNCTIONS(stack), ...STANDARD(stack) })],
  OwnMachine: [() => identities([['x', FLOAT]]), () => ({ slicing: Slicing.count(1) }), addOwnMachine],
  EndlessStandard: [endless, STANDARD],
  EndlessExpress: [endless, () => ({ slicing: Slicing.count(1) })],
};

function deployed(model: ModelInit, build: Build, use?: Use): Promise<LocalCloud> {
  const assembly = synthesize(saveModel(model), build, use && { use });
  return start(assembly, use && { pipeline: OWN_MACHINE });
}

/** The variables through which a program finds a pipeline, or the state machine that contains it. */
function variablesOf(cloud: LocalCloud): Record<string, string> {
  return {
    ...variables(cloud, {}),
    STATE_MACHINE_ARN: cloud.stateMachine.stateMachineArn,
    BUCKET: cloud.pipeline.bucket,
  };
}

const hasPython = hasPackages('boto3', 'numpy', 'safetensors');

(hasPython ? test : test.skip)('the Python caller says whether the whole model served a run', async () => {
  const props = { slicing: Slicing.count(2), consolidation: Consolidation.ALWAYS };
  const cloud = await deployed(mlp(4), () => props);
  const cold = await resultsOf('cases', 'ColdConsolidated', variablesOf(cloud));
  await cloud.asynchronousCalls();
  const warm = await resultsOf('cases', 'WarmConsolidated', variablesOf(cloud));
  expect({ ...cold, ...warm }).toEqual({
    test_the_slices_serve_the_run: null,
    test_the_whole_model_serves_the_run: null,
  });
});

(hasPython ? test : test.skip)('the ten-line caller prints the class of each row', async () => {
  const caller = path.join(EXAMPLE, 'infer.py');
  expect(fs.readFileSync(caller, 'utf8').trimEnd().split('\n').length).toBeLessThanOrEqual(10);
  const graph = {
    node: [node('Neg', ['x'], ['scores']), node('Softmax', ['scores'], ['probabilities'])],
    input: [value('x', FLOAT, ['batch', 3])],
    output: [value('probabilities', FLOAT, ['batch', 3])],
  };
  const cloud = await deployed({ graph }, () => ({ slicing: Slicing.count(2) }));
  const env = { ...variablesOf(cloud), PYTHONPATH: EXAMPLE };
  const cwd = temporaryFolder();
  await writeTensorFile(path.join(cwd, 'x.npz'), new Map([['x', float32([2, 3], [0, 1, 2, 3, -1, 2])]]));
  expect(await runPython([caller], { cwd, env })).toBe('[0 1]\n');
});

describe.each(Object.entries(PIPELINES))('the Python caller of %s', (name, [model, build, use]) => {
  let results: Results;
  if (hasPython) {
    beforeAll(async () => {
      const cloud = await deployed(model(), build, use);
      results = await resultsOf('cases', name, variablesOf(cloud));
      // Executions that were left alone would compute beside the next tests.
      await cloud.close();
    });
  }

  (hasPython ? it : it.skip).each(casesOf('cases', name))('%s', (_, found) => {
    expect(results).toHaveProperty([found], null);
  });
});
