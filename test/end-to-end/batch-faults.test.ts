/**
 * A batch of many items, of which some are bad, while calls are throttled, functions are killed and S3 fails: each item is accounted for
 * once, each result is that of ONNX Runtime on the whole model, and nothing is done twice that need not be.
 */
import { setTimeout } from 'node:timers/promises';
import { SFN } from '@aws-sdk/client-sfn';
import { Session } from '../../lambda/slice/session';
import { encodeSafetensors } from '../../lambda/tensors/safetensors';
import type { LocalCloud, TraceEvent } from '../../local';
import type { BatchOutput } from '../../contract/batch';
import {
  MODEL,
  outputOf,
  PREFIX,
  redriven,
  resultOf,
  startBatch,
  synthesizeBatch,
  tableOf,
} from '../support/deployed-batch';
import { rows } from '../support/deployed-pipeline';
import { mlp, retrained, saveModel } from '../support/model-builder';
import { differingOutputs, type Tensors } from '../support/run-slices';

/** 10,000 take a quarter of an hour on two processors. */
const ITEMS = Number(process.env.BATCH_ITEMS ?? '400');
const BAD = ITEMS / 50;
const ITEMS_PER_RUN = 8;
const PACKS = ITEMS / ITEMS_PER_RUN;
/** Strikes requests, of which the function that writes the table sends one for each run with bad items. */
const KILLS = 4 / ITEMS;
const FAULTS = {
  seed: 7,
  rates: {
    ...{ throttled: 0.1, failing: 0.03, 'lost-result': 0.05, 'out-of-memory': KILLS },
    ...{ 's3-503': 0.02, reset: 0.02, 'lost-answer': 0.02, 'killed-after-write': 0.02 },
  },
};

const keyOf = (item: number): string => `${PREFIX}${String(item).padStart(5, '0')}`;
const isBad = (item: number): boolean => item % 50 === 3;

async function start(onTrace?: (event: TraceEvent) => void): Promise<LocalCloud> {
  const assembly = synthesizeBatch({
    pipeline: () => ({ tensorsInState: false }),
    itemsPerRun: ITEMS_PER_RUN,
  });
  const cloud = await startBatch(assembly, { retryPauses: 0.1, ...(onTrace && { onTrace }) });
  for (let item = 0; item < ITEMS; item++) {
    const request = encodeSafetensors(rows(1, item + 1));
    await cloud.putObject(keyOf(item), isBad(item) ? Buffer.from('no request') : request);
  }
  return cloud;
}

test('accounts for each item, and a rerun does only what failed', async () => {
  const cloud = await start();
  cloud.injectFaults(FAULTS);
  const first = outputOf(await cloud.execute({}));
  expect([...cloud.faults().values()].reduce((sum, count) => sum + count, 0)).toBeGreaterThan(ITEMS / 20);
  cloud.injectFaults(undefined);
  const table = await tableOf(cloud, first);
  expect(table.map(({ index, item }) => [index, item])).toEqual(
    Array.from({ length: ITEMS }, (_, item) => [item, keyOf(item)]),
  );
  const session = await Session.open({ path: MODEL, threads: 1 });
  const wrong: number[] = [];
  for (const { index, result } of table.filter(({ status }) => status === 'done')) {
    const whole = await session.run(rows(1, index + 1), ['y']);
    const found = await resultOf(cloud, result);
    if (differingOutputs(found, whole).length > 0) wrong.push(index);
  }
  await session.release();
  expect(wrong).toEqual([]);
  const failed = table.filter(({ status }) => status === 'failed').map(({ index }) => index);
  expect(failed.filter(isBad)).toHaveLength(BAD);
  const [total, done] = [ITEMS, ITEMS - failed.length];
  expect(first.items).toEqual({ total, done, skipped: 0, failed: failed.length, pending: 0 });
  for (let item = 3; item < ITEMS; item += 50)
    await cloud.putObject(keyOf(item), encodeSafetensors(rows(1, item + 1)));
  const again = outputOf(await cloud.execute({}));
  expect(again.items).toEqual({ total, done: failed.length, skipped: done, failed: 0, pending: 0 });
}, 3_600_000);

test('a batch that was stopped runs only the rest after a redrive and after a restart', async () => {
  let calls = 0;
  const cloud = await start(({ type, state }) => {
    if (type === 'TaskStarted' && state === 'Slice 01') calls++;
  });
  const client = new SFN(cloud.stepFunctions);
  const { stateMachineArn } = cloud.stateMachine;
  const stopAfter = async (packs: number): Promise<string> => {
    const { executionArn = '' } = await client.startExecution({ stateMachineArn, input: '{}' });
    for (const before = calls; calls - before < packs;) await setTimeout(20);
    await client.stopExecution({ executionArn });
    return executionArn;
  };
  const executionArn = await stopAfter(PACKS / 4);
  const stopped = { status: 'ABORTED', executionArn, error: '', cause: '' } as const;
  const output = outputOf(await redriven(cloud, stopped));
  expect(output.items).toMatchObject({ total: ITEMS, failed: BAD, pending: 0 });
  // Four packs were in progress.
  expect(calls - PACKS).toBeLessThanOrEqual(4);
  await stopAfter(0);
  const changed = ITEMS / 4;
  for (let item = 0; item < changed; item++)
    if (!isBad(item)) await cloud.putObject(keyOf(item), encodeSafetensors(rows(1, item + 1001)));
  calls = 0;
  await stopAfter(PACKS / 8);
  const done = calls - 4;
  const { items } = outputOf(await cloud.execute({}));
  client.destroy();
  expect(items).toMatchObject({ total: ITEMS, failed: BAD, pending: 0 });
  expect(items.done).toBeLessThanOrEqual(changed - 8 * done);
}, 3_600_000);

/** Requests of 64 bytes to 18 KB. */
const sized = (item: number, seed: number): Tensors => rows(1 + 47 * (item % 7), seed);

test('two batches at once give no wrong result, with requests replaced, a stop and a deployment in the middle', async () => {
  let calls = 0;
  const pipeline = () => ({ tensorsInState: false, dimensions: {} });
  const onTrace = ({ type, state }: TraceEvent): void => {
    if (type === 'TaskStarted' && state === 'Slice 01') calls++;
  };
  const example = { pipeline, itemsPerRun: ITEMS_PER_RUN };
  const cloud = await startBatch(synthesizeBatch(example), { retryPauses: 0.1, onTrace });
  const put = async (item: number, seed: number): Promise<void> => {
    await cloud.putObject(
      keyOf(item),
      isBad(item) ? Buffer.from('no request') : encodeSafetensors(sized(item, seed)),
    );
  };
  for (let item = 0; item < ITEMS; item++) await put(item, item + 1);
  const isReplaced = (item: number): boolean => item % 9 === 5;
  const newSeed = (item: number): number => item + (isReplaced(item) ? 100_001 : 1);
  cloud.injectFaults(FAULTS);
  const client = new SFN(cloud.stepFunctions);
  const { stateMachineArn } = cloud.stateMachine;
  const [first, second] = await Promise.all(
    ['first', 'second'].map((name) => client.startExecution({ stateMachineArn, name, input: '{}' })),
  );
  while (calls < PACKS / 2) await setTimeout(20);
  for (let item = 0; item < ITEMS; item++) if (isReplaced(item)) await put(item, newSeed(item));
  await client.stopExecution({ executionArn: first.executionArn });
  const other = saveModel(retrained(mlp(4)));
  await cloud.deploy(synthesizeBatch({ ...example, model: other }));
  const third = outputOf(await cloud.execute({}));
  const before = await endOf(client, second.executionArn ?? '');
  cloud.injectFaults(undefined);
  const last = outputOf(await cloud.execute({}));
  client.destroy();
  expect(last.items).toMatchObject({ total: ITEMS, failed: BAD, pending: 0, skipped: third.items.done });
  expect(before.items).toMatchObject({ total: ITEMS, pending: 0 });
  const seeds = (item: number): number[] => [item + 1, newSeed(item)];
  expect(await wrongOf(cloud, before, MODEL, seeds)).toEqual([]);
  for (const output of [third, last])
    expect(await wrongOf(cloud, output, other, (item) => [newSeed(item)])).toEqual([]);
}, 3_600_000);

async function endOf(client: SFN, executionArn: string): Promise<BatchOutput> {
  for (;;) {
    const { status, output = '', cause = '' } = await client.describeExecution({ executionArn });
    if (status === 'SUCCEEDED') return JSON.parse(output) as BatchOutput;
    if (status !== 'RUNNING') throw new Error(cause);
    await setTimeout(20);
  }
}

/** Items whose result is not that of the model for a request of one of the seeds. */
async function wrongOf(
  cloud: LocalCloud,
  output: BatchOutput,
  model: string,
  seedsOf: (item: number) => readonly number[],
): Promise<number[]> {
  const session = await Session.open({ path: model, threads: 1 });
  const wrong: number[] = [];
  for (const { index, result } of await tableOf(cloud, output)) {
    if (result === undefined) continue;
    const found = await resultOf(cloud, result);
    let isRight = false;
    for (const seed of isBad(index) ? [] : seedsOf(index))
      isRight ||= differingOutputs(found, await session.run(sized(index, seed), ['y'])).length === 0;
    if (!isRight) wrong.push(index);
  }
  await session.release();
  return wrong;
}
