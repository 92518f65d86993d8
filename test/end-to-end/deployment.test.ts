/** Deploys another model while executions run: each execution ends on the model with which it started. */
import { Slicing } from '../../lib';
import type { LocalCloud } from '../../local';
import { infer } from '../../local';
import { rows, start, synthesize } from '../support/deployed-pipeline';
import type { ModelInit } from '../support/model-builder';
import { mlp, saveModel } from '../support/model-builder';
import { differingOutputs, runWhole } from '../support/run-slices';

const RUNS = 200;
const AT_A_TIME = 8;

/** The same graph with other weights, as after another training. */
function retrained(model: ModelInit): ModelInit {
  const initializer = (model.graph.initializer ?? []).map((tensor) => ({
    ...tensor,
    rawData: new Uint8Array(
      new Float32Array((tensor.rawData as Uint8Array).buffer).map((x) => -x / 2).buffer,
    ),
  }));
  return { ...model, graph: { ...model.graph, initializer } };
}

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
