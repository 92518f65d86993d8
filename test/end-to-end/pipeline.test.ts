/** Runs synthesized stacks in the local cloud and compares them with ONNX Runtime on the unsliced model. */
import { setImmediate as nextTick } from 'node:timers/promises';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import type { RawTensor } from '../../lambda/tensors/tensor';
import { Slicing, WarmUp } from '../../lib';
import { deploy, rows, runAsWhole, trace } from '../support/deployed-pipeline';
import {
  type ModelInit,
  BOOL,
  FLOAT,
  FLOAT16,
  attribute,
  floats,
  mlp,
  node,
  saveModel,
  value,
} from '../support/model-builder';
import { float32 } from '../support/tensors';

test('four slices return the same bits as the unsliced model, and load no weights in a warm run', async () => {
  const modelPath = saveModel(mlp(4));
  const cloud = await deploy(modelPath, { slicing: Slicing.count(4), dimensions: { batch: 8 } });
  await runAsWhole(cloud, modelPath, rows(8, 1));
  const { timings } = await runAsWhole(cloud, modelPath, rows(1, 2));
  expect(timings.map(({ slice, cold, loadMs }) => [slice, cold, loadMs])).toEqual(
    [0, 1, 2, 3].map((slice) => [slice, false, 0]),
  );
});

test.each<[string, WarmUp, string]>([
  ['a slice is retried', WarmUp.NEVER, 'Slice 01'],
  ['a warm-up is not retried', WarmUp.ALWAYS, 'Warm-up 01'],
])('%s after its worker is killed, and the run returns the same bits', async (_, warmUp, state) => {
  const modelPath = saveModel(mlp(3));
  const cloud = await deploy(modelPath, { slicing: Slicing.count(3), warmUp });
  trace.length = 0;
  const running = runAsWhole(cloud, modelPath, rows(4, 2));
  // The second slice's worker has its first call and is still loading.
  const secondSlice = () =>
    cloud.workers().find(({ busy, logicalId }) => busy && logicalId.includes('slice01'));
  let worker = secondSlice();
  while (worker === undefined) {
    await nextTick();
    worker = secondSlice();
  }
  process.kill(worker.pid, 'SIGKILL');
  await running;
  const failures = trace.filter((event) => event.type === 'TaskFailed');
  expect(failures).toMatchObject([{ state, error: 'Runtime.ExitError' }]);
});

describe('the state machine connects', () => {
  const x = value('x', FLOAT, ['n', 4]);
  const body = (operator: string, capture: string) => ({
    node: [node(operator, [capture], ['out'])],
    output: [value('out', FLOAT)],
  });
  const models: Record<string, ModelInit> = {
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
    flag: { dtype: 'bool', shape: [], bytes: new Uint8Array([0]) },
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
    const { input } = models[name].graph as { input: readonly { name: string }[] };
    await runAsWhole(cloud, modelPath, new Map(input.map((each) => [each.name, all[each.name]])));
  });
});
