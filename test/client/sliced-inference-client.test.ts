/** Calls pipelines in the local cloud with the client, over TLS and with the SDK's own settings otherwise. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { Duration } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import {
  InferenceError,
  type InferenceProgress,
  type SlicedInferenceClient,
  toNestedArray,
} from '../../client';
import type { RawTensor } from '../../lambda/tensors/tensor';
import { Slicing, WarmUp } from '../../lib';
import type { LocalCloud } from '../../local';
import { clientOf } from '../support/client-of-cloud';
import { deploy, rows, start, synthesize } from '../support/deployed-pipeline';
import {
  BOOL,
  FLOAT,
  FLOAT16,
  INT64,
  mlp,
  node,
  saveModel,
  STRING,
  temporaryFolder,
  value,
} from '../support/model-builder';
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

  it('describes the pipeline by its state machine alone', async () => {
    const { bucket, stateMachineArn, signature } = cloud.pipeline;
    expect(await model.describe()).toEqual({
      stateMachineArn,
      type: stateMachineType,
      bucket,
      signature,
      limits: {
        requestBytes: 255 * 1024,
        inlineResultBytes: 180 * 1024,
        executionInputBytes: 256 * 1024,
        executionSeconds: 300,
      },
    });
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

  it('ends the wait with the reason of the signal', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    const onProgress = () => {
      controller.abort(reason);
    };
    const call = model.infer(rows(1, 2), { signal: controller.signal, onProgress });
    await expect(call).rejects.toBe(reason);
    await expect(model.infer(rows(1, 2), { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });

  it('infers many inputs in order, with failures among them', async () => {
    const all = [];
    for await (const item of model.inferMany([rows(1, 1), { z: 1 }, rows(2, 5)], { concurrency: 2 }))
      all.push(item);
    expect(all.map(({ index, error }) => [index, error?.message])).toEqual([
      [0, undefined],
      [1, "the model has no input 'z': it takes 'x'"],
      [2, undefined],
    ]);
    const y = all[2].result?.outputs.y;
    expect(y && toNestedArray(y)).toEqual(toNestedArray(await expectedOutput(rows(2, 5))));
  });
});

describe('a call of a Standard pipeline', () => {
  it('stops the execution with stopOnAbort', async () => {
    const cloud = await deploy(chain, { dimensions: { batch: 1 }, stateMachineType: STANDARD });
    const controller = new AbortController();
    let executionArn = '';
    const call = clientOf(cloud).infer(rows(1, 1), {
      signal: controller.signal,
      stopOnAbort: true,
      onProgress: (progress) => {
        executionArn = progress.executionArn ?? '';
        controller.abort();
      },
    });
    await expect(call).rejects.toMatchObject({ name: 'AbortError' });
    const { DescribeExecutionCommand, SFNClient } = await import('@aws-sdk/client-sfn');
    const client = new SFNClient(cloud.stepFunctions);
    const { status, error } = await client.send(new DescribeExecutionCommand({ executionArn }));
    client.destroy();
    expect({ status, error }).toEqual({ status: 'ABORTED', error: 'ExecutionAborted' });
  });
});

describe('a call of an Express pipeline', () => {
  it('carries the slice, the cause and the execution of a failure', async () => {
    // The second slice cannot multiply these sizes.
    const graph = {
      node: [node('Relu', ['a'], ['p']), node('Relu', ['b'], ['q']), node('MatMul', ['p', 'q'], ['y'])],
      input: [value('a', FLOAT, ['n', 'm']), value('b', FLOAT, ['k', 'l'])],
      output: [value('y', FLOAT)],
    };
    const cloud = await deploy(saveModel({ graph }), { dimensions: { n: 2, m: 2, k: 2, l: 2 } });
    const failed = clientOf(cloud).infer({ a: [[1, 2]], b: [[1, 2]] });
    await expect(failed).rejects.toBeInstanceOf(InferenceError);
    await expect(failed).rejects.toMatchObject({
      name: 'SliceFailed',
      slice: 0,
      message: expect.stringContaining('MatMul') as string,
      cause: expect.stringMatching(/^\{"slice":0,"message":/) as string,
      executionArn: expect.stringContaining(':express:') as string,
    });
  });
});

describe('tensors of all kinds', () => {
  const kinds = Object.entries({ half: FLOAT16, text: STRING, flag: BOOL, big: INT64, 'a/b:0': FLOAT });

  it('keep their elements: scalars, empty tensors, strings, float16 and int64', async () => {
    const graph = {
      node: kinds.map(([name]) => node('Identity', [name], [`${name}_out`])),
      input: kinds.map(([name, dtype]) => value(name, dtype, name === 'big' ? [] : ['n', 2])),
      output: kinds.map(([name, dtype]) => value(`${name}_out`, dtype)),
    };
    const cloud = await deploy(saveModel({ graph }), { dimensions: { n: 1 } });
    const model = clientOf(cloud);
    for (const results of ['auto', 's3'] as const) {
      const inputs = {
        half: [[0.5, -2]],
        text: [['a', 'ä\u{1f600}']],
        flag: [],
        big: '-9223372036854775808',
      };
      const { outputs } = await model.infer({ ...inputs, 'a/b:0': [[1, 2]] }, { results });
      const nested = Object.entries(outputs).map(([name, tensor]) => [name, toNestedArray(tensor)]);
      expect(nested.sort()).toEqual([
        ['a/b:0_out', [[1, 2]]],
        ['big_out', -(2n ** 63n)],
        ['flag_out', []],
        ['half_out', [[0.5, -2]]],
        ['text_out', [['a', 'ä\u{1f600}']]],
      ]);
      expect(outputs.flag_out).toMatchObject({ dtype: 'bool', shape: [0, 2] });
      expect(outputs.big_out.data).toBeInstanceOf(BigInt64Array);
      expect(outputs.half_out.data).toEqual(Uint16Array.of(0x3800, 0xc000));
    }
  });
});

/** Waits until the file exists that the execution's input names, and returns the request. */
const WAIT = `exports.handler = async ({ marker, request }) => {
  while (!require('node:fs').existsSync(marker)) await new Promise((resolve) => setTimeout(resolve, 20));
  return request;
};`;

describe('a deployment during a run', () => {
  it('makes the client start the execution once more, on the new model', async () => {
    const folder = temporaryFolder();
    fs.writeFileSync(path.join(folder, 'index.js'), WAIT);
    const waiting = (layers: number): string =>
      synthesize(saveModel(mlp(layers)), (stack) => ({
        slicing: Slicing.count(2),
        dimensions: { batch: 1 },
        warmUp: WarmUp.NEVER,
        sliceFunctions: { provisionedConcurrentExecutions: 1 },
        preprocess: new lambda.Function(stack, 'Wait', {
          code: lambda.Code.fromAsset(folder),
          handler: 'index.handler',
          runtime: lambda.Runtime.NODEJS_22_X,
          timeout: Duration.minutes(2),
          architecture: process.arch === 'arm64' ? lambda.Architecture.ARM_64 : lambda.Architecture.X86_64,
        }),
      }));
    const cloud = await start(waiting(4));
    const next = waiting(5);
    const model = clientOf(cloud);
    await expect(model.infer({ x: [[1]] })).rejects.toThrow(
      'infer expects a pipeline that takes and returns tensors, got one with a preprocess function: use invoke',
    );
    const x = { dtype: 'float32', shape: [1, 16], data: Array(16).fill(1) };
    const marker = path.join(temporaryFolder(), 'continue');
    const events: string[] = [];
    let deployed: Promise<void> | undefined;
    const onProgress = ({ event }: InferenceProgress): void => {
      events.push(event);
      deployed ??= cloud.deploy(next).then(() => {
        fs.writeFileSync(marker, '');
      });
    };
    const { output } = await model.invoke(
      { marker, request: { version: 1, inputs: { tensors: { x } } } },
      { onProgress },
    );
    await deployed;
    expect(events).toEqual(['started', 'ended', 'restarted', 'started', 'ended']);
    expect(output).toMatchObject({ deploymentDigest: cloud.pipeline.signature.deploymentDigest });
  });
});
