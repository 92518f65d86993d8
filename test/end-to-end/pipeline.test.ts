/** Runs synthesized stacks in the local cloud and compares them with ONNX Runtime on the unsliced model. */
import { setImmediate as nextTick } from 'node:timers/promises';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Slicing, WarmUp } from '../../lib';
import { deploy, rows, runAsWhole, trace } from '../support/deployed-pipeline';
import { BOOL, FLOAT, attribute, floats, mlp, node, saveModel, value } from '../support/model-builder';
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

test('the state machine connects values that a later If captures, and slices that share a weight', async () => {
  const body = (operator: string, capture: string) => ({
    node: [node(operator, [capture], ['out'])],
    output: [value('out', FLOAT)],
  });
  const branches = [
    attribute.graph('then_branch', body('Neg', 'a')),
    attribute.graph('else_branch', body('Exp', 'b')),
  ];
  const modelPath = saveModel({
    graph: {
      node: [
        node('Add', ['x', 'w'], ['a']),
        node('Mul', ['a', 'w'], ['b']),
        node('If', ['flag'], ['end'], branches),
      ],
      initializer: [floats('w', [100, 4])],
      input: [value('x', FLOAT, [100, 4]), value('flag', BOOL, [])],
      output: [value('end', FLOAT)],
    },
  });
  const stateMachineType = sfn.StateMachineType.STANDARD;
  const cloud = await deploy(modelPath, { slicing: Slicing.count(3), stateMachineType });
  const x = float32(
    [100, 4],
    Array.from({ length: 400 }, (_, index) => index - 2),
  );
  const flag = { dtype: 'bool', shape: [], bytes: new Uint8Array([0]) } as const;
  await runAsWhole(cloud, modelPath, new Map(Object.entries({ x, flag })));
});
