/** What `plan --compare` says of a deployment, beside what the templates and assets of two stacks with the same ids say. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { Stack } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import type { Comparison } from '../../../../bin/plan/compare/comparison';
import type { Deployment } from '../../../../bin/plan/compare/deployment';
import { ENV } from '../../../../contract/environment';
import {
  type SlicedInferencePipelineProps,
  Consolidation,
  GraphOptimization,
  Slicing,
  SlicedInferencePipeline,
  SlicedModel,
  TensorStore,
  WarmUp,
} from '../../../../lib';
import { type Properties, addPipeline, newApp } from '../../../support/pipeline-stack';
import { floats, mlp, saveModel, temporaryFolder } from '../../../support/model-builder';
import { succeed } from '../../../support/run-cli';

type Props = Partial<SlicedInferencePipelineProps>;

interface Resource {
  readonly Type: string;
  readonly Properties: Properties;
}

interface Deployed {
  readonly resources: Readonly<Record<string, Resource>>;
  /** By digest: bytes of the files that the stack uploads as they are. */
  readonly files: ReadonlyMap<string, number>;
}

function deployed(props: Props): Deployed {
  const app = newApp();
  const stack = new Stack(app, 'Stack');
  const { slicedModel } = props;
  if (slicedModel) new SlicedInferencePipeline(stack, 'Pipeline', { slicedModel });
  else addPipeline(stack, 'Pipeline', { modelPath: model, dimensions: { batch: 1 }, ...props });
  const { directory, stacks } = app.synth();
  const manifest = JSON.parse(fs.readFileSync(path.join(directory, 'Stack.assets.json'), 'utf8')) as {
    files: Record<string, { source: { path: string } }>;
  };
  const slices = Object.entries(manifest.files).filter(([, { source }]) =>
    /\.(onnx|weights)$/.test(source.path),
  );
  return {
    resources: (stacks[0].template as { Resources: Record<string, Resource> }).Resources,
    files: new Map(
      slices.map(([digest, { source }]) => [digest, fs.statSync(path.join(directory, source.path)).size]),
    ),
  };
}

const variable = ({ Properties: { Environment } }: Resource, name: string): unknown =>
  (Environment as { Variables: Properties }).Variables[name];

/** By id of the construct. */
function functionsOf({ resources }: Deployed): ReadonlyMap<string, Resource> {
  return new Map(
    Object.entries(resources).flatMap(([id, resource]) => {
      const name = /^Pipeline(slice\d+|whole)Function[0-9A-F]{8}$/.exec(id)?.[1];
      return name === undefined ? [] : [[name.replace('slice', 'slice-'), resource] as const];
    }),
  );
}

function machineOf({ resources }: Deployed): Resource | undefined {
  return Object.values(resources).find(({ Type }) => Type === 'AWS::StepFunctions::StateMachine');
}

/** What CloudFormation does with B's template and CDK with B's assets, when A is deployed. */
function expected(
  a: Deployed,
  b: Deployed,
): Omit<Deployment, 'mayFailRuns' | 'functions'> & { functions: unknown } {
  const [before, after] = [functionsOf(a), functionsOf(b)];
  const added = [...b.files].filter(([digest]) => !a.files.has(digest));
  const functions = [...new Set([...before.keys(), ...after.keys()])].sort().map((id) => {
    const [own, next] = [before.get(id), after.get(id)];
    const isSame = JSON.stringify(own) === JSON.stringify(next);
    const uris = [own, next].map((fn) => fn && [variable(fn, ENV.modelUri), variable(fn, ENV.weightsUri)]);
    const uploads = added.filter(([digest]) => JSON.stringify(uris[1] ?? []).includes(digest));
    return {
      id,
      change: !own ? 'added' : !next ? 'removed' : isSame ? 'unchanged' : 'updated',
      hasNewFiles:
        own !== undefined && next !== undefined && JSON.stringify(uris[0]) !== JSON.stringify(uris[1]),
      uploadBytes: uploads.reduce((sum, [, bytes]) => sum + bytes, 0),
      memory: [own, next].map((fn) => fn?.Properties.MemorySize),
    };
  });
  const [machine, next] = [machineOf(a), machineOf(b)];
  const isSame = JSON.stringify(machine) === JSON.stringify(next);
  const hasSameType = machine?.Properties.StateMachineType === next?.Properties.StateMachineType;
  const codeOf = (fns: ReadonlyMap<string, Resource>): string =>
    JSON.stringify(fns.get('slice-00')?.Properties.Code);
  return {
    functions,
    uploadFiles: added.length,
    uploadBytes: added.reduce((sum, [, bytes]) => sum + bytes, 0),
    keptFiles: b.files.size - added.length,
    hasNewCode: codeOf(before) !== codeOf(after),
    stateMachine: !hasSameType ? 'replaced' : isSame ? 'unchanged' : 'updated',
  };
}

function deploymentOf(printed: string): ReturnType<typeof expected> & Pick<Deployment, 'mayFailRuns'> {
  const { functions, ...deployment } = (JSON.parse(printed) as Comparison).differences.deployment;
  return {
    ...deployment,
    functions: functions.map(({ a, b, ...fn }) => ({ ...fn, memory: [a?.memoryMb, b?.memoryMb] })),
  };
}

/** Whether a policy of a slice that A has is gone: then its function may no longer do what runs of A need. */
function losesPermissions(a: Deployed, b: Deployed): boolean {
  return Object.keys(a.resources).some(
    (id) => /^Pipelineslice\d+RolePolicy/.test(id) && !(id in b.resources),
  );
}

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
const sliced = path.join(temporaryFolder(), 'slices');

it.each<[string, [Props, string[]], [Props, string[]]]>([
  ['more slices', [three, ['--slices', '3']], [{ slicing: Slicing.count(4) }, ['--slices', '4']]],
  ['fewer slices', [three, ['--slices', '3']], [{ slicing: Slicing.count(2) }, ['--slices', '2']]],
  [
    'another second cut',
    [{ slicing: Slicing.atTensors(['t0', 't2']) }, ['--at-tensors', 't0,t2']],
    [{ slicing: Slicing.atTensors(['t0', 't1']) }, ['--at-tensors', 't0,t1']],
  ],
  [
    'a Standard machine',
    [three, ['--slices', '3']],
    [{ ...three, stateMachineType: sfn.StateMachineType.STANDARD }, ['--state-machine', 'standard']],
  ],
  [
    'other processors',
    [three, ['--slices', '3']],
    [{ ...three, architecture: lambda.Architecture.ARM_64 }, ['--architecture', 'arm64']],
  ],
  ['no warm-ups', [three, ['--slices', '3']], [{ ...three, warmUp: WarmUp.NEVER }, ['--no-warm-up']]],
  [
    'tensors in S3',
    [three, ['--slices', '3']],
    [{ ...three, tensorsInState: false }, ['--no-tensors-in-state']],
  ],
  [
    'a function of the whole model',
    [three, ['--slices', '3']],
    [{ ...three, consolidation: Consolidation.ALWAYS }, ['--consolidation', 'always']],
  ],
  [
    'no function of the whole model, and other slices',
    [{ ...three, consolidation: Consolidation.ALWAYS }, ['--slices', '3', '--consolidation', 'always']],
    [{ slicing: Slicing.count(4) }, ['--slices', '4', '--consolidation', 'never']],
  ],
  [
    'S3 Express',
    [three, ['--slices', '3']],
    [{ ...three, tensorStore: TensorStore.s3ExpressOneZone('use1-az5') }, ['--tensor-store', 's3-express']],
  ],
  [
    'larger requests',
    [three, ['--slices', '3']],
    [{ ...three, dimensions: { batch: 400_000 } }, ['--dimension', 'batch=400000']],
  ],
  [
    'another optimization',
    [three, ['--slices', '3']],
    [{ ...three, graphOptimization: GraphOptimization.EXTENDED }, ['--optimize', 'extended']],
  ],
  [
    'another rate of requests',
    [three, ['--slices', '3']],
    [{ slicing: Slicing.count(3, { requestsPerHour: 60 }) }, ['--requests-per-hour', '60']],
  ],
  [
    'other weights',
    [three, ['--slices', '3', '--compare', retrained]],
    [{ ...three, modelPath: retrained }, ['--slices', '3']],
  ],
])('%s', async (_, [propsA, flagsA], [propsB, flagsB]) => {
  const [a, b] = [deployed(propsA), deployed(propsB)];
  const printed = await succeed([
    ...['plan', model, '--dimension', 'batch=1', ...flagsA, '--json', '--with', ...flagsB],
  ]);
  const { mayFailRuns, ...deployment } = deploymentOf(printed);
  expect(deployment).toEqual(expected(a, b));
  expect(mayFailRuns).toBe(deployment.stateMachine === 'replaced' || losesPermissions(a, b));
});

it('a plan file that is deployed, and the model', async () => {
  await succeed(['slice', model, '--dimension', 'batch=1', '--slices', '3', '--out', sliced]);
  const a = deployed({ slicedModel: SlicedModel.fromDirectory(sliced) });
  const file = path.join(sliced, 'plan.json');
  const printed = await succeed([
    'plan',
    file,
    '--compare',
    model,
    '--json',
    '--with',
    '--slices',
    '2',
    '--dimension',
    'batch=1',
  ]);
  const { mayFailRuns, ...deployment } = deploymentOf(printed);
  expect(deployment).toEqual(expected(a, deployed({ slicing: Slicing.count(2) })));
  expect(mayFailRuns).toBe(true);
});
