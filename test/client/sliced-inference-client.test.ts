/** Calls pipelines in the local cloud with the client, over TLS and with the SDK's own settings otherwise. */
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { type InferenceProgress, type SlicedInferenceClient, toNestedArray } from '../../client';
import type { RawTensor } from '../../lambda/tensors/tensor';
import { Slicing } from '../../lib';
import type { LocalCloud } from '../../local';
import { clientOf } from '../support/client-of-cloud';
import { deploy, rows } from '../support/deployed-pipeline';
import { mlp, saveModel } from '../support/model-builder';
import { runWhole } from '../support/run-slices';

const { EXPRESS, STANDARD } = sfn.StateMachineType;
const chain = saveModel(mlp(4));
/** Above 255 KiB as base64. */
const LARGE = 4096;

async function expectedOutput(inputs: ReadonlyMap<string, RawTensor>): Promise<RawTensor> {
  const output = (await runWhole(chain, inputs)).get('y');
  if (output === undefined) throw new Error('the model has no output y');
  return output;
}

describe.each([EXPRESS, STANDARD])('the client of a pipeline of type %s', (stateMachineType) => {
  let cloud: LocalCloud;
  let model: SlicedInferenceClient;
  beforeAll(async () => {
    cloud = await deploy(chain, { slicing: Slicing.count(2), dimensions: { batch: 1 }, stateMachineType });
    model = clientOf(cloud);
  });

  it.each([
    ['inside the request and the output', 2, 'auto'],
    ['through S3 if the caller asks for it', 2, 's3'],
    ['only inside the output if the caller asks for it', 2, 'inline'],
    ['through S3 if they are large', LARGE, 'auto'],
  ] as const)('passes tensors %s', async (_title, count, results) => {
    const inputs = rows(count, count);
    const { outputs, ...rest } = await model.infer(inputs, { results });
    expect(toNestedArray(outputs.y)).toEqual(toNestedArray(await expectedOutput(inputs)));
    expect(rest).toMatchObject({
      executionArn: expect.stringContaining(
        stateMachineType === EXPRESS ? ':express:' : ':execution:',
      ) as string,
      deploymentDigest: cloud.pipeline.signature.deploymentDigest,
      timings: [{ slice: 0 }, { slice: 1 }],
    });
    expect(rest.resultsObject === undefined).toBe(results === 'inline');
    expect(rest.executionArn.split(':').slice(-2).join('/')).toBe(rest.run.split('/').slice(0, 2).join('/'));
  });

  it('refuses results inside the output that do not fit, and results in an unknown place', async () => {
    await expect(model.infer(rows(LARGE, 1), { results: 'inline' })).rejects.toMatchObject({
      name: 'InvalidInput',
      expected: 'at most 184320 bytes as JSON',
    });
    await expect(model.infer(rows(1, 1), { results: 'nowhere' as 'auto' })).rejects.toThrow(
      "option results must be 'auto', 's3' or 'inline', got a string of length 7",
    );
  });

  it('reports the progress of the execution', async () => {
    const events: InferenceProgress[] = [];
    await model.infer(rows(1, 1), { onProgress: (event) => events.push(event) });
    const states = ['Slice 00', 'Slice 01'].flatMap((state) => [
      `stateEntered ${state}`,
      `stateExited ${state}`,
    ]);
    expect(events.map(({ event, state }) => [event, state].filter(Boolean).join(' '))).toEqual([
      'started',
      ...(stateMachineType === STANDARD ? states : []),
      'ended',
    ]);
    expect(events.every(({ time }, index) => time >= (events[index - 1]?.time ?? 0))).toBe(true);
  });
});
