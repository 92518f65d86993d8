/** Runs with cold and warm sandboxes at random, with a deployment in the middle: none fails, and none mixes two models. */
import { Consolidation, Slicing } from '../../lib';
import { draw } from '../../local/seeded-random';
import { infer } from '../../local';
import { rows, start, synthesize } from '../support/deployed-pipeline';
import { mlp, retrained, saveModel } from '../support/model-builder';
import { differingOutputs, runWhole } from '../support/run-slices';

const RUNS = 200;
const AT_A_TIME = 16;

const models = [mlp(4), retrained(mlp(4))].map((model) => saveModel(model));
const assemblies = models.map((model) =>
  synthesize(model, () => ({
    slicing: Slicing.count(2),
    consolidation: Consolidation.ALWAYS,
    dimensions: { batch: 1 },
  })),
);

test(`each of ${RUNS} runs succeeds on one of two models, whichever way it goes`, async () => {
  const cloud = await start(assemblies[0], { retryPauses: 0.1 });
  /** One sandbox that stands still loses its process, as if Lambda had ended it. */
  const cool = (run: number): void => {
    const idle = cloud.workers().filter(({ busy }) => !busy);
    const victim = idle.at(Math.floor(draw(`victim ${run}`) * idle.length));
    if (victim && draw(`cool ${run}`) < 0.25) process.kill(victim.pid, 'SIGKILL');
  };
  const ran: { model: number; servedBy: string | undefined }[] = [];
  const one = async (run: number): Promise<void> => {
    cool(run);
    const inputs = rows(1, run + 1);
    const result = await infer(cloud, inputs);
    if (result.status !== 'SUCCEEDED') throw new Error(`${result.error}: ${result.cause}`);
    const expected = await Promise.all(models.map((model) => runWhole(model, inputs)));
    const model = expected.findIndex((outputs) => differingOutputs(result.outputs, outputs).length === 0);
    ran.push({ model, servedBy: result.execution.servedBy });
  };
  let started = 0;
  let deployment: Promise<void> | undefined;
  const worker = async (): Promise<void> => {
    while (started < RUNS) {
      if (started === RUNS / 2) deployment = cloud.deploy(assemblies[1]);
      await one(started++);
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, worker));
  await deployment;
  expect(ran).toHaveLength(RUNS);
  expect(new Set(ran.map(({ model }) => model))).toEqual(new Set([0, 1]));
  expect(new Set(ran.map(({ servedBy }) => servedBy))).toEqual(new Set(['slices', 'whole']));
}, 900_000);
