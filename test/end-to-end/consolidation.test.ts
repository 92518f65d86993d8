/** A pipeline with consolidation: its slices serve a cold model, and one function a warm one, with the same bits. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import type { Stack } from 'aws-cdk-lib';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { type ExecutionOutput, type RawTensor, encodeInlineTensor } from '../../client';
import { tensorNamed } from '../../lambda/tensors/tensor';
import { Consolidation, Slicing, WarmUp, type SlicedInferencePipelineProps } from '../../lib';
import { type Access, type LocalCloud, type LocalCloudOptions, infer } from '../../local';
import { clientOf } from '../support/client-of-cloud';
import { rows, start, succeeded, synthesize, trace } from '../support/deployed-pipeline';
import { type ModelInit, mlp, saveModel, temporaryFolder } from '../support/model-builder';
import { runWhole } from '../support/run-slices';
import { float32 } from '../support/tensors';
import { WIDTH, twoTowers } from '../support/towers';
import { fullTest } from '../support/full-checks';

const modelPath = saveModel(mlp(4));
const consolidated = {
  slicing: Slicing.count(4),
  consolidation: Consolidation.ALWAYS,
  dimensions: { batch: 2 },
};

function deployed(
  props: Partial<SlicedInferencePipelineProps> = {},
  options?: LocalCloudOptions,
): Promise<LocalCloud> {
  return start(
    synthesize(modelPath, () => ({ ...consolidated, ...props })),
    options,
  );
}

/** Runs the model, and fails unless the result has the bits of ONNX Runtime on the unsliced model. */
async function run(
  cloud: LocalCloud,
  inputs: Map<string, RawTensor>,
  model = modelPath,
): Promise<ExecutionOutput> {
  const result = await infer(cloud, inputs);
  if (result.status !== 'SUCCEEDED') throw new Error(`${result.error}: ${result.cause}`);
  expect(result.outputs).toEqual(await runWhole(model, inputs));
  return result.execution;
}

function entered(): string[] {
  return trace.flatMap((event) => (event.type === 'StateEntered' ? [event.state] : []));
}

/** The lines of the whole model's function. */
function wholeLines(cloud: LocalCloud): Record<string, unknown>[] {
  const [name] = [...cloud.logs().keys()].filter((fn) => fn.toLowerCase().includes('whole'));
  return (cloud.logs().get(name) ?? '')
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

describe.each<[string, Partial<SlicedInferencePipelineProps>]>([
  ['Express', {}],
  [
    'Standard and does not warm up',
    { stateMachineType: sfn.StateMachineType.STANDARD, warmUp: WarmUp.NEVER },
  ],
])('consolidation in a state machine that is %s', (_, props) => {
  test('serves the first run by the slices, and later ones by the whole model in one state, with the permissions that it has', async () => {
    const accesses: Access[] = [];
    const cloud = await deployed(props, { onAccess: (access) => accesses.push(access) });
    trace.length = 0;
    const first = await run(cloud, rows(2, 1));
    expect(first.servedBy).toBe('slices');
    expect(first.timings.map(({ slice }) => slice)).toEqual([0, 1, 2, 3]);
    expect(entered()).toEqual(expect.arrayContaining(['Ask whole model', 'Load whole model', 'Slice 03']));
    await cloud.asynchronousCalls();
    trace.length = 0;
    const second = await run(cloud, rows(2, 2));
    expect(second.servedBy).toBe('whole');
    expect(second.timings).toMatchObject([{ whole: true, cold: false, loadMs: 0 }]);
    expect(entered()).toEqual(['Ask whole model']);
    await cloud.asynchronousCalls();
    expect(accesses.filter(({ refusal }) => refusal !== undefined)).toEqual([]);
    const claims = accesses.filter(({ resource }) => resource.includes('/runs/loader-'));
    expect(new Set(claims.map(({ action }) => action))).toEqual(new Set(['s3:PutObject', 's3:GetObject']));
  });
});

test('branches load beside the whole model, and both ways return the same bits', async () => {
  const towers = saveModel({ graph: twoTowers() });
  const row = (seed: number) =>
    float32(
      [1, WIDTH],
      Array.from({ length: WIDTH }, (_, at) => Math.sin(at * seed + 1)),
    );
  const inputs = new Map([
    ['text', row(1)],
    ['image', row(2)],
  ]);
  const props = { slicing: Slicing.count(5), consolidation: Consolidation.ALWAYS, warmUp: WarmUp.NEVER };
  const cloud = await start(synthesize(towers, () => props));
  expect(await run(cloud, inputs, towers)).toMatchObject({ servedBy: 'slices', timings: { length: 5 } });
  await cloud.asynchronousCalls();
  expect(await run(cloud, inputs, towers)).toMatchObject({ servedBy: 'whole', timings: { length: 1 } });
});

test('the client says which way a run went', async () => {
  const cloud = await deployed();
  const client = clientOf(cloud);
  const inputs = { x: { shape: [2, 16], data: Float32Array.from({ length: 32 }, (_, at) => at / 32) } };
  const first = await client.infer(inputs);
  await cloud.asynchronousCalls();
  const second = await client.infer(inputs);
  expect([first.servedBy, second.servedBy]).toEqual(['slices', 'whole']);
  expect(second.outputs).toEqual(first.outputs);
  await client.close();
});

describe('a whole model that does not serve', () => {
  /** `NODE_OPTIONS` of the whole model's function, so that its Node.js loads this program first. */
  function disturbed(program: string): Promise<LocalCloud> {
    const file = path.join(temporaryFolder(), 'disturb.js');
    fs.writeFileSync(file, program);
    return deployed({
      sliceFunctionOverrides: { whole: { environment: { NODE_OPTIONS: `--require ${file}` } } },
    });
  }

  test('because it fails, fails no run', async () => {
    const cloud = await disturbed('process.exit(1)');
    for (const seed of [1, 2]) {
      expect((await run(cloud, rows(2, seed))).servedBy).toBe('slices');
      await cloud.asynchronousCalls();
    }
  });

  test('because its sandboxes die while they load, fails no run', async () => {
    const cloud = await disturbed(
      `const { promises } = require('node:fs');
       promises.readFile = () => process.exit(1);`,
    );
    for (const seed of [1, 2]) {
      expect((await run(cloud, rows(2, seed))).servedBy).toBe('slices');
      await cloud.asynchronousCalls();
    }
  });

  test('because it is throttled, fails no run', async () => {
    const cloud = await deployed({
      sliceFunctionOverrides: { whole: { reservedConcurrentExecutions: 1 } },
    });
    const outputs = await Promise.all([1, 2, 3, 4].map((seed) => run(cloud, rows(2, seed))));
    expect(outputs.map(({ servedBy }) => servedBy)).toEqual(Array(4).fill('slices'));
  });

  // Waits for ten seconds.
  fullTest('because it does not answer, fails no run', async () => {
    // The function's own timeout is a minute; the state waits for as long as a run should.
    const cloud = await disturbed(
      'setTimeout(() => undefined, 600_000); require("node:http").request = () => ({ on() {}, end() {}, write() {} });',
    );
    trace.length = 0;
    expect((await run(cloud, rows(2, 1))).servedBy).toBe('slices');
    expect(trace).toContainEqual(
      expect.objectContaining({ type: 'TaskFailed', state: 'Ask whole model', error: 'States.Timeout' }),
    );
  });
});

test.each<[string, Partial<SlicedInferencePipelineProps>]>([
  ['Express', {}],
  ['Standard', { stateMachineType: sfn.StateMachineType.STANDARD }],
])(
  'a request that does not fit fails in %s as it does in a slice, and starts none if the whole model is warm',
  async (_, props) => {
    const cloud = await deployed(props);
    const request = { version: 1, inputs: { tensors: { z: { dtype: 'float32', shape: [1], data: [1] } } } };
    const causes: unknown[] = [];
    for (const temperature of ['cold', 'warm']) {
      // A question that meets a load in progress would start one more sandbox, which is cold.
      if (temperature === 'warm') {
        await cloud.asynchronousCalls();
        await run(cloud, rows(2, 1));
      }
      await cloud.asynchronousCalls();
      trace.length = 0;
      const result = await cloud.execute(request);
      causes.push(result.status === 'SUCCEEDED' ? 'success' : [result.error, result.cause]);
    }
    expect(causes[0]).toEqual(['InvalidInput', expect.stringMatching(/\\?"slice\\?":0/)]);
    expect(causes[1]).toEqual(causes[0]);
    expect(entered()).toEqual(['Ask whole model', 'Failed']);
  },
);

test('five cold requests at once load one copy of the whole model', async () => {
  // 2 MB of weights at 1 MB/s: the five runs have asked long before the copy is loaded.
  const large = saveModel(wide(2));
  const network = { firstByteMs: 1, connectionBytesPerSecond: 1e6, functionBytesPerSecond: 1e6 };
  const cloud = await start(
    synthesize(large, () => ({ ...consolidated, slicing: Slicing.count(2) })),
    { simulation: { network } },
  );
  const inputs = (seed: number) => new Map([['x', float32([1, 512], Array(512).fill(seed / 10))]]);
  const outputs = await Promise.all(Array.from({ length: 5 }, (_, at) => run(cloud, inputs(at + 1), large)));
  await cloud.asynchronousCalls();
  expect(outputs.map(({ servedBy }) => servedBy)).toEqual(Array(5).fill('slices'));
  const loads = wholeLines(cloud).flatMap(({ loaded }) => (loaded === undefined ? [] : [loaded]));
  expect(loads).toHaveLength(5);
  expect(loads.filter((loaded) => loaded === 'now')).toHaveLength(1);
  expect((await run(cloud, inputs(6), large)).servedBy).toBe('whole');
});

/** A chain of products with weights of 1 MiB. */
function wide(layers: number): ModelInit {
  return mlp(layers, 512);
}

describe('in the user’s own state machine', () => {
  test('a fragment asks at each visit, and both ways lead to the next state', async () => {
    const assembly = synthesize(modelPath, () => consolidated, {
      use: (stack, pipeline) => {
        const wait = sfn.Pass.jsonata(stack, 'Between', {
          assign: { first: '{% $states.input %}' },
          outputs: '{% $states.context.Execution.Input %}',
        });
        const after = sfn.Pass.jsonata(stack, 'After', { outputs: '{% [$first, $states.input] %}' });
        new sfn.StateMachine(stack, 'Mine', {
          queryLanguage: sfn.QueryLanguage.JSONATA,
          stateMachineType: sfn.StateMachineType.EXPRESS,
          definitionBody: sfn.DefinitionBody.fromChainable(
            pipeline.asFragment(stack, 'One').next(wait).next(pipeline.asFragment(stack, 'Two')).next(after),
          ),
        });
      },
    });
    const cloud = await start(assembly, { pipeline: 'Mine' });
    const inputs = rows(2, 3);
    const [x] = inputs.values();
    const request = { version: 1, inputs: { tensors: { x: encodeInlineTensor(x) } } };
    const visit = async () =>
      succeeded(await cloud.execute(request as never)) as unknown as ExecutionOutput[];
    const expected = encodeInlineTensor(tensorNamed(await runWhole(modelPath, inputs), 'y'));
    const runs = [await visit()];
    expect(runs[0][0].servedBy).toBe('slices');
    const isWhole = (): boolean => runs[runs.length - 1].every(({ servedBy }) => servedBy === 'whole');
    // The second visit may have met a sandbox of its own beside the one that loads. Then each of the two loads the model once.
    while (!isWhole() && runs.length < 4) {
      await cloud.asynchronousCalls();
      runs.push(await visit());
    }
    expect(isWhole()).toBe(true);
    for (const { outputs } of runs.flat()) expect(outputs.tensors?.y).toEqual(expected);
  });

  test('functions before and after see both ways', async () => {
    const own = (stack: Stack, id: string, body: string): lambda.Function => {
      const folder = temporaryFolder();
      fs.writeFileSync(path.join(folder, 'index.js'), `exports.handler = async (event) => { ${body} };`);
      return new lambda.Function(stack, id, {
        code: lambda.Code.fromAsset(folder),
        handler: 'index.handler',
        runtime: lambda.Runtime.NODEJS_22_X,
        architecture: process.arch === 'arm64' ? lambda.Architecture.ARM_64 : lambda.Architecture.X86_64,
      });
    };
    const assembly = synthesize(modelPath, (stack) => ({
      ...consolidated,
      preprocess: own(
        stack,
        'Before',
        `return { version: 1, inputs: { tensors: { x: { dtype: 'float32', shape: [1, 16], data: Array(16).fill(event.value) } } } };`,
      ),
      postprocess: own(stack, 'After', 'return { servedBy: event.servedBy, y: event.outputs.tensors.y };'),
    }));
    const cloud = await start(assembly);
    const call = async (value: number) =>
      succeeded(await cloud.execute({ value })) as unknown as { servedBy: string; y: unknown };
    const expected = await runWhole(modelPath, new Map([['x', float32([1, 16], Array(16).fill(0.25))]]));
    const first = await call(0.25);
    await cloud.asynchronousCalls();
    const second = await call(0.25);
    expect([first.servedBy, second.servedBy]).toEqual(['slices', 'whole']);
    for (const { y } of [first, second]) expect(y).toEqual(encodeInlineTensor(tensorNamed(expected, 'y')));
  });
});
