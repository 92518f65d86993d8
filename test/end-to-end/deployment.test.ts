/** Deploys another model while executions run: each execution ends on the model with which it started. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { Duration } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { decodeInlineTensor, encodeInlineTensor } from '../../client';
import { Slicing, WarmUp } from '../../lib';
import { type ExecutionResult, type JsonObject, type LocalCloud, infer } from '../../local';
import { failed, rows, start, succeeded, synthesize } from '../support/deployed-pipeline';
import { mlp, retrained, saveModel, temporaryFolder } from '../support/model-builder';
import { differingOutputs, runWhole } from '../support/run-slices';
import { cases } from '../support/full-checks';

const RUNS = cases(40, 200);
const AT_A_TIME = 8;

const models = [mlp(4), retrained(mlp(4))].map((model) => saveModel(model));
const assemblies = models.map((model) =>
  synthesize(model, () => ({ slicing: Slicing.count(4), dimensions: { batch: 1 } })),
);

test(`each of ${RUNS} runs around a deployment succeeds and uses one of the two models`, async () => {
  const cloud = await start(assemblies[0]);
  const ranOn: (number | undefined)[] = [];
  const one = async (run: number): Promise<void> => {
    const inputs = rows(1, run + 1);
    const result = await infer(cloud, inputs);
    if (result.status !== 'SUCCEEDED') throw new Error(`${result.error}: ${result.cause}`);
    const expected = await Promise.all(models.map((model) => runWhole(model, inputs)));
    const model = expected.findIndex((outputs) => differingOutputs(result.outputs, outputs).length === 0);
    ranOn[run] = model < 0 ? undefined : model;
  };
  let started = 0;
  let deployment: Promise<void> | undefined;
  const worker = async (): Promise<void> => {
    while (started < RUNS) {
      // The other runs are in progress.
      if (started === RUNS / 2) deployment = cloud.deploy(assemblies[1]);
      await one(started++);
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, worker));
  await deployment;
  expect(ranOn.filter((model) => model === undefined)).toEqual([]);
  expect(ranOn).toHaveLength(RUNS);
  expect(new Set(ranOn)).toEqual(new Set([0, 1]));
  // A run that starts after the deployment uses the new model.
  await one(RUNS);
  expect(ranOn[RUNS]).toBe(1);
});

/** Waits until the file exists that the execution's input names, and returns the request. */
const WAIT = `exports.handler = async ({ marker, request }) => {
  while (!require('node:fs').existsSync(marker)) await new Promise((resolve) => setTimeout(resolve, 20));
  return request;
};`;

describe('a run that is in progress when a deployment has ended', () => {
  const folder = temporaryFolder();
  fs.writeFileSync(path.join(folder, 'index.js'), WAIT);
  const architecture = process.arch === 'arm64' ? lambda.Architecture.ARM_64 : lambda.Architecture.X86_64;
  const waiting = (model: string, slices: number, tensorsInState = true): string =>
    synthesize(model, (stack) => ({
      slicing: Slicing.count(slices),
      tensorsInState,
      dimensions: { batch: 1 },
      warmUp: WarmUp.NEVER,
      preprocess: new lambda.Function(stack, 'Wait', {
        code: lambda.Code.fromAsset(folder),
        handler: 'index.handler',
        runtime: lambda.Runtime.NODEJS_22_X,
        timeout: Duration.minutes(2),
        architecture,
      }),
    }));
  const inputs = rows(1, 3);
  const tensors = Object.fromEntries([...inputs].map(([name, tensor]) => [name, encodeInlineTensor(tensor)]));
  const request = { version: 1, inputs: { tensors } } as unknown as JsonObject;

  /** Starts a run, deploys the second assembly while the run waits before its first slice, and lets it continue. */
  async function runDuring(before: string, after: string, isWarm: boolean): Promise<ExecutionResult> {
    const cloud = await start(before);
    const marker = path.join(temporaryFolder(), 'continue');
    if (isWarm) succeeded(await cloud.execute({ marker: folder, request }));
    const running = cloud.execute({ marker, request });
    await cloud.deploy(after);
    fs.writeFileSync(marker, '');
    return await running;
  }

  const [old, other, fewer] = [waiting(models[0], 4), waiting(models[1], 4), waiting(models[1], 2)];

  test('ends on its model if its functions are warm', async () => {
    const { outputs } = succeeded(await runDuring(old, other, true));
    const y = decodeInlineTensor('y', outputs.tensors?.y ?? { dtype: 'float32', shape: [] });
    expect(y).toEqual((await runWhole(models[0], inputs)).get('y'));
  });

  test('fails with the file that a cold function may no longer read', async () => {
    const { error, cause } = failed(await runDuring(old, other, false));
    expect(error).toBe('SliceFailed');
    expect(cause).toMatchObject({
      slice: 0,
      message: expect.stringMatching(/is missing or not permitted: /) as string,
    });
  });

  test('fails with the object that a slice may no longer write, which is the last one of the new plan', async () => {
    const { error, cause } = failed(await runDuring(waiting(models[0], 4, false), fewer, true));
    expect(error).toBe('SliceFailed');
    expect(cause).toMatchObject({
      slice: 1,
      message: expect.stringMatching(
        /slice-01\.safetensors cannot be written: check the permissions/,
      ) as string,
    });
  });
});

describe('a deployment', () => {
  let cloud: LocalCloud;
  const versions = (): string[] =>
    [...new Set(cloud.workers().map(({ functionName, pid }) => `${functionName} ${pid}`))].sort();

  test('of the same assembly keeps the workers', async () => {
    cloud = await start(assemblies[0]);
    await infer(cloud, rows(1, 1));
    const before = versions();
    await cloud.deploy(assemblies[0]);
    await infer(cloud, rows(1, 2));
    expect(versions()).toEqual(before);
  });

  test('of another stack or of a folder without an assembly is refused', async () => {
    const props = { dimensions: { batch: 1 } };
    const other = synthesize(models[0], () => props, { stackName: 'Other' });
    await expect(cloud.deploy(other)).rejects.toThrow(
      /^the new assembly must have the state machine .*Test-.*, got .*Other-.*: start another local cloud for it$/,
    );
    await expect(cloud.deploy(__dirname)).rejects.toThrow('is not a cloud assembly');
  });
});
