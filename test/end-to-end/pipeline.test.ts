/** Runs synthesized stacks in the local cloud and compares them with ONNX Runtime on the unsliced model. */
import { setImmediate as nextTick } from 'node:timers/promises';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { decodeInlineTensor, encodeInlineTensor, type ExecutionOutput } from '../../client';
import { Session } from '../../lambda/slice/session';
import { typedView, type NumericTensor, type RawTensor } from '../../lambda/tensors/tensor';
import { Slicing, TensorStore, WarmUp } from '../../lib';
import { type LocalCloud, infer } from '../../local';
import { deploy, failed, rows, succeeded, trace } from '../support/deployed-pipeline';
import {
  type ModelInit,
  BOOL,
  FLOAT,
  FLOAT16,
  INT64,
  STRING,
  attribute,
  floats,
  mlp,
  node,
  saveModel,
  value,
} from '../support/model-builder';
import { runWhole } from '../support/run-slices';
import { float32 } from '../support/tensors';

describe('a pipeline of four slices', () => {
  const modelPath = saveModel(mlp(4));
  let cloud: LocalCloud;
  beforeAll(async () => {
    cloud = await deploy(modelPath, { slicing: Slicing.count(4), dimensions: { batch: 8 } });
  });

  test('returns the same bits as the unsliced model', async () => {
    const inputs = rows(8, 1);
    const result = await infer(cloud, inputs);
    expect(result).toMatchObject({ status: 'SUCCEEDED', outputs: await runWhole(modelPath, inputs) });
  });

  test('accepts and returns inline tensors', async () => {
    const inputs = rows(2, 3);
    const [x] = inputs.values();
    const tensors = { x: encodeInlineTensor(x) };
    const { outputs, timings } = succeeded(await cloud.execute({ version: 1, inputs: { tensors } } as never));
    const expected = await runWhole(modelPath, inputs);
    expect(decodeInlineTensor('y', outputs.tensors?.y ?? (x as never))).toEqual(expected.get('y'));
    expect(timings.map(({ slice }) => slice)).toEqual([0, 1, 2, 3]);
  });

  test('loads no weights in a warm run', async () => {
    await infer(cloud, rows(1, 1));
    const again = await infer(cloud, rows(1, 2));
    const timings = again.status === 'SUCCEEDED' ? again.execution.timings : [];
    expect(timings.map(({ cold, loadMs }) => [cold, loadMs])).toEqual(Array(4).fill([false, 0]));
  });

  test('keeps concurrent runs separate', async () => {
    const requests = Array.from({ length: 5 }, (_, index) => rows(1 + (index % 3), index + 1));
    const results = await Promise.all(requests.map((inputs) => infer(cloud, inputs)));
    for (const [index, inputs] of requests.entries()) {
      expect(results[index]).toMatchObject({
        status: 'SUCCEEDED',
        outputs: await runWhole(modelPath, inputs),
      });
    }
  });

  test.each([
    [{ version: 2, inputs: {} }, /version/],
    [{ version: 1, inputs: {} }, /inputs/],
    [{ version: 1, inputs: { s3: 'runs/other.safetensors' } }, /inputs\//],
    [{ version: 1, inputs: { s3: 'inputs/missing.safetensors' } }, /missing or not permitted/],
    [{ version: 1, inputs: { tensors: {} }, more: true }, /more/],
    [{ version: 1, inputs: { tensors: { z: { dtype: 'float32', shape: [1], data: [1] } } } }, /'x'|'z'/],
  ])('refuses %j', async (input, message) => {
    const { error, cause } = failed(await cloud.execute(input));
    expect(error).toBe('InvalidInput');
    expect(cause).toMatchObject({ slice: 0, message: expect.stringMatching(message) as string });
  });

  test('names the expected and the received type of an input', async () => {
    const tensors = { x: { dtype: 'int64', shape: [1, 3], data: [1, 2, 3] } };
    const { error, cause } = failed(await cloud.execute({ version: 1, inputs: { tensors } }));
    expect(error).toBe('InvalidInput');
    expect(cause).toMatchObject({ slice: 0, tensor: 'x', expected: 'float32[batch,16]', got: 'int64[1,3]' });
  });

  test('does not retry a refused request', async () => {
    trace.length = 0;
    await cloud.execute({ version: 1 });
    expect(trace.map(({ type }) => type)).not.toContain('TaskRetried');
  });
});

test.each<[string, WarmUp, string]>([
  ['a slice is retried', WarmUp.NEVER, 'Slice 01'],
  ['a warm-up is not retried', WarmUp.ALWAYS, 'Warm-up 01'],
])('%s after its worker is killed, and the run returns the same bits', async (_, warmUp, state) => {
  const modelPath = saveModel(mlp(3));
  const cloud = await deploy(modelPath, { slicing: Slicing.count(3), warmUp });
  const inputs = rows(4, 2);
  trace.length = 0;
  const running = infer(cloud, inputs);
  // The second slice's worker has its first call and is still loading.
  const secondSlice = () =>
    cloud.workers().find(({ busy, logicalId }) => busy && logicalId.includes('slice01'));
  let worker = secondSlice();
  while (worker === undefined) {
    await nextTick();
    worker = secondSlice();
  }
  process.kill(worker.pid, 'SIGKILL');
  expect(await running).toMatchObject({ status: 'SUCCEEDED', outputs: await runWhole(modelPath, inputs) });
  const failures = trace.filter((event) => event.type === 'TaskFailed');
  expect(failures).toMatchObject([{ state, error: 'Runtime.ExitError' }]);
});

test('tensors pass through a directory bucket of S3 Express One Zone, in a session of the SDK', async () => {
  const modelPath = saveModel(mlp(4));
  const cloud = await deploy(modelPath, {
    slicing: Slicing.count(3),
    tensorStore: TensorStore.s3ExpressOneZone('use1-az5'),
  });
  const inputs = rows(2, 5);
  const result = await infer(cloud, inputs);
  expect(result).toMatchObject({ status: 'SUCCEEDED', outputs: await runWhole(modelPath, inputs) });
  const { run } = (result as { execution: ExecutionOutput }).execution;
  await expect(cloud.getObject(`runs/${run}/slice-00.safetensors`)).rejects.toMatchObject({
    name: 'NoSuchKey',
  });
});

describe('tensors without elements', () => {
  // The last node has no elements if x is all zeros, and every node if x has no rows.
  const modelPath = saveModel({
    graph: {
      node: [
        node('Abs', ['x'], ['size']),
        node('NonZero', ['size'], ['places']),
        node('Cast', ['places'], ['shown'], [attribute.int('to', FLOAT)]),
        node('Neg', ['shown'], ['found']),
      ],
      input: [value('x', FLOAT, ['n', 4])],
      output: [
        value('found', FLOAT, [2, 'k']),
        value('size', FLOAT, ['n', 4]),
        value('places', INT64, [2, 'k']),
      ],
    },
  });
  const requests: Record<string, RawTensor> = {
    'a detector that finds nothing': float32([2, 4], new Array<number>(8).fill(0)),
    'a request without rows': float32([0, 4], []),
  };

  describe.each([false, true])('with float16Transport: %s', (float16Transport) => {
    let cloud: LocalCloud;
    beforeAll(async () => {
      cloud = await deploy(modelPath, { slicing: Slicing.count(3), float16Transport });
    });

    test.each(Object.keys(requests))('%s returns its results by S3', async (name) => {
      const inputs = new Map([['x', requests[name]]]);
      const outputs = await runWhole(modelPath, inputs);
      expect(outputs.get('found')?.shape).toEqual([2, 0]);
      expect(await infer(cloud, inputs)).toMatchObject({ status: 'SUCCEEDED', outputs });
    });

    test.each(Object.keys(requests))('%s returns its results inline', async (name) => {
      const expected = await runWhole(modelPath, new Map([['x', requests[name]]]));
      const { dtype, shape } = requests[name];
      const data = new Array<number>(shape[0] * 4).fill(0);
      for (const x of [encodeInlineTensor(requests[name]), { dtype, shape, data }]) {
        const { outputs } = succeeded(
          await cloud.execute({ version: 1, inputs: { tensors: { x } } } as never),
        );
        const tensors = Object.entries(outputs.tensors ?? {});
        expect(
          new Map(tensors.map(([output, tensor]) => [output, decodeInlineTensor(output, tensor)])),
        ).toEqual(expected);
      }
    });
  });
});

describe('float16 transport', () => {
  const modelPath = saveModel(mlp(4));
  const props = { slicing: Slicing.count(2), dimensions: { batch: 64 }, tensorsInState: false };
  const inputs = rows(64, 3);
  const elements = (tensors: ReadonlyMap<string, RawTensor>) =>
    [...typedView(tensors.get('y') as NumericTensor)] as number[];

  test('nearly halves the bytes between slices and changes results by less than 0.01', async () => {
    const exact = await infer(await deploy(modelPath, props), inputs);
    const halved = await infer(await deploy(modelPath, { ...props, float16Transport: true }), inputs);
    if (exact.status !== 'SUCCEEDED' || halved.status !== 'SUCCEEDED') throw new Error('a run failed');
    const [full, half] = [exact, halved].map(({ execution }) => execution.timings[0].bytesWritten);
    expect(half).toBeLessThan(0.6 * full);
    const expected = elements(await runWhole(modelPath, inputs));
    expect(elements(exact.outputs)).toEqual(expected);
    const got = elements(halved.outputs);
    expect(got).not.toEqual(expected);
    // Rounding errors of 2^-11 pass through two layers of bounded weights.
    const worst = Math.max(...got.map((value, index) => Math.abs(value - expected[index])));
    expect(worst).toBeLessThan(0.01);
    expect(halved.outputs.get('y')?.dtype).toBe('float32');
  });
});

describe('the state machine connects', () => {
  const x = value('x', FLOAT, ['n', 4]);
  const body = (operator: string, capture: string) => ({
    node: [node(operator, [capture], ['out'])],
    output: [value('out', FLOAT)],
  });
  const models: Record<string, ModelInit> = {
    'outputs of earlier slices, an input that is an output, and a late input': {
      graph: {
        node: [
          node('Abs', ['x'], ['early']),
          node('Neg', ['early'], ['middle']),
          node('Add', ['middle', 'late'], ['end']),
        ],
        input: [x, value('late', FLOAT, ['n', 4])],
        output: [value('end', FLOAT), value('early', FLOAT), value('x', FLOAT, ['n', 4])],
      },
    },
    'values that a later If captures, and slices that share a weight': {
      graph: {
        node: [
          node('Add', ['x', 'w'], ['a']),
          node('Mul', ['a', 'w'], ['b']),
          node(
            'If',
            ['flag'],
            ['end'],
            [
              attribute.graph('then_branch', body('Neg', 'a')),
              attribute.graph('else_branch', body('Exp', 'b')),
            ],
          ),
        ],
        initializer: [floats('w', [100, 4])],
        input: [value('x', FLOAT, [100, 4]), value('flag', BOOL, [])],
        output: [value('end', FLOAT)],
      },
    },
    'slices that pass strings': {
      graph: {
        node: [
          node('Identity', ['words'], ['same']),
          node('Identity', ['same'], ['end']),
          node('Abs', ['x'], ['y']),
        ],
        input: [value('words', STRING, ['n']), x],
        output: [value('end', STRING), value('y', FLOAT)],
      },
    },
    // Node.js has Float16Array from version 24 on, which ONNX Runtime 1.30.0 does not know.
    'slices with inputs and outputs of float16': {
      graph: {
        node: [
          node('Cast', ['halves'], ['a'], [attribute.int('to', FLOAT)]),
          node('Neg', ['a'], ['b']),
          node('Add', ['b', 'x'], ['c']),
          node('Cast', ['c'], ['end'], [attribute.int('to', FLOAT16)]),
        ],
        input: [value('halves', FLOAT16, ['n', 4]), x],
        output: [value('end', FLOAT16)],
      },
    },
  };
  const feeds: Record<string, RawTensor> = {
    // 1, -2, 65504 and the smallest subnormal number.
    halves: {
      dtype: 'float16',
      shape: [1, 4],
      bytes: new Uint8Array(Uint16Array.of(0x3c00, 0xc000, 0x7bff, 0x0001).buffer),
    },
    late: float32([1, 4], [1, 2, 3, 4]),
    flag: { dtype: 'bool', shape: [], bytes: new Uint8Array([0]) },
    words: { dtype: 'string', shape: [3], strings: ['ä', '', '日本'] },
  };

  test.each(Object.keys(models))('%s', async (name) => {
    const modelPath = saveModel(models[name]);
    const cloud = await deploy(modelPath, {
      slicing: Slicing.count(3),
      stateMachineType: sfn.StateMachineType.STANDARD,
    });
    const rowCount = name.includes('If') ? 100 : 1;
    const all: Record<string, RawTensor> = {
      ...feeds,
      x: float32(
        [rowCount, 4],
        Array.from({ length: rowCount * 4 }, (_, index) => index - 2),
      ),
    };
    const session = await Session.open({ path: modelPath, threads: 1 });
    const inputs = new Map(session.inputNames.map((input) => [input, all[input]]));
    expect(await infer(cloud, inputs)).toMatchObject({
      status: 'SUCCEEDED',
      outputs: await session.run(inputs, session.outputNames),
    });
  });
});
