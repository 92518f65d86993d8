/**
 * `npm run check:batch-states`: runs the states of batches in moto's interpreter, with another JSONata than the local cloud's, the functions' bundles
 * and moto's S3. It compares each result with ONNX Runtime on the whole model. `map-run.ts` runs the Map itself.
 */
import * as path from 'node:path';
import { gzipSync } from 'node:zlib';
import type { BatchRow } from '../../contract/batch';
import { encodeSafetensors } from '../../lambda/tensors/safetensors';
import { expectResult, MODEL, putRequests } from '../support/deployed-batch';
import { requestOf, rows } from '../support/deployed-pipeline';
import { column, parquetOf } from '../support/parquet';
import { pythonWith } from '../support/python-environment';
import { runWhole, type Tensors } from '../support/run-slices';
import { temporaryFolder } from '../support/temporary-folder';
import { float32 } from '../support/tensors';
import { Deployment } from './deployment';
import { FunctionFailed } from './functions';
import { dividedTimeouts, packSeconds } from './hurry';
import { ITEM_READER_FAILED } from './map-run';
import { INVENTORY, synthesizeBatches } from './stack';

jest.setTimeout(300_000);

let started: Deployment | undefined;

beforeAll(async () => {
  const python = await pythonWith('moto', [{ file: path.join(__dirname, 'moto/requirements.txt') }]);
  if (python !== undefined) started = await Deployment.start(python, synthesizeBatches(), temporaryFolder());
});

afterAll(() => started?.end());

/** Without Python, the check has said that it is skipped. */
function check(title: string, body: (cloud: Deployment) => Promise<void>): void {
  test(title, async () => {
    if (started !== undefined) await body(started);
  });
}

const lines = (items: readonly unknown[]): string =>
  items.map((item) => `${JSON.stringify(item)}\n`).join('');

/** How an item ended. */
const endOf = ({ status, failure }: BatchRow): string => failure?.error ?? status;

/** The name of an item, and how it ended. */
const namedEnd = (row: BatchRow): string => `${path.basename(row.item)} ${endOf(row)}`;

interface PackCall {
  readonly pack?: { readonly items?: readonly { readonly value: { readonly Key: string } }[] };
}

/** The names of the items of each call of a first slice since a place in the calls, in their order. */
function packsOf({ functions }: Deployment, from = 0): string[] {
  return (functions.events.slice(from) as readonly PackCall[]).flatMap(({ pack }) =>
    pack?.items === undefined ? [] : [pack.items.map(({ value }) => path.basename(value.Key)).join()],
  );
}

async function expectResults(
  cloud: Deployment,
  table: readonly BatchRow[],
  requests: ReadonlyMap<string, Tensors>,
): Promise<void> {
  for (const row of table)
    if (row.status !== 'failed') await expectResult(cloud, row, requests.get(row.item) ?? new Map());
}

/** Fails unless what a function answered has the bits of ONNX Runtime on the whole model, for the text of an item. */
async function expectAnswer(cloud: Deployment, { result }: BatchRow, text: string): Promise<void> {
  const values = Array.from({ length: 16 }, (_, at) => at + text.length);
  const y = (await runWhole(MODEL, new Map([['x', float32([1, 16], values)]]))).get('y');
  const stored = (await cloud.getObject(result?.key ?? '')).toString('utf8').split('\n');
  const { output } = JSON.parse(stored[result?.entry ?? -1]) as { readonly output: { readonly y: number[] } };
  const bytes = Buffer.from(Float32Array.from(output.y).buffer);
  expect(bytes).toEqual(y?.dtype === 'float32' ? Buffer.from(y.bytes) : undefined);
}

check('a pack whose function dies is halved, and only what is bad fails', async (cloud) => {
  const requests = await putRequests(cloud, ['1', '2', '3', '5', 'a b', 'ü+'], 'inputs/docs/');
  await cloud.putObject('inputs/docs/folder/', '');
  await cloud.putObject('inputs/docs/4-bad', 'no request');
  await cloud.putObject('inputs/docs/6-poison', encodeSafetensors(rows(1, 9)));
  const ends = (status: string): string[] => [
    ...[`1 ${status}`, `2 ${status}`, `3 ${status}`, '4-bad InvalidInput', `5 ${status}`],
    ...['6-poison Runtime.ExitError', `a b ${status}`, `ü+ ${status}`],
  ];

  const first = await cloud.run('Objects');
  expect(first.rows.map(namedEnd)).toEqual(ends('done'));
  expect(first.output.items).toEqual({ total: 8, done: 6, skipped: 0, failed: 2, pending: 0 });
  await expectResults(cloud, first.rows, requests);
  // The last child has the folder too, which is no item. Each deadly call is repeated twice.
  const deadly = ['5,6-poison,a b', '5,6-poison', '6-poison'].map((pack) => [pack, pack, pack]);
  expect(packsOf(cloud)).toEqual(['1,2,3,4-bad', ...deadly[0], ...deadly[1], '5', ...deadly[2], 'a b', 'ü+']);

  const second = await cloud.run('Objects');
  expect(second.rows.map(namedEnd)).toEqual(ends('skipped'));
  expect(second.rows.map(({ result }) => result)).toEqual(first.rows.map(({ result }) => result));
});

check('a changed item runs anew, and all items do if an execution says so', async (cloud) => {
  const items = 'inputs/docs/part/';
  const requests = await putRequests(cloud, ['1', '2', '3', '4', '5'], items);
  expect((await cloud.run('Objects', { items })).output.items).toMatchObject({ done: 5 });
  await cloud.putObject(`${items}2`, encodeSafetensors(rows(1, 77)));
  requests.set(`${items}2`, rows(1, 77));
  const changed = await cloud.run('Objects', { items });
  expect(changed.output.items).toEqual({ total: 5, done: 1, skipped: 4, failed: 0, pending: 0 });
  await expectResults(cloud, changed.rows, requests);
  const again = await cloud.run('Objects', { items, again: true });
  expect(again.output.items).toEqual({ total: 5, done: 5, skipped: 0, failed: 0, pending: 0 });
  await expectResults(cloud, again.rows, requests);
});

check(
  'all items of a child that fails have failed, and a rerun finds the results that it stored',
  async (cloud) => {
    const items = 'inputs/docs/lost/';
    const requests = await putRequests(cloud, ['1', '2', '3', '4', '5', '6-bad'], items);
    await cloud.putObject(`${items}6-bad`, 'no request');
    cloud.stand('Objects', ({ report }) =>
      report === undefined ? undefined : Promise.reject(new FunctionFailed('Lost', 'no report')),
    );
    const { output, rows: table } = await cloud.run('Objects', { items });
    cloud.stand('Objects', undefined);
    expect(output.items).toEqual({ total: 6, done: 4, skipped: 0, failed: 2, pending: 0 });
    const failure = { error: 'Lost', message: 'no report' };
    expect(table.slice(4).map((row) => row.failure)).toEqual([failure, failure]);
    await expectResults(cloud, table, requests);

    const rest = await cloud.run('Objects', { items });
    expect(rest.output.items).toEqual({ total: 6, done: 0, skipped: 5, failed: 1, pending: 0 });
    await expectResults(cloud, rest.rows, requests);
  },
);

check('a child may have one item', async (cloud) => {
  const requests = await putRequests(cloud, ['1', '2', '3-bad', '4-poison'], 'inputs/singles/');
  await cloud.putObject('inputs/singles/3-bad', 'no request');
  const { output, rows: table } = await cloud.run('Singles');
  const ends = ['1 done', '2 done', '3-bad InvalidInput', '4-poison Runtime.ExitError'];
  expect(table.map(namedEnd)).toEqual(ends);
  const calls = output.usage.map((usage) => [usage.slice, usage.calls]);
  expect(calls).toEqual([
    [0, 2],
    [1, 2],
  ]);
  await expectResults(cloud, table, requests);
  const { output: second } = await cloud.run('Singles');
  expect(second.items).toEqual({ total: 4, done: 0, skipped: 2, failed: 2, pending: 0 });
});

check('requests in lines run, and a longer list runs what is new', async (cloud) => {
  const list = 'inputs/lists/lines.jsonl';
  await cloud.putObject('inputs/one', encodeSafetensors(rows(1, 1)));
  const inline = (seed: number) => ({ id: `${seed}`, inputs: requestOf(rows(1, seed)).inputs });
  const items = [{ id: '1', inputs: { s3: 'inputs/one' } }, inline(2), { id: 7 }, inline(4), [1]];
  const requests = new Map([1, 2, 4, 5, 6].map((seed) => [String(seed), rows(1, seed)]));

  await cloud.putObject(list, lines(items));
  const { rows: table } = await cloud.run('Lines');
  expect(table.map(endOf)).toEqual(['done', 'done', 'InvalidInput', 'done', 'InvalidInput']);
  await expectResults(cloud, table, requests);

  await cloud.putObject(list, lines([inline(5), ...items, inline(6)]));
  const longer = await cloud.run('Lines');
  expect(longer.output.items).toEqual({ total: 7, done: 2, skipped: 3, failed: 2, pending: 0 });
  await expectResults(cloud, longer.rows, requests);
});

type Put = (cloud: Deployment, texts: readonly string[]) => Promise<void>;

/** By batch: how the texts of items get into S3. */
const LISTS: Readonly<Record<string, Put>> = {
  Texts: (cloud, texts) => {
    const items = texts.map((text) => ({ id: text, text }));
    return cloud.putObject('inputs/lists/texts.jsonl', lines(items));
  },
  Elements: (cloud, texts) => {
    const items = texts.map((text) => ({ id: text, text }));
    return cloud.putObject('inputs/lists/texts.json', JSON.stringify(items));
  },
  Lists: async (cloud, texts) => {
    for (const [at, text] of texts.entries())
      await cloud.putObject(`inputs/lists/many/${at}.jsonl`, lines([{ id: text, text }]));
  },
  Columns: async (cloud, texts) => {
    const columns = ['id', 'text'].map((name) => column(name, [...texts], 'STRING'));
    await cloud.putObject('inputs/lists/texts.parquet', await parquetOf(columns));
  },
  // Step Functions passes on a byte order mark as a part of the first column's name.
  Rows: (cloud, texts) => {
    const items = texts.map((text) => `${text},x`);
    return cloud.putObject('inputs/lists/rows.csv', ['\ufefftext,note', ...items].join('\n'));
  },
  Inventory: async (cloud, texts) => {
    const key = 'reports/all/data/1.csv.gz';
    const listed = texts.map((text) => `"${cloud.bucket}","${encodeURIComponent(text)}","9"`);
    const folder = `"${cloud.bucket}","folder%2F","0"`;
    await cloud.putObject(key, gzipSync([folder, ...listed].join('\n')));
    const manifest = { fileSchema: 'Bucket, Key, Size', fileFormat: 'CSV', files: [{ key }] };
    await cloud.putObject(INVENTORY, JSON.stringify(manifest));
  },
};

const ENDS: Readonly<Record<string, string>> = { bad: 'RangeError', deadly: 'Runtime.ExitError' };

for (const [batch, put] of Object.entries(LISTS))
  check(`handlers of this package get packs of ${batch}`, async (cloud) => {
    const texts = ['a', 'bb', 'bad', 'd/d ü', 'eeeee', ...(batch === 'Texts' ? ['deadly'] : []), 'ggggggg'];
    await put(cloud, texts);
    const { rows: table } = await cloud.run(batch);
    expect(table.map(endOf)).toEqual(texts.map((text) => ENDS[text] ?? 'done'));
    for (const [at, row] of table.entries())
      if (row.status === 'done') await expectAnswer(cloud, row, texts[at]);

    const longer = ['new', ...texts];
    await put(cloud, longer);
    const { rows: second } = await cloud.run(batch);
    const ends = longer.map((text) => ENDS[text] ?? (text === 'new' ? 'done' : 'skipped'));
    expect(second.map(endOf)).toEqual(ends);
    for (const [at, row] of second.entries())
      if (row.status !== 'failed') await expectAnswer(cloud, row, longer[at]);
  });

interface HandlerCall {
  readonly pack?: readonly { readonly text?: string; readonly outputs?: object }[];
}

/** What each call of a handler since a place in the calls got: texts before the model, and `outputs` after it. */
function handledSince(from: number, { functions }: Deployment): string[] {
  return (functions.events as readonly HandlerCall[])
    .slice(from)
    .flatMap(({ pack }) =>
      Array.isArray(pack) ? [pack.map(({ text }: { text?: string }) => text ?? 'output').join()] : [],
    );
}

check(
  'the items of a pack that takes too long run alone, and only the one that hangs fails',
  async (cloud) => {
    cloud.hurries.set('Hanging', dividedTimeouts('hangs', 50));
    const texts = ['a', 'bb', 'hangs', 'dddd'];
    await cloud.putObject('inputs/lists/hanging.jsonl', lines(texts.map((text) => ({ id: text, text }))));
    const from = cloud.functions.events.length;
    const { output, rows: table } = await cloud.run('Hanging');
    expect(table.map(endOf)).toEqual(['done', 'done', 'States.Timeout', 'done']);
    // It has 40 seconds if others wait, and otherwise the rest of the time.
    const reason = /^Preprocess took longer than the (40|2\d\d) seconds that its item had: .* itemsPerRun/;
    expect(table[2].failure?.message).toMatch(reason);
    expect(output.items).toMatchObject({ total: 4, done: 3, failed: 1, pending: 0 });
    for (const at of [0, 1, 3]) await expectAnswer(cloud, table[at], texts[at]);
    const [first, ...alone] = handledSince(from, cloud).filter((items) => items !== 'output');
    // The order of those alone changes.
    expect([first, ...alone.sort()]).toEqual([texts.join(), ...[...texts].sort()]);
  },
);

check('a postprocess function without time hands back what it has not answered', async (cloud) => {
  // With less than a quarter of 150 seconds, a pack ends after the first answers. Two do not fit into one state.
  cloud.hurries.set('Handing', packSeconds(36));
  const texts = ['a', 'bb', 'ccc'];
  await cloud.putObject('inputs/lists/handing.jsonl', lines(texts.map((text) => ({ id: text, text }))));
  const from = cloud.functions.events.length;
  const { rows: table } = await cloud.run('Handing');
  expect(table.map(endOf)).toEqual(['done', 'done', 'done']);
  for (const [at, row] of table.entries()) await expectAnswer(cloud, row, texts[at]);
  const calls = ['a,bb,ccc', 'output,output,output', 'bb,ccc', 'output,output', 'ccc', 'output'];
  expect(handledSince(from, cloud)).toEqual(calls);
});

check('a slice without time for a second item leaves the others to further packs', async (cloud) => {
  // The first of two slices has half of the pack's time: less than the 5 seconds that it keeps for its answer.
  cloud.hurries.set('Leaving', packSeconds(9));
  const requests = await putRequests(cloud, ['1', '2', '3'], 'inputs/leaving/');
  const from = cloud.functions.events.length;
  const { output, rows: table } = await cloud.run('Leaving');
  expect(output.items).toMatchObject({ total: 3, done: 3, failed: 0, pending: 0 });
  await expectResults(cloud, table, requests);
  expect(packsOf(cloud, from)).toEqual(['1,2,3', '2,3', '3']);
});

check('functions of the user get one item', async (cloud) => {
  for (const name of ['a', 'bb', 'ccc-bad']) await cloud.putObject(`inputs/any/${name}`, name);
  const { rows: table } = await cloud.run('Handled');
  expect(table.map(namedEnd)).toEqual(['a done', 'bb done', 'ccc-bad RangeError']);
  for (const row of table.slice(0, 2)) await expectAnswer(cloud, row, row.item);
  const { output } = await cloud.run('Handled');
  expect(output.items).toEqual({ total: 3, done: 0, skipped: 2, failed: 1, pending: 0 });
});

const NO_PACK = 'must answer a pack: ';

/** By batch: the place of the items that an execution names, and how it fails. */
const FAILURES: readonly (readonly [batch: string, items: string, error: string, cause: string])[] = [
  ['Objects', 'inputs/docs/none/', 'NoItems', 'inputs/docs/none/'],
  ['Lines', 'inputs/lists/none.jsonl', ITEM_READER_FAILED, 'NoSuchKey'],
  // One throws, and one answers something else.
  ['Unpacked', 'inputs/raw/', 'TooManyFailures', 'TypeError: '],
  ['Answers', 'inputs/raw/', 'TooManyFailures', 'States.QueryEvaluationError: '],
];

for (const [batch, items, error, cause] of FAILURES)
  check(`${batch} at ${items} ends with ${error}`, async (cloud) => {
    for (const name of ['a', 'b']) await cloud.putObject(`inputs/raw/${name}`, name);
    const failed = await cloud.execute(batch, { items });
    expect(failed).toMatchObject({
      status: 'FAILED',
      error,
      cause: expect.stringContaining(cause) as string,
    });
    if (error === 'TooManyFailures')
      expect(failed).toMatchObject({ cause: expect.stringContaining(NO_PACK) as string });
  });

check('the function of the whole model runs packs once it is warm', async (cloud) => {
  const requests = await putRequests(cloud, ['1', '2', '3', '4'], 'inputs/warm/');
  const cold = await cloud.run('Warm', { items: 'inputs/warm/1' });
  expect(cold.output.usage.map(({ whole }) => whole)).toEqual([undefined, undefined]);
  const { output, rows: table } = await cloud.run('Warm');
  expect(output.usage.filter(({ whole }) => whole).map(({ calls }) => calls)).toEqual([2]);
  await expectResults(cloud, table, requests);
});
