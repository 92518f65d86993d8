/** Calls of a function that cannot succeed, or not at once: what the caller is told. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { Duration } from 'aws-cdk-lib';
import { InferenceHandler, type InferenceFunctionProps } from '../../lib';
import { canMeasureMemory } from '../../local/lambda/memory-watch';
import { start } from '../support/deployed-pipeline';
import { functionAssembly, functionClient } from '../support/function-stack';
import { mlp, saveModel } from '../support/model-builder';
import { ownSession } from '../support/own-session';
import { temporaryFolder } from '../support/temporary-folder';

const MODEL = saveModel(mlp(4));
const x = Float32Array.from({ length: 16 }, (_, index) => index / 3);
const request = {
  version: 1,
  inputs: {
    tensors: { x: { dtype: 'float32', shape: [1, 16], base64: Buffer.from(x.buffer).toString('base64') } },
  },
};

async function started(props: Partial<InferenceFunctionProps>) {
  const cloud = await start(functionAssembly({ modelPath: MODEL, ...props }), {
    retryPauses: 0.01,
    timeouts: 1,
  });
  return { cloud, client: functionClient(cloud) };
}

/** Counts its calls in a file of the machine, because each sandbox ends. */
function counting(body: string) {
  const folder = temporaryFolder();
  const counted = path.join(temporaryFolder(), 'calls');
  const count = `require('fs').appendFileSync(${JSON.stringify(counted)}, '.');`;
  fs.writeFileSync(
    path.join(folder, 'index.js'),
    `exports.handler = async (event) => { ${count} ${body}; return event; };`,
  );
  return { preprocess: InferenceHandler.fromFolder(folder), calls: () => fs.readFileSync(counted).length };
}

test('a call of 6 MiB and one byte is refused before it is sent', async () => {
  const { client } = await started({});
  // With quotation marks.
  const text = (bytes: number) => 'a'.repeat(bytes - 2);
  await expect(client.invoke(text(6_291_457))).rejects.toThrow('at most 6291456 bytes');
  await expect(client.invoke(text(6_291_456))).rejects.toMatchObject({ name: 'InvalidInput' });
});

const endings: [end: string, body: string, name: string, props: Partial<InferenceFunctionProps>][] = [
  ['that ends', 'process.exit(3)', 'Runtime.ExitError', {}],
  ['without time', 'for (;;);', 'Sandbox.Timedout', { timeout: Duration.seconds(2) }],
];
if (canMeasureMemory())
  endings.push([
    'without memory',
    'globalThis.kept = Buffer.alloc(600 * 2 ** 20, 1); await new Promise((done) => setTimeout(done, 5000))',
    'Runtime.OutOfMemory',
    {},
  ]);

test.each(endings)('a sandbox %s is called three times', async (_, body, name, props) => {
  const { preprocess, calls } = counting(body);
  const { client } = await started({ preprocess, ...props });
  await expect(client.invoke(request)).rejects.toMatchObject({ name });
  expect(calls()).toBe(3);
});

test('calls above the reserved concurrency are made again until they are served', async () => {
  const { preprocess, calls } = counting('await new Promise((done) => setTimeout(done, 100))');
  const { client } = await started({ preprocess, reservedConcurrentExecutions: 1 });
  const results = await Promise.all(Array.from({ length: 4 }, () => client.invoke(request)));
  const y = await ownSession(MODEL, x);
  const base64 = Buffer.from(y.buffer, y.byteOffset, y.byteLength).toString('base64');
  for (const { output } of results) expect(output).toMatchObject({ outputs: { tensors: { y: { base64 } } } });
  expect(calls()).toBe(4);
});

test('results that fit into no answer are refused before anything is computed, if the request wants nothing else', async () => {
  const { client } = await started({});
  const rows = 120_000;
  const input = { x: { shape: [rows, 16], data: new Float32Array(rows * 16) } };
  await expect(client.infer(input, { results: 'inline' })).rejects.toMatchObject({
    name: 'InvalidInput',
    // Lambda answers with 6 MiB, some of which is not for tensors.
    message: expect.stringContaining('inline results must have at most 6283264 bytes as JSON') as string,
  });
});
