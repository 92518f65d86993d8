/** A deployment of a handler during a batch. */
import { setTimeout } from 'node:timers/promises';
import { SFN } from '@aws-sdk/client-sfn';
import type { BatchOutput } from '../../contract/batch';
import { encodeSafetensors } from '../../lambda/tensors/safetensors';
import type { TraceEvent } from '../../local';
import {
  expectResult,
  MODEL,
  outputOf,
  PREFIX,
  startBatch,
  synthesizeBatch,
  tableOf,
} from '../support/deployed-batch';
import { rows, userFunction } from '../support/deployed-pipeline';

const ITEMS = 8;

/** Each code of the function makes other requests of the items. */
const seedOf = (code: number, item: number): number => 100 * code + item;

const assemblyOf = (code: number): string =>
  synthesizeBatch({
    ...{ itemsPerRun: 1, maxConcurrency: 1 },
    pipeline: (stack) => ({
      preprocess: userFunction(
        stack,
        'Before',
        `exports.handler = async ({ key }) => ({ version: 1, inputs: { s3: key.replace('docs', 'code${code}') } });`,
      ),
    }),
  });

test('no item of a batch meets the code of a later deployment, and a rerun after a rollback skips the right results', async () => {
  let calls = 0;
  const onTrace = ({ type, state }: TraceEvent): void => {
    if (type === 'TaskStarted' && state === 'Preprocess') calls++;
  };
  const [first, second] = [1, 2].map(assemblyOf);
  const cloud = await startBatch(first, { onTrace });
  for (let item = 0; item < ITEMS; item++) {
    await cloud.putObject(`${PREFIX}${item}`, Buffer.from('a name of a request'));
    for (const code of [1, 2])
      await cloud.putObject(`inputs/code${code}/${item}`, encodeSafetensors(rows(1, seedOf(code, item))));
  }
  const expectResultsOf = async (code: number, output: BatchOutput): Promise<void> => {
    const table = await tableOf(cloud, output);
    expect(table).toHaveLength(ITEMS);
    for (const row of table) await expectResult(cloud, row, rows(1, seedOf(code, row.index)), MODEL);
  };
  const client = new SFN(cloud.stepFunctions);
  const { executionArn } = await client.startExecution({ ...cloud.stateMachine, input: '{}' });
  while (calls < ITEMS / 2) await setTimeout(5);
  await cloud.deploy(second);
  expect(calls).toBeLessThan(ITEMS);
  const inProgress = async () => await client.describeExecution({ executionArn });
  while ((await inProgress()).status === 'RUNNING') await setTimeout(20);
  await expectResultsOf(1, JSON.parse((await inProgress()).output ?? '') as BatchOutput);
  client.destroy();
  const later = outputOf(await cloud.execute({}));
  expect(later.items).toMatchObject({ done: ITEMS, skipped: 0 });
  await expectResultsOf(2, later);
  await cloud.deploy(first);
  const rolledBack = outputOf(await cloud.execute({}));
  expect(rolledBack.items).toMatchObject({ done: 0, skipped: ITEMS });
  await expectResultsOf(1, rolledBack);
}, 120_000);
