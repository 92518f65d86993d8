/** Runs a pipeline as part of the user's own state machine. */
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { decodeInlineTensor, encodeInlineTensor, type InlineTensor } from '../../client';
import { Slicing } from '../../lib';
import type { LocalCloud } from '../../local';
import { rows, start, succeeded, synthesize, failed } from '../support/deployed-pipeline';
import { mlp, saveModel } from '../support/model-builder';
import { runWhole } from '../support/run-slices';

const model = saveModel(mlp(4));

/** Synthesizes a state machine that sends its request through a pipeline twice. */
function machineOfTwoVisits(): string {
  return synthesize(model, () => ({ slicing: Slicing.count(2), dimensions: { batch: 2 } }), {
    use: (stack, pipeline) => {
      const between = sfn.Pass.jsonata(stack, 'Between', {
        assign: { first: '{% $states.input %}' },
        outputs: '{% $states.context.Execution.Input %}',
      });
      const after = sfn.Pass.jsonata(stack, 'After', { outputs: '{% [$first, $states.input] %}' });
      new sfn.StateMachine(stack, 'Mine', {
        queryLanguage: sfn.QueryLanguage.JSONATA,
        stateMachineType: sfn.StateMachineType.EXPRESS,
        definitionBody: sfn.DefinitionBody.fromChainable(
          pipeline.asFragment(stack, 'One').next(between).next(pipeline.asFragment(stack, 'Two')).next(after),
        ),
      });
    },
  });
}

interface Visit {
  readonly run: string;
  readonly outputs: { readonly tensors: { readonly y: InlineTensor } };
  readonly timings: readonly { readonly cold: boolean }[];
}

let cloud: LocalCloud;
beforeAll(async () => {
  cloud = await start(machineOfTwoVisits(), { pipeline: 'MineC1B42D3A' });
});

test('each visit of the fragment is a separate run with the result of the unsliced model', async () => {
  const inputs = rows(2, 3);
  const [x] = inputs.values();
  const request = { version: 1, inputs: { tensors: { x: encodeInlineTensor(x) } } };
  const visits = succeeded(await cloud.execute(request as never)) as unknown as Visit[];
  const expected = (await runWhole(model, inputs)).get('y');
  expect(visits.map(({ outputs }) => decodeInlineTensor('y', outputs.tensors.y))).toEqual([
    expected,
    expected,
  ]);
  expect(new Set(visits.map(({ run }) => run)).size).toBe(2);
  expect(visits.map(({ timings }) => timings.map(({ cold }) => cold))).toEqual([
    [true, true],
    [false, false],
  ]);
});

test('a request that the pipeline refuses fails the execution', async () => {
  const { error, cause } = failed(await cloud.execute({ version: 1, inputs: { tensors: {} } }));
  expect(error).toBe('InvalidInput');
  expect(cause).toMatchObject({ slice: 0, message: expect.stringContaining("input 'x'") as string });
});
