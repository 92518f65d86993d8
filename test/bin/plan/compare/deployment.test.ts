/** What `plan --compare` says of a deployment, beside the templates and the assets of two stacks. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { Stack } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import type { Comparison } from '../../../../bin/plan/compare/comparison';
import { ENV } from '../../../../contract/environment';
import {
  type SlicedInferencePipelineProps,
  Consolidation,
  GraphOptimization,
  SlicedInferencePipeline,
  SlicedModel,
  Slicing,
  TensorStore,
  WarmUp,
} from '../../../../lib';
import { sumOf } from '../../../../lib/extremes';
import { floats, mlp, saveModel } from '../../../support/model-builder';
import { type Properties, addPipeline, newApp } from '../../../support/pipeline-stack';
import { succeed } from '../../../support/run-cli';

type Props = Partial<SlicedInferencePipelineProps>;

/** Each layer has weights of its own, unlike those of `mlp`. */
function layers(seed: number): string {
  const { graph } = mlp(4);
  const initializer = (graph.initializer ?? []).map(({ name, dims }, tensor) => {
    const count = dims.reduce((product, dim) => product * dim, 1);
    return floats(
      name,
      dims,
      Array.from({ length: count }, (_, index) => Math.sin(seed + tensor + index)),
    );
  });
  return saveModel({ graph: { ...graph, initializer } });
}

const model = layers(0);
const retrained = layers(0.5);
const three: Props = { slicing: Slicing.count(3) };
const standard: Props = { ...three, stateMachineType: sfn.StateMachineType.STANDARD };
const inZone: Props = { ...three, tensorStore: TensorStore.s3ExpressOneZone('use1-az5') };
const consolidated: Props = { ...three, consolidation: Consolidation.ALWAYS };

interface Deployed {
  readonly resources: Readonly<Record<string, { readonly Type: string; readonly Properties: Properties }>>;
  /** The bytes of the files of slices, by the names of their assets. */
  readonly files: ReadonlyMap<string, number>;
}

function deployed(props: Props): Deployed {
  const app = newApp();
  const stack = new Stack(app, 'Stack');
  const { slicedModel } = props;
  if (slicedModel) new SlicedInferencePipeline(stack, 'Pipeline', { slicedModel });
  else addPipeline(stack, 'Pipeline', { modelPath: model, dimensions: { batch: 1 }, ...props });
  const { directory, stacks } = app.synth();
  const { files } = JSON.parse(fs.readFileSync(path.join(directory, 'Stack.assets.json'), 'utf8')) as {
    files: Record<string, { source: { path: string } }>;
  };
  const slices = Object.entries(files).filter(([, { source }]) => /\.(onnx|weights)$/.test(source.path));
  const bytes = (file: string): number => fs.statSync(path.join(directory, file)).size;
  return {
    resources: (stacks[0].template as { Resources: Deployed['resources'] }).Resources,
    files: new Map(slices.map(([name, { source }]) => [name, bytes(source.path)])),
  };
}

/** What CloudFormation does with the template of B, and CDK with its assets, if A is deployed. */
function expected(a: Deployed, b: Deployed) {
  const [before, after] = [a, b].map(({ resources }) => Object.entries(resources));
  const idOf = (logicalId: string): string | undefined =>
    /^Pipeline(slice\d+|whole)Function[0-9A-F]{8}$/.exec(logicalId)?.[1]?.replace('slice', 'slice-');
  const ids = [...before, ...after].map(([logicalId]) => idOf(logicalId)).filter((id) => id !== undefined);
  const added = [...b.files].filter(([name]) => !a.files.has(name));
  const bytesOf = (files: typeof added): number => sumOf(files.map(([, bytes]) => bytes));
  const same = (pair: readonly unknown[]): boolean => JSON.stringify(pair[0]) === JSON.stringify(pair[1]);
  const propertiesOf = (isIt: (id: string, type: string) => boolean) =>
    [before, after].map((list) => list.find(([id, { Type }]) => isIt(id, Type))?.[1].Properties);
  const functions = [...new Set(ids)].sort().map((id) => {
    const pair = propertiesOf((logicalId) => idOf(logicalId) === id);
    const { Variables = {} } = (pair[1]?.Environment ?? {}) as { Variables?: Properties };
    const uris = JSON.stringify([Variables[ENV.modelUri], Variables[ENV.weightsUri]]);
    return {
      id,
      change: !pair[0] ? 'added' : !pair[1] ? 'removed' : same(pair) ? 'unchanged' : 'updated',
      uploadBytes: bytesOf(added.filter(([name]) => uris.includes(name))),
      memory: pair.map((own) => own?.MemorySize),
    };
  });
  const machines = propertiesOf((_, type) => type === 'AWS::StepFunctions::StateMachine');
  const isReplaced = !same(machines.map((own) => own?.StateMachineType));
  const isPolicyGone = before.some(([id]) => /^Pipelineslice\d+RolePolicy/.test(id) && !(id in b.resources));
  return {
    functions,
    ...{ uploadFiles: added.length, uploadBytes: bytesOf(added) },
    hasNewCode: !same(propertiesOf((id) => idOf(id) !== undefined).map((own) => own?.Code)),
    stateMachine: isReplaced ? 'replaced' : same(machines) ? 'unchanged' : 'updated',
    mayFailRuns: isReplaced || isPolicyGone,
  };
}

async function printed(first: readonly string[], second: readonly string[]) {
  const all = ['plan', ...first, '--json', '--with', ...second];
  const { functions, ...deployment } = (JSON.parse(await succeed(all)) as Comparison).differences.deployment;
  return {
    ...deployment,
    functions: functions.map(({ a, b, ...fn }) => ({ ...fn, memory: [a?.memoryMb, b?.memoryMb] })),
  };
}

it.each<[string, string[], Props, string[]?, Props?]>([
  ['more slices', ['--slices', '4'], { slicing: Slicing.count(4) }],
  ['fewer slices', ['--slices', '2'], { slicing: Slicing.count(2) }],
  ['another second cut', ['--at-tensors', 'm1,t2'], { slicing: Slicing.atTensors(['m1', 't2']) }],
  ['Standard', ['--state-machine', 'standard'], standard],
  ['processors', ['--architecture', 'arm64'], { ...three, architecture: lambda.Architecture.ARM_64 }],
  ['no warm-ups', ['--no-warm-up'], { ...three, warmUp: WarmUp.NEVER }],
  ['tensors in S3', ['--no-tensors-in-state'], { ...three, tensorsInState: false }],
  ['the whole model', ['--consolidation', 'always'], consolidated],
  ['no whole model', ['--consolidation', 'never'], three, ['--consolidation', 'always'], consolidated],
  ['S3 Express', ['--tensor-store', 's3-express'], inZone],
  ['larger requests', ['--dimension', 'batch=400000'], { ...three, dimensions: { batch: 400_000 } }],
  ['optimization', ['--optimize', 'extended'], { ...three, graphOptimization: GraphOptimization.EXTENDED }],
  ['a rate', ['--requests-per-hour', '60'], { slicing: Slicing.count(3, { requestsPerHour: 60 }) }],
  ['other weights', ['--slices', '3'], { ...three, modelPath: retrained }, ['--compare', retrained]],
])('%s', async (_, flagsOfB, b, flagsOfA = [], a = three) => {
  const first = [model, '--dimension', 'batch=1', '--slices', '3', ...flagsOfA];
  expect(await printed(first, flagsOfB)).toEqual(expected(deployed(a), deployed(b)));
});

it('a plan file, and its model in other slices', async () => {
  const sliced = path.join(path.dirname(model), 'slices');
  await succeed(['slice', model, '--dimension', 'batch=1', '--slices', '3', '--out', sliced]);
  const a = deployed({ slicedModel: SlicedModel.fromDirectory(sliced) });
  const first = [path.join(sliced, 'plan.json'), '--compare', model];
  expect(await printed(first, ['--slices', '2', '--dimension', 'batch=1'])).toEqual(
    expected(a, deployed({ slicing: Slicing.count(2) })),
  );
});
