/** An object that somebody replaces while a preprocess function works on its item. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BatchItems } from '../../lib';
import type { TraceEvent } from '../../local';
import {
  expectResult,
  MODEL,
  outputOf,
  PREFIX,
  putRequests,
  startBatch,
  synthesizeBatch,
  tableOf,
} from '../support/deployed-batch';
import { rows, userFunction } from '../support/deployed-pipeline';

const NAMES = ['0', '1', '2'];
const KEYS = NAMES.map((name) => `${PREFIX}${name}`);
const folder = mkdtempSync(join(tmpdir(), 'replaced-'));
const replaced = join(folder, 'replaced');

/** Names the request of an item, and answers for the second one when the test has replaced its object. */
const BEFORE = `exports.handler = async ({ key }) => {
  const isThere = () => require('node:fs').existsSync(${JSON.stringify(replaced)});
  while (key.endsWith('1') && !isThere()) await require('node:timers/promises').setTimeout(5);
  return { version: 1, inputs: { s3: key.replace('docs', 'requests') } };
};`;

afterAll(() => {
  rmSync(folder, { recursive: true });
});

test.each<[of: string, items: () => BatchItems, message: RegExp]>([
  ['objects', () => BatchItems.objects(PREFIX), /^the item's object s3:.* was replaced: write each/],
  ['rows', () => BatchItems.csv('inputs/lists/keys.csv', 'key'), /^an object of the item was replaced or/],
])(
  'fails its item in a batch of %s, and a rerun computes it',
  async (_, items, message) => {
    rmSync(replaced, { force: true });
    const assembly = synthesizeBatch({
      ...{ itemsPerRun: 1, maxConcurrency: 1, items },
      pipeline: (stack) => ({ preprocess: userFunction(stack, 'Before', BEFORE) }),
    });
    let calls = 0;
    const onTrace = ({ type, state }: TraceEvent): void => {
      if (type !== 'TaskStarted' || state !== 'Preprocess' || ++calls !== 2) return;
      void cloud.putObject(KEYS[1], Buffer.from('another document')).then(() => {
        writeFileSync(replaced, '');
      });
    };
    const cloud = await startBatch(assembly, { onTrace });
    for (const key of KEYS) await cloud.putObject(key, Buffer.from('a document'));
    await cloud.putObject('inputs/lists/keys.csv', Buffer.from(['key', ...KEYS].join('\n')));
    await putRequests(cloud, NAMES, 'inputs/requests/');
    const first = outputOf(await cloud.execute({}));
    expect(existsSync(replaced)).toBe(true);
    const table = await tableOf(cloud, first);
    expect(table.map(({ status }) => status)).toEqual(['done', 'failed', 'done']);
    expect(table[1].failure?.error).toBe('InvalidInput');
    expect(table[1].failure?.message).toMatch(message);
    const second = outputOf(await cloud.execute({}));
    expect(second.items).toMatchObject({ done: 1, skipped: 2, failed: 0 });
    for (const row of await tableOf(cloud, second))
      await expectResult(cloud, row, rows(1, row.index + 1), MODEL);
  },
  60_000,
);
