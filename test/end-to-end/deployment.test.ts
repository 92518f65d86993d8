/** Deploys another model while executions run: each execution ends on the model with which it started. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { Duration } from 'aws-cdk-lib';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import { decodeInlineTensor } from '../../client';
import { Slicing, WarmUp } from '../../lib';
import { type ExecutionResult, type LocalCloud, infer } from '../../local';
import {
  failed,
  requestOf,
  rows,
  start,
  succeeded,
  synthesize,
  userFunction,
} from '../support/deployed-pipeline';
import { cases } from '../support/full-checks';
import { mlp, retrained, saveModel, temporaryFolder } from '../support/model-builder';
import { differingOutputs, runWhole } from '../support/run-slices';

const models = [mlp(4), retrained(mlp(4))].map((model) => saveModel(model));
const batch = { dimensions: { batch: 1 } };
const AT_A_TIME = 8;

/**
 * Runs the pipeline so many times, and deploys the second model in the middle, while other runs are in progress. Returns by run the index of
 * the model whose results it returned, or -1.
 */
async function runAround(cloud: LocalCloud, next: string, runs: number): Promise<number[]> {
  const ran: number[] = [];
  const one = async (run: number): Promise<void> => {
    const inputs = rows(1, run + 1);
    const result = await infer(cloud, inputs);
    if (result.status !== 'SUCCEEDED') throw new Error(`${result.error}: ${result.cause}`);
    const expected = await Promise.all(models.map((model) => runWhole(model, inputs)));
    ran[run] = expected.findIndex((outputs) => differingOutputs(result.outputs, outputs).length === 0);
  };
  let started = 0;
  let deployment: Promise<void> | undefined;
  const worker = async (): Promise<void> => {
    while (started < runs) {
      if (started === runs / 2) deployment = cloud.deploy(next);
      await one(started++);
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, worker));
  await deployment;
  // A run that starts after the deployment uses the new model.
  await one(runs);
  return ran;
}

const assemblies = models.map((model) => synthesize(model, () => ({ slicing: Slicing.count(4), ...batch })));

const RUNS = cases(40, 200);
test(`each of ${RUNS} runs around a deployment succeeds and uses one of the two models`, async () => {
  const ran = await runAround(await start(assemblies[0]), assemblies[1], RUNS);
  expect(ran).toHaveLength(RUNS + 1);
  expect(new Set(ran)).toEqual(new Set([0, 1]));
  expect(ran.at(-1)).toBe(1);
});

/** Waits until the file exists that the execution's input names, and returns the request. */
const WAIT = `exports.handler = async ({ marker, request }) => {
  while (!require('node:fs').existsSync(marker)) await new Promise((resolve) => setTimeout(resolve, 20));
  return request;
};`;

describe('a run that is in progress when a deployment has ended', () => {
  const waiting = (model: string, slices: number, tensorsInState = true): string =>
    synthesize(model, (stack) => {
      const preprocess = userFunction(stack, 'Wait', WAIT);
      (preprocess.node.defaultChild as lambda.CfnFunction).timeout = Duration.minutes(2).toSeconds();
      return { slicing: Slicing.count(slices), tensorsInState, ...batch, warmUp: WarmUp.NEVER, preprocess };
    });
  const inputs = rows(1, 3);
  const request = requestOf(inputs);

  /** Starts a run, deploys the second assembly while the run waits before its first slice, and lets it continue. */
  async function runDuring(before: string, after: string, isWarm: boolean): Promise<ExecutionResult> {
    const cloud = await start(before);
    const folder = temporaryFolder();
    const marker = path.join(folder, 'continue');
    if (isWarm) succeeded(await cloud.execute({ marker: folder, request }));
    const running = cloud.execute({ marker, request });
    await cloud.deploy(after);
    fs.writeFileSync(marker, '');
    return await running;
  }

  const [old, other] = models.map((model) => waiting(model, 4));

  test('ends on its model if its functions are warm', async () => {
    const { outputs } = succeeded(await runDuring(old, other, true));
    const y = decodeInlineTensor('y', outputs.tensors?.y ?? { dtype: 'float32', shape: [] });
    expect(y).toEqual((await runWhole(models[0], inputs)).get('y'));
  });

  test.each([
    [
      'the file that a cold function may no longer read',
      ...([other, true, false, 0] as const),
      /is missing or not permitted: /,
    ],
    [
      'the object that a slice may no longer write, which is the last one of the new plan',
      ...([waiting(models[1], 2), false, true, 1] as const),
      /slice-01\.safetensors cannot be written: check the permissions/,
    ],
  ])('fails with %s', async (_, after, tensorsInState, isWarm, slice, message) => {
    const before = tensorsInState ? old : waiting(models[0], 4, false);
    expect(failed(await runDuring(before, after, isWarm))).toMatchObject({
      error: 'SliceFailed',
      cause: { slice, message: expect.stringMatching(message) as string },
    });
  });
});

test('a deployment of the same assembly keeps the workers, and one of another stack is refused', async () => {
  const cloud = await start(assemblies[0]);
  const workers = async (seed: number): Promise<string[]> => {
    await infer(cloud, rows(1, seed));
    return [...new Set(cloud.workers().map(({ functionName, pid }) => `${functionName} ${pid}`))].sort();
  };
  const before = await workers(1);
  await cloud.deploy(assemblies[0]);
  expect(await workers(2)).toEqual(before);
  await expect(cloud.deploy(synthesize(models[0], () => batch, { stackName: 'Other' }))).rejects.toThrow(
    /^the new assembly must have the state machine .*Test-.*, got .*Other-.*: start another local cloud for it$/,
  );
  await expect(cloud.deploy(__dirname)).rejects.toThrow('is not a cloud assembly');
});
