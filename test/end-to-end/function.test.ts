/** A function of a whole model in the local cloud: what callers send and get, beside a default session of ONNX Runtime. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { Stack } from 'aws-cdk-lib';
import { Architecture } from 'aws-cdk-lib/aws-lambda';
import { ownSession } from '../support/own-session';
import { BatchItems, InferenceHandler, SlicedInferenceBatch, type InferenceFunctionProps } from '../../lib';
import type { LocalCloudOptions } from '../../local';
import { outputOf, tableOf } from '../support/deployed-batch';
import { rows, start } from '../support/deployed-pipeline';
import { encodeSafetensors } from '../../lambda/tensors/safetensors';
import type { NumericTensor } from '../../lambda/tensors/tensor';
import { cases } from '../support/full-checks';
import { functionAssembly, functionClient } from '../support/function-stack';
import { mlp, saveModel } from '../support/model-builder';
import { temporaryFolder } from '../support/temporary-folder';

const { ARM_64, X86_64 } = Architecture;
const MODEL = saveModel(mlp(4));

async function startFunction(props: Partial<InferenceFunctionProps> = {}, options: LocalCloudOptions = {}) {
  const cloud = await start(functionAssembly({ modelPath: MODEL, ...props }), options);
  return { cloud, client: functionClient(cloud) };
}

const row = (seed: number) => Float32Array.from({ length: 16 }, (_, index) => Math.sin(index + seed) * 3);
const input = (seed: number) => ({ x: { shape: [1, 16], data: row(seed) } });

function source(name: string, text: string): string {
  const folder = temporaryFolder();
  fs.writeFileSync(path.join(folder, name), text);
  return folder;
}

test('answers small tensors in the call, with the bits of a default session and nothing in S3', async () => {
  const { cloud, client } = await startFunction();
  const result = await client.infer(input(0));
  expect(result.outputs.y.data).toEqual(await ownSession(MODEL, row(0)));
  expect(result.resultsObject).toBeUndefined();
  expect(result.executionArn).toMatch(/^arn:aws:lambda:us-east-1:000000000000:function:[\w-]+:[\w-]{36}$/);
  expect(result.run).toBe(result.executionArn.split(':').slice(-2).join('/'));
  expect(result.timings).toMatchObject([{ slice: 0, cold: true, bytesWritten: 0 }]);
  expect((await client.infer(input(0))).timings[0].cold).toBe(false);
  const { type, limits, signature } = await client.describe();
  expect([type, limits.requestBytes, limits.executionSeconds]).toEqual(['FUNCTION', 6_291_456, 900]);
  expect(signature).toEqual(cloud.pipeline.signature);
});

test('runs for the other architecture with the ONNX Runtime of this machine, and says so', async () => {
  const [other, name] =
    process.arch === 'arm64' ? ([X86_64, 'x86_64'] as const) : ([ARM_64, 'arm64'] as const);
  const { cloud, client } = await startFunction({ architecture: other });
  expect((await client.infer(input(0))).outputs.y.data).toEqual(await ownSession(MODEL, row(0)));
  expect(
    cloud.notices().filter((notice) => notice.startsWith(`functions for ${name} run with`)),
  ).toHaveLength(1);
});

test('callers of the alias cannot pose as the state machine of a batch', async () => {
  const { cloud, client } = await startFunction();
  const { deploymentDigest } = cloud.pipeline.signature;
  const event = { version: 1, deploymentDigest, run: 'a/b', request: { version: 1, inputs: {} } };
  await expect(client.invoke(event)).rejects.toMatchObject({
    ...{
      name: 'InvalidInput',
      message: expect.stringContaining("unknown field 'deploymentDigest'") as string,
    },
  });
});

test('with provisioned concurrency, the first call finds the model loaded', async () => {
  const { cloud, client } = await startFunction({ provisionedConcurrentExecutions: 1 });
  const { outputs, timings } = await client.infer(input(0));
  expect(outputs.y.data).toEqual(await ownSession(MODEL, row(0)));
  expect(timings).toMatchObject([{ cold: false, loadMs: 0 }]);
  const [[, log]] = [...cloud.logs()];
  const lines = log.split('\n').filter((line) => line.startsWith('{'));
  expect(lines.map((line) => JSON.parse(line) as object)).toMatchObject([
    { message: 'slice is warm', cold: true },
    { message: 'function is described' },
    { message: 'slice ran', cold: false },
  ]);
});

describe('modules of the user', () => {
  const logging = (name: string, fails = false) =>
    InferenceHandler.fromFolder(
      source(
        'index.js',
        `console.log('${name} is loaded'); ${fails ? `if (!globalThis.tried) { globalThis.tried = true; throw new RangeError('${name} is not ready'); }` : ''}
        exports.handler = (event) => event;`,
      ),
    );
  const request = {
    version: 1,
    inputs: {
      tensors: {
        x: { dtype: 'float32', shape: [1, 16], base64: Buffer.from(row(0).buffer).toString('base64') },
      },
    },
  };
  /** The lines of the log that the user's module and the function's messages write, in order. */
  const order = (log: string) =>
    [...log.matchAll(/(\w+ is loaded)\n|"message":"(slice is warm|slice ran)"/g)].map(
      ([, loaded, message]) => loaded || message,
    );

  test('with provisioned concurrency, load with the model before the first call', async () => {
    const { cloud, client } = await startFunction({
      ...{ provisionedConcurrentExecutions: 1, preprocess: logging('before'), postprocess: logging('after') },
    });
    await client.invoke(request);
    const [[, log]] = [...cloud.logs()];
    const messages = order(log);
    expect(messages.slice(0, 2).sort()).toEqual(['after is loaded', 'before is loaded']);
    expect(messages.slice(2)).toEqual(['slice is warm', 'slice ran']);
  });

  test('that fail to load before the first call load again in it', async () => {
    const { cloud, client } = await startFunction({
      ...{ provisionedConcurrentExecutions: 1, preprocess: logging('before', true) },
    });
    const { output } = await client.invoke(request);
    expect(Object.keys((output as { outputs: { tensors: object } }).outputs.tensors)).toEqual(['y']);
    const [[, log]] = [...cloud.logs()];
    expect(order(log)).toEqual(['before is loaded', 'slice is warm', 'before is loaded', 'slice ran']);
  });

  test('without provisioned concurrency, load in the first call', async () => {
    const { cloud, client } = await startFunction({ preprocess: logging('before') });
    await client.describe();
    const [[, described]] = [...cloud.logs()];
    expect(order(described)).toEqual([]);
    await client.invoke(request);
    const [[, log]] = [...cloud.logs()];
    expect(order(log)).toEqual(['before is loaded', 'slice ran']);
  });
});

test('a function of more than one vCPU, which hashes large weights in a second thread, has the bits of a session of two threads', async () => {
  const large = saveModel(mlp(4, 2000));
  const { client } = await startFunction({ modelPath: large, memorySize: 2048 });
  const x = Float32Array.from({ length: 2000 }, (_, index) => Math.cos(index));
  const { outputs, timings } = await client.infer({ x: { shape: [1, 2000], data: x } });
  expect(outputs.y.data).toEqual(await ownSession(large, x, 2000, 2));
  expect(timings).toMatchObject([{ cold: true }]);
});

test('moves larger tensors through S3 both ways', async () => {
  const { client } = await startFunction();
  const count = 120_000;
  const x = Float32Array.from({ length: 16 * count }, (_, index) => index % 97);
  const { outputs, resultsObject } = await client.infer({ x: { shape: [count, 16], data: x } });
  expect(resultsObject?.key).toMatch(/^outputs\//);
  expect(outputs.y.data).toEqual(await ownSession(MODEL, x));
});

test('calls at once have the results of their own requests', async () => {
  const { client } = await startFunction();
  const seeds = Array.from({ length: 24 }, (_, seed) => seed);
  const results = await Promise.all(seeds.map((seed) => client.infer(input(seed))));
  for (const seed of seeds) expect(results[seed].outputs.y.data).toEqual(await ownSession(MODEL, row(seed)));
  expect(new Set(results.map(({ run }) => run)).size).toBe(seeds.length);
});

describe('functions of the user inside the call', () => {
  const BEFORE = `
    import { preprocessHandler } from ${JSON.stringify(path.resolve('dist/bundle/client.mjs'))};
    export const before = preprocessHandler(({ numbers, width = 16 }: { numbers: number[]; width?: number }, context) => {
      if (numbers === undefined) throw new TypeError('no numbers');
      context.call.count = numbers.length;
      return { x: { shape: [numbers.length / width, width], data: Float32Array.from(numbers) } };
    });`;
  const AFTER = `
    export const after = async ({ outputs, run }, { call }) => ({ outputs, run, counted: call.count });`;
  const handlers = () => ({
    preprocess: InferenceHandler.fromFile(path.join(source('before.ts', BEFORE), 'before.ts'), 'before'),
    postprocess: InferenceHandler.fromFolder(source('index.mjs', AFTER), 'index.after'),
  });

  test('turn any event into a request, and the output into any answer, and share what they know of the call', async () => {
    const { client } = await startFunction(handlers());
    // More than an execution's input, and more than a request of a pipeline holds.
    const numbers = Array.from({ length: 16 * 9000 }, (_, index) => index % 31);
    const { output } = await client.invoke({ numbers });
    const { outputs, counted } = output as {
      outputs: { tensors: { y: { base64: string } } };
      counted: number;
    };
    const bytes = Buffer.from(outputs.tensors.y.base64, 'base64');
    const expected = await ownSession(MODEL, Float32Array.from(numbers));
    expect(bytes.equals(Buffer.from(expected.buffer, expected.byteOffset, expected.byteLength))).toBe(true);
    expect(counted).toBe(numbers.length);
    await expect(client.infer(input(0))).rejects.toThrow(
      'got one with a preprocess and a postprocess function: use invoke',
    );
  });

  test('fail with their names and their step', async () => {
    const { client } = await startFunction(handlers());
    await expect(client.invoke({})).rejects.toMatchObject({
      name: 'TypeError',
      step: 'preprocess',
      message: 'no numbers',
    });
    // The request is checked as without them.
    await expect(client.invoke({ numbers: [1], width: 1 })).rejects.toMatchObject({
      ...{ name: 'InvalidInput', slice: 0, expected: 'float32[batch,16]', got: 'float32[1,1]' },
    });
  });

  test('load again in the next call if they failed to load', async () => {
    const once = (name: string) => `
      const marker = path.join(os.tmpdir(), '${name}');
      if (!fs.existsSync(marker)) { fs.writeFileSync(marker, ''); throw new RangeError('${name} is not ready'); }`;
    const before = `const [fs, os, path] = ['fs', 'os', 'path'].map((name) => require(name)); ${once('before')}
      exports.handler = (event) => event;`;
    const after = `import fs from 'node:fs'; import os from 'node:os'; import path from 'node:path'; ${once('after')}
      export const handler = ({ outputs }) => Object.keys(outputs.tensors);`;
    const { client } = await startFunction({
      preprocess: InferenceHandler.fromFolder(source('index.js', before)),
      postprocess: InferenceHandler.fromFolder(source('index.mjs', after)),
    });
    const x = { dtype: 'float32', shape: [1, 16], base64: Buffer.from(row(0).buffer).toString('base64') };
    const request = { version: 1, inputs: { tensors: { x } } };
    const failure = (step: string, name: string) => ({
      name: 'RangeError',
      step,
      message: `${name} is not ready`,
    });
    await expect(client.invoke(request)).rejects.toMatchObject(failure('preprocess', 'before'));
    await expect(client.invoke(request)).rejects.toMatchObject(failure('postprocess', 'after'));
    expect((await client.invoke(request)).output).toEqual(['y']);
  });

  test('also run in a batch, whose results are those of ONNX Runtime', async () => {
    const before = `exports.handler = async ({ key }) => ({ version: 1, inputs: { s3: key.replace('docs', 'requests') } });`;
    const after = `exports.handler = async ({ outputs: { tensors: { y } } }) => ({ y: y.base64 });`;
    const cloud = await start(
      functionAssembly(
        {
          modelPath: MODEL,
          preprocess: InferenceHandler.fromFolder(source('index.js', before)),
          postprocess: InferenceHandler.fromFolder(source('index.js', after)),
        },
        (pipeline) => {
          const items = BatchItems.objects('inputs/docs/');
          new SlicedInferenceBatch(Stack.of(pipeline), 'Nightly', {
            pipeline,
            items,
            itemsPerRun: 1,
            maxConcurrency: 2,
          });
        },
      ),
      { pipeline: 'Nightly' },
    );
    for (const index of [0, 1, 2]) {
      await cloud.putObject(`inputs/docs/${index}`, Buffer.from('a document'));
      await cloud.putObject(`inputs/requests/${index}`, encodeSafetensors(rows(1, index + 1)));
    }
    const output = outputOf(await cloud.execute({}));
    expect(output.items).toMatchObject({ done: 3, failed: 0 });
    const table = await tableOf(cloud, output);
    expect(table).toHaveLength(3);
    for (const { index, result } of table) {
      const { key = '', entry = 0 } = result ?? {};
      const line = (await cloud.getObject(key)).toString('utf8').split('\n')[entry];
      const { output: answer } = JSON.parse(line) as { readonly output: { readonly y: string } };
      const { bytes } = rows(1, index + 1).get('x') as NumericTensor;
      const y = await ownSession(MODEL, new Float32Array(Uint8Array.from(bytes).buffer));
      expect(answer.y).toBe(Buffer.from(y.buffer, y.byteOffset, y.byteLength).toString('base64'));
    }
  });
});

const RUNS = cases(60, 300);
test(`${RUNS} runs under faults of S3, Lambda and the network have their own results`, async () => {
  const { cloud, client } = await startFunction({}, { retryPauses: 0.1 });
  await client.infer(input(0));
  const often = ['throttled', 'failing', 'lost-result', 'duplicate-delivery', 'killed-before-write'] as const;
  const others = [
    'killed-during-write',
    'killed-after-write',
    's3-503',
    's3-500',
    'reset',
    'flipped-bit',
  ] as const;
  const rates = Object.fromEntries([...often, ...others].map((kind) => [kind, 0.06]));
  cloud.injectFaults({ seed: 7, rates });
  const failures: string[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < RUNS) {
      const seed = next++;
      try {
        const { outputs } = await client.infer(input(seed), { results: seed % 2 === 0 ? 's3' : 'auto' });
        if (!isDeepStrictEqual(outputs.y.data, await ownSession(MODEL, row(seed))))
          failures.push(`${seed}: wrong`);
      } catch (error) {
        // After three calls, whose sandboxes were all killed.
        if ((error as Error).name !== 'Runtime.ExitError') failures.push(`${seed}: ${String(error)}`);
      }
    }
  };
  await Promise.all(Array.from({ length: 4 }, worker));
  expect(failures).toEqual([]);
  const struck = cloud.faults();
  for (const kind of often) expect([kind, struck.get(kind)]).not.toEqual([kind, 0]);
});
