/** A function of a whole model in the local cloud: what callers send and get, beside a default session of ONNX Runtime. */
import type { InferenceFunctionProps } from '../../lib';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { start } from '../support/deployed-pipeline';
import { functionAssembly, functionClient } from '../support/function-stack';
import { MLP_PATH } from '../support/pipeline-stack';

async function startFunction(props: Partial<InferenceFunctionProps> = {}) {
  const cloud = await start(functionAssembly(props));
  return { cloud, client: functionClient(cloud) };
}

const X = Float32Array.from({ length: 16 }, (_, index) => Math.sin(index) * 3);

/** The bits of the user's own session, with as many threads as the function. */
async function ownSession(x = X, rows = 1): Promise<Float32Array> {
  const session = await InferenceSession.create(MLP_PATH, { intraOpNumThreads: 1 });
  const { y } = await session.run({ x: new Tensor('float32', x, [rows, 16]) });
  return (await y.getData()) as Float32Array;
}

test('answers small tensors in the call, with the bits of a default session and nothing in S3', async () => {
  const { cloud, client } = await startFunction();
  const result = await client.infer({ x: { shape: [1, 16], data: X } });
  expect(result.outputs.y.data).toEqual(await ownSession());
  expect(result.resultsObject).toBeUndefined();
  expect(result.executionArn).toMatch(/^arn:aws:lambda:us-east-1:000000000000:function:[\w-]+:[\w-]{36}$/);
  expect(result.run).toBe(result.executionArn.split(':').slice(-2).join('/'));
  expect(result.timings).toMatchObject([{ slice: 0, cold: true, bytesWritten: 0 }]);
  expect((await client.infer({ x: { shape: [1, 16], data: X } })).timings[0].cold).toBe(false);
  const { type, limits, signature } = await client.describe();
  expect([type, limits.requestBytes, limits.executionSeconds]).toEqual(['FUNCTION', 6_291_456, 900]);
  expect(signature).toEqual(cloud.pipeline.signature);
});

test('moves larger tensors through S3 both ways', async () => {
  const { client } = await startFunction();
  const rows = 120_000;
  const x = Float32Array.from({ length: 16 * rows }, (_, index) => index % 97);
  const { outputs, resultsObject } = await client.infer({ x: { shape: [rows, 16], data: x } });
  expect(resultsObject?.key).toMatch(/^outputs\//);
  expect(outputs.y.data).toEqual(await ownSession(x, rows));
});
