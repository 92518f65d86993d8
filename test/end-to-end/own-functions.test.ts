/** Runs the user's own functions before and after the slices. Those of the package's helpers run in the examples. */
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { decodeInlineTensor, type InlineTensor } from '../../client';
import { Slicing } from '../../lib';
import type { LocalCloud } from '../../local';
import { clientOf } from '../support/client-of-cloud';
import { failed, start, succeeded, synthesize, userFunction } from '../support/deployed-pipeline';
import { mlp, saveModel } from '../support/model-builder';
import { runWhole } from '../support/run-slices';
import { float32 } from '../support/tensors';

const handler = (body: string): string => `exports.handler = async (event) => { ${body} };`;

const PREPROCESS = handler(`
  if (event.text === 'throw') throw new TypeError('no such text');
  if (event.text === 'nothing') return;
  if (event.text === 'a list') return [];
  const data = Array.from({ length: 16 }, (_, at) => event.text.charCodeAt(at % event.text.length) / 256);
  return { version: 1, inputs: { tensors: { x: { dtype: 'float32', shape: [1, 16], data } } } };`);

const POSTPROCESS = handler(`return { y: event.outputs.tensors.y, slices: event.timings.length };`);

const model = saveModel(mlp(4));
const props = { slicing: Slicing.count(2), dimensions: { batch: 1 } };

describe('preprocess and postprocess', () => {
  let cloud: LocalCloud;
  beforeAll(async () => {
    cloud = await start(
      synthesize(model, (stack) => ({
        ...props,
        preprocess: userFunction(stack, 'Before', PREPROCESS),
        postprocess: userFunction(stack, 'After', POSTPROCESS),
      })),
    );
  });

  test('turn any input into a request, and the results into any output', async () => {
    const output = succeeded(await cloud.execute({ text: 'a line of text' })) as unknown as {
      y: InlineTensor;
      slices: number;
    };
    const x = Array.from({ length: 16 }, (_, at) => 'a line of text'.charCodeAt(at % 14) / 256);
    const expected = await runWhole(model, new Map([['x', float32([1, 16], x)]]));
    expect(decodeInlineTensor('y', output.y)).toEqual(expected.get('y'));
    expect(output.slices).toBe(2);
  });

  const noRequest = (got: string) => ({
    step: 'preprocess',
    message: expect.stringContaining(
      `the preprocess function must return a request, got ${got}: await its work, and return an object`,
    ) as string,
  });

  test.each<[text: string, error: string, cause: object]>([
    ['throw', 'TypeError', { step: 'preprocess', message: 'no such text' }],
    ['nothing', 'States.QueryEvaluationError', noRequest('null')],
    ['a list', 'States.QueryEvaluationError', noRequest('array')],
    // The request is checked as without them.
    ['', 'InvalidInput', { slice: 0 }],
  ])('fail the run for the text %j with %s', async (text, error, cause) => {
    expect(failed(await cloud.execute({ text }))).toMatchObject({ error, cause });
  });
});

test('preprocess works without postprocess, and is blamed by a Standard execution too', async () => {
  const cloud = await start(
    synthesize(model, (stack) => ({
      ...{ ...props, stateMachineType: sfn.StateMachineType.STANDARD },
      preprocess: userFunction(stack, 'Before', PREPROCESS),
    })),
  );
  await expect(clientOf(cloud).invoke({ text: 'nothing' })).rejects.toMatchObject({
    name: 'States.QueryEvaluationError',
    message: expect.stringContaining('preprocess function must return a request') as string,
  });
  const { outputs } = succeeded(await cloud.execute({ text: 'x' }));
  expect(Object.keys(outputs.tensors ?? {})).toEqual(['y']);
});
