/** Batches in the local cloud: each source of items, bad items, reruns, redrives and functions of the user. */
import * as path from 'node:path';
import { gzipSync } from 'node:zlib';
import { Stack } from 'aws-cdk-lib';
import { processorClass } from '../../lambda/telemetry/processor';
import { encodeSafetensors } from '../../lambda/tensors/safetensors';
import {
  BatchItems,
  Consolidation,
  SlicedInferenceBatch,
  type SlicedInferenceBatchProps,
  SlicedInferencePipeline,
  type SlicedInferencePipelineProps,
  Slicing,
} from '../../lib';
import type { LocalCloud } from '../../local';
import {
  executed,
  expectResult,
  MODEL,
  PREFIX,
  putRequests,
  runBatch,
  tableOf,
} from '../support/deployed-batch';
import { ARCHITECTURE, requestOf, rows, start, synthesize, userFunction } from '../support/deployed-pipeline';
import { mlp, retrained, saveModel } from '../support/model-builder';
import { runWhole } from '../support/run-slices';
import { float32, int64 } from '../support/tensors';

const PLAIN = { slicing: Slicing.count(2), dimensions: { batch: 1 } };
const ONE_SLICE = { slicing: Slicing.count(1) };

type BatchProps = Partial<SlicedInferenceBatchProps>;

function addBatch(pipeline: SlicedInferencePipeline, id: string, items: BatchItems, props: BatchProps = {}) {
  const sizes = { itemsPerRun: 2, maxConcurrency: 2 };
  new SlicedInferenceBatch(Stack.of(pipeline), id, { pipeline, items, ...sizes, ...props });
}

/** One stack with all batches. Pipelines share a bucket. */
function addBatches(stack: Stack, plain: SlicedInferencePipeline, after = AFTER): void {
  for (const [id, [items]] of Object.entries(SOURCES)) addBatch(plain, id, items(plain));
  const objects = (name: string): BatchItems => BatchItems.objects(`inputs/${name}/`);
  addBatch(plain, 'BadItems', BatchItems.jsonLines('inputs/lists/bad.jsonl'), { itemsPerRun: 3 });
  addBatch(plain, 'Tolerant', objects('many'), { itemsPerRun: 20, toleratedFailures: 2 });
  const another = (id: string, props: Partial<SlicedInferencePipelineProps>): SlicedInferencePipeline => {
    const shared = { modelPath: MODEL, architecture: ARCHITECTURE, bucket: plain.bucket };
    return new SlicedInferencePipeline(stack, id, { ...shared, ...PLAIN, ...props });
  };
  const own = another('Wrapped', {
    ...ONE_SLICE,
    preprocess: userFunction(stack, 'Before', BEFORE),
    postprocess: userFunction(stack, 'After', after),
  });
  addBatch(own, 'Functions', objects('any'), { itemsPerRun: 1 });
  addBatch(own, 'Unpacked', objects('raw'));
  const packed = another('Packed', {
    preprocess: userFunction(stack, 'PacksBefore', PACKS_BEFORE),
    postprocess: userFunction(stack, 'PacksAfter', PACKS_AFTER),
  });
  addBatch(packed, 'Packs', objects('packs'), { itemsPerRun: 20, maxConcurrency: 1 });
  const consolidated = another('Consolidated', { consolidation: Consolidation.ALWAYS });
  addBatch(consolidated, 'Warm', objects('warm'), { maxConcurrency: 1 });
}

const text = (lines: readonly unknown[]): Buffer =>
  Buffer.from(lines.map((line) => `${JSON.stringify(line)}\n`).join(''));

const INVENTORY = 'reports/all/2026-11-01T00-00Z/manifest.json';
const EMPTY = 'reports/all/2026-11-02T00-00Z/manifest.json';
const STALE = 'reports/all/2026-11-03T00-00Z/manifest.json';
const MISSING = 'reports/all/2026-11-04T00-00Z/manifest.json';

type List = (cloud: LocalCloud, keys: readonly string[]) => Promise<void>;

/** By batch: its items, and how the requests are listed there. */
const SOURCES: Record<string, [items: (pipeline: SlicedInferencePipeline) => BatchItems, list: List]> = {
  Objects: [
    () => BatchItems.objects(PREFIX),
    (cloud) => cloud.putObject(`${PREFIX}folder/`, Buffer.alloc(0)),
  ],
  Lines: [
    () => BatchItems.jsonLines('inputs/lists/list.jsonl'),
    (cloud, keys) =>
      cloud.putObject('inputs/lists/list.jsonl', text(keys.map((s3) => ({ id: s3, inputs: { s3 } })))),
  ],
  Elements: [
    () => BatchItems.jsonArray('inputs/lists/list.json'),
    (cloud, keys) => {
      const list = keys.map((s3) => ({ id: s3, inputs: { s3 } }));
      return cloud.putObject('inputs/lists/list.json', Buffer.from(JSON.stringify(list, undefined, 2)));
    },
  ],
  LinesOfFiles: [
    () => BatchItems.jsonLines('lines/'),
    async (cloud, keys) => {
      const lines = keys.map((s3) => ({ id: s3, inputs: { s3 } }));
      await cloud.putObject('lines/', Buffer.alloc(0));
      await cloud.putObject('lines/1.jsonl', text(lines.slice(0, 2)));
      await cloud.putObject('lines/2.jsonl.gz', gzipSync(text(lines.slice(2))));
    },
  ],
  RowsOfFiles: [
    () => BatchItems.csv('rows/', 'key'),
    async (cloud, keys) => {
      await cloud.putObject('rows/1.csv', Buffer.from(`key\n${keys[0]}\n${keys[1]}\n`));
      const others = keys.slice(2).map((key) => `x,"${key}"\n`);
      await cloud.putObject('rows/2.csv', Buffer.from(`note,key\n${others.join('')}`));
    },
  ],
  RowsWithMarkAndQuotes: [
    () => BatchItems.csv('inputs/lists/list.csv', 'key'),
    (cloud, keys) => {
      const lines = keys.map((key) => `"${key}","a, ""b""\n${key}"`);
      return cloud.putObject('inputs/lists/list.csv', Buffer.from(['\ufeffkey,note', ...lines].join('\r\n')));
    },
  ],
  Inventory: [
    ({ bucket }) => BatchItems.inventory(INVENTORY, bucket),
    async (cloud, keys) => {
      const { bucket } = cloud.pipeline;
      const encoded = keys.map((key) =>
        encodeURIComponent(key).replaceAll('%2F', '/').replaceAll('%20', '+'),
      );
      const file = 'reports/all/data/1.csv.gz';
      await cloud.putObject(file, gzipSync(encoded.map((key) => `"${bucket}","${key}","9"\n`).join('')));
      const manifest = {
        ...{ sourceBucket: bucket, destinationBucket: `arn:aws:s3:::${bucket}`, version: '2016-11-30' },
        ...{ fileFormat: 'CSV', fileSchema: 'Bucket, Key, Size' },
      };
      await cloud.putObject(INVENTORY, text([{ ...manifest, files: [{ key: file, size: 1 }] }]));
      await cloud.putObject(EMPTY, text([{ ...manifest, files: [] }]));
      const stale = 'reports/all/data/2.csv';
      await cloud.putObject(stale, Buffer.from(`${bucket},inputs/gone,9\n${bucket},${encoded[0]},9\n`));
      await cloud.putObject(STALE, text([{ ...manifest, files: [{ key: stale, size: 1 }] }]));
    },
  ],
};

const BEFORE = `exports.handler = async ({ bucket, key }) => {
  if (key.endsWith('bad')) throw new Error('cannot read ' + bucket + '/' + key);
  const data = Array.from({ length: 16 }, (_, at) => at + key.length);
  return { version: 1, inputs: { tensors: { x: { dtype: 'float32', shape: [1, 16], data } } } };
};`;
const AFTER = `exports.handler = async ({ outputs: { tensors: { y } } }) => ({ y: y.base64 });`;

/** Made with the handlers of this package. */
const CLIENT = `require(${JSON.stringify(path.join(__dirname, '../../dist/bundle/client.js'))})`;
const PACKS_BEFORE = `exports.handler = ${CLIENT}.preprocessHandler(({ key }) => {
  if (key.endsWith('bad')) throw new RangeError('cannot read ' + key);
  if (key.endsWith('poison')) process.exit(7);
  return { x: { shape: [1, 16], data: Float32Array.from({ length: 16 }, (_, at) => at + key.length) } };
});`;
// Ten answers of 20 KiB do not fit in one state.
const PACKS_AFTER = `exports.handler = ${CLIENT}.postprocessHandler(({ y }, { output }) => {
  if (y.data[0] === undefined) throw new Error('no data');
  return { y: Array.from(y.data), entry: output.outputs.entry, long: 'z'.repeat(20480) };
});`;

let cloud: LocalCloud;
beforeAll(async () => {
  const assembly = synthesize(MODEL, () => PLAIN, { use: addBatches });
  cloud = await start(assembly, { pipeline: 'Pipeline', retryPauses: 0.1 });
});

const NAMES = ['1', '2', '3', 'a b', 'ü+'];

test.each(Object.keys(SOURCES))('runs %s in their order, and once', async (batch) => {
  const requests = await putRequests(cloud, NAMES);
  const keys = [...requests.keys()];
  await SOURCES[batch][1](cloud, keys);
  const { output, rows: table } = await runBatch(cloud, batch);
  expect(output.items).toEqual({ total: 5, done: 5, skipped: 0, failed: 0, pending: 0 });
  expect(output.usage.map(({ slice, calls }) => [slice, calls])).toEqual([
    [0, 3],
    [1, 3],
  ]);
  const done = { status: 'done', processors: [processorClass()] };
  expect(table).toMatchObject(keys.map((item) => ({ item, ...done })));
  for (const [at, inputs] of [...requests.values()].entries()) await expectResult(cloud, table[at], inputs);
  await cloud.putObject(keys[3], encodeSafetensors(rows(1, 77)));
  const changed = await runBatch(cloud, batch);
  expect(changed.output.items).toEqual({ total: 5, done: 1, skipped: 4, failed: 0, pending: 0 });
  await expectResult(cloud, changed.rows[3], rows(1, 77));
  const results = (all: typeof table) => all.map(({ result }) => result).toSpliced(3, 1);
  expect(results(changed.rows)).toEqual(results(table));
});

test('runs a smaller place that an execution names, and an old inventory', async () => {
  await putRequests(cloud, ['x'], `${PREFIX}part/`);
  const items = `${PREFIX}part/`;
  const { output } = await runBatch(cloud, 'Objects', { items });
  expect(output.items).toMatchObject({ total: 1, done: 1 });
  const { output: again, rows: anew } = await runBatch(cloud, 'Objects', { items, again: true });
  expect(again.items).toMatchObject({ total: 1, done: 1, skipped: 0 });
  // The newer result counts from now on.
  expect((await runBatch(cloud, 'Objects', { items })).rows[0].result).toEqual(anew[0].result);
  const { rows: stale } = await runBatch(cloud, 'Inventory', { items: STALE });
  const failure = {
    error: 'InvalidInput',
    message: expect.stringMatching(/^the request's object is missing/) as string,
  };
  expect(stale).toMatchObject([{ item: 'inputs/gone', failure }, { status: 'skipped' }]);
});

test.each([
  ['Objects', `${PREFIX}none/`, 'NoItems', '/none/: check the place'],
  ['Inventory', EMPTY, 'NoItems', ': check the place'],
  ['Inventory', MISSING, 'States.ItemReaderFailed', `${MISSING}: User: `],
])('%s at %s end with %s', async (batch, items, error, cause) => {
  const ended = await executed(cloud, batch, { items });
  expect(ended).toMatchObject({ status: 'FAILED', error, cause: expect.stringContaining(cause) as string });
});

test('accounts for each bad item, and repeats only these', async () => {
  const long = `inputs/${'n'.repeat(1024 - 'inputs/'.length)}`;
  const inputs = rows(1, 5);
  for (const key of ['inputs/one', 'inputs/line\nend', long])
    await cloud.putObject(key, encodeSafetensors(inputs));
  await cloud.putObject('inputs/text', Buffer.from('no request'));
  await cloud.putObject('inputs/other', encodeSafetensors(new Map([['z', int64([1], [1])]])));
  const inline = requestOf(inputs).inputs;
  const s3Item = (s3Key: unknown) => ({ inputs: { s3: s3Key } });
  const cases: [item: unknown, expected: string][] = [
    [s3Item('inputs/one'), 'done'],
    [s3Item('inputs/one'), 'done'],
    [s3Item('inputs/line\nend'), 'done'],
    [s3Item(long), 'done'],
    [{ id: 'same', inputs: inline }, 'done'],
    [{ id: 'same', inputs: requestOf(rows(1, 6)).inputs }, 'done'],
    [s3Item('inputs/missing'), "InvalidInput: the request's object is missing"],
    [s3Item('inputs/text'), "InvalidInput: 'inputs/text' is not a safetensors file"],
    [s3Item('inputs/other'), "InvalidInput: the model has no input 'z'"],
    [
      s3Item('inputs/../secret'),
      "InvalidInput: 'inputs.s3' of the execution's input must not contain the segments",
    ],
    [s3Item('elsewhere/one'), "InvalidInput: 'inputs.s3' of the execution's input must be a key below"],
    [{ id: 7.5, inputs: inline }, "InvalidInput: 'id' must be a string or a whole number"],
    [{ inputs: inline, output: {} }, "InvalidInput: an item must have no 'output'"],
    [[1], 'InvalidInput: an item of jsonLines must be a JSON object'],
    [{ inputs: {} }, "InvalidInput: 'inputs' of the execution's input must have exactly one"],
    [{ inputs: { s3: 'inputs/one', etag: 'a1-2' } }, "InvalidInput: the request's object s3://"],
    [{ inputs: { tensors: {}, etag: 'a1' } }, "InvalidInput: 'inputs.etag' of the execution's input must be"],
    [{ inputs: { s3: 'inputs/one', etag: 'a,b' } }, "InvalidInput: 'inputs.etag' of the execution's input"],
  ];
  await cloud.putObject('inputs/lists/bad.jsonl', text(cases.map(([item]) => item)));
  const { output, rows: table } = await runBatch(cloud, 'BadItems');
  const found = table.map(({ status, failure }, at) =>
    (failure ? `${failure.error}: ${failure.message}` : status).slice(0, cases[at][1].length),
  );
  expect(found).toEqual(cases.map(([, expected]) => expected));
  expect(output.items).toEqual({ total: 18, done: 6, skipped: 0, failed: 12, pending: 0 });
  expect(output.failures.reduce((sum, failure) => sum + failure.count, 0)).toBe(12);
  expect(table[15].failure?.message).toMatch(/one was replaced: write each request to a new key$/);
  expect(new Set(table.slice(2, 6).map(({ result }) => JSON.stringify(result))).size).toBe(4);
  for (const at of [0, 1, 2, 3, 4]) await expectResult(cloud, table[at], inputs);
  await expectResult(cloud, table[5], rows(1, 6));
  await cloud.putObject('inputs/missing', encodeSafetensors(rows(1, 8)));
  const again = await runBatch(cloud, 'BadItems');
  expect(again.output.items).toEqual({ total: 18, done: 1, skipped: 6, failed: 11, pending: 0 });
  await expectResult(cloud, again.rows[6], rows(1, 8));
});

test('runs all items whatever it tolerates, and a restart repeats only what failed', async () => {
  const names = Array.from({ length: 330 }, (_, at) => String(at).padStart(3, '0'));
  const keys = [...(await putRequests(cloud, names, 'inputs/many/')).keys()];
  const bad = keys.filter((_, at) => at % 40 === 7);
  for (const key of bad) await cloud.putObject(key, Buffer.from('no request'));
  const failed = await executed(cloud, 'Tolerant');
  expect(failed).toMatchObject({ status: 'FAILED', error: 'TooManyFailures' });
  const { errorMessage } = JSON.parse(failed.status === 'FAILED' ? failed.cause : '{}') as Record<
    string,
    string
  >;
  expect(errorMessage).toMatch(
    /^9 of 330 items failed, and the batch tolerates fewer: \d with InvalidInput: 'inputs\/many\/.*: the table outputs\/.*\.jsonl has all: start the batch again: it repeats only these$/,
  );
  const key = /the table (\S+) has/.exec(errorMessage)?.[1] ?? '';
  const table = await tableOf(cloud, { table: { bucket: '', key } });
  expect(table.filter(({ status }) => status === 'failed').map(({ item }) => item)).toEqual(bad);
  expect(table.filter(({ status }) => status === 'done')).toHaveLength(321);
  for (const own of bad) await cloud.putObject(own, encodeSafetensors(rows(1, 9)));
  const { output } = await runBatch(cloud, 'Tolerant');
  expect(output.items).toEqual({ total: 330, done: 9, skipped: 321, failed: 0, pending: 0 });
});

test('computes only what is new in a list with items appended, inserted and changed', async () => {
  const inline = (seed: number) => ({ id: `row ${seed}`, inputs: requestOf(rows(1, seed)).inputs });
  const items = 'inputs/lists/growing.jsonl';
  const run = async (seeds: readonly number[]) => {
    await cloud.putObject(items, text(seeds.map(inline)));
    return await runBatch(cloud, 'Lines', { items });
  };
  expect((await run([1, 2, 3, 4, 5])).output.items).toMatchObject({ done: 5 });
  expect((await run([1, 2, 3, 4, 5, 6])).output.items).toMatchObject({ done: 1, skipped: 5 });
  const inserted = await run([7, 1, 2, 8, 3, 4, 5, 6]);
  expect(inserted.output.items).toMatchObject({ done: 2, skipped: 6 });
  for (const [at, seed] of [7, 1, 2, 8, 3, 4, 5, 6].entries())
    await expectResult(cloud, inserted.rows[at], rows(1, seed));
});

test('says what a function of the user must answer to a pack', async () => {
  await cloud.putObject('inputs/raw/a', Buffer.from('a'));
  await cloud.putObject('inputs/raw/b', Buffer.from('b'));
  const failed = await executed(cloud, 'Unpacked');
  expect(failed).toMatchObject({ status: 'FAILED', error: 'TooManyFailures' });
  expect(failed.status === 'FAILED' && failed.cause).toMatch(
    /TypeError: .*: a function that gets a pack must answer a pack: .* set itemsPerRun of the batch to 1/,
  );
});

test('runs the functions of the user, whose answers are in the table', async () => {
  for (const name of ['a', 'bb', 'cccbad']) await cloud.putObject(`inputs/any/${name}`, Buffer.from(name));
  const { output, rows: table } = await runBatch(cloud, 'Functions');
  expect(output.items).toEqual({ total: 3, done: 2, skipped: 0, failed: 1, pending: 0 });
  expect(output.failures).toMatchObject([{ error: 'Error', item: 'inputs/any/cccbad', count: 1 }]);
  for (const { item, output: answer, result, processors } of table.slice(0, 2)) {
    expect(processors).toEqual([processorClass()]);
    const values = Array.from({ length: 16 }, (_, at) => at + item.length);
    const y = (await runWhole(MODEL, new Map([['x', float32([1, 16], values)]]))).get('y');
    expect(answer).toEqual({
      y: y?.dtype === 'float32' ? Buffer.from(y.bytes).toString('base64') : undefined,
    });
    expect(JSON.parse((await cloud.getObject(result?.key ?? '')).toString())).toMatchObject({
      output: answer,
    });
  }
  const again = await runBatch(cloud, 'Functions');
  expect(again.output.items).toEqual({ total: 3, done: 0, skipped: 2, failed: 1, pending: 0 });
  expect(again.rows.map((row) => row.output)).toEqual(table.map((row) => row.output));
});

test('calls the handlers of this package with packs, as often as answers need', async () => {
  const names = ['a', 'bb', 'ccc', 'dbad', 'eeeee', 'f', 'gg', 'hhh', 'poison', 'ii', 'jjj'];
  for (const name of names) await cloud.putObject(`inputs/packs/${name}`, Buffer.from(name));
  const { output, rows: table } = await runBatch(cloud, 'Packs');
  expect(output.items).toEqual({ total: 11, done: 9, skipped: 0, failed: 2, pending: 0 });
  expect(table.map(({ item }) => item)).toEqual([...names].sort().map((name) => `inputs/packs/${name}`));
  for (const { item, status, result, failure } of table) {
    if (status === 'failed') {
      const { error, message } = failure ?? {};
      expect([error, message]).toEqual(
        item.endsWith('bad')
          ? ['RangeError', `cannot read ${item}`]
          : ['Runtime.ExitError', expect.stringContaining('exit') as string],
      );
      continue;
    }
    const lines = (await cloud.getObject(result?.key ?? '')).toString('utf8').split('\n');
    const { output: answer } = JSON.parse(lines[result?.entry ?? -1]) as {
      readonly output: { readonly y: number[] };
    };
    const values = Array.from({ length: 16 }, (_, at) => at + item.length);
    const y = (await runWhole(MODEL, new Map([['x', float32([1, 16], values)]]))).get('y');
    expect(Buffer.from(Float32Array.from(answer.y).buffer)).toEqual(
      y?.dtype === 'float32' ? Buffer.from(y.bytes) : undefined,
    );
  }
  const again = await runBatch(cloud, 'Packs');
  expect(again.output.items).toMatchObject({ done: 0, skipped: 9, failed: 2 });
});

test('uses the function of the whole model once it is warm', async () => {
  const requests = await putRequests(cloud, NAMES, 'inputs/warm/');
  await runBatch(cloud, 'Warm', { items: 'inputs/warm/1' });
  await cloud.asynchronousCalls();
  const { output, rows: table } = await runBatch(cloud, 'Warm');
  expect(output.usage.find(({ whole }) => whole)?.calls).toBeGreaterThan(0);
  for (const [at, inputs] of [...requests.values()].entries()) await expectResult(cloud, table[at], inputs);
});

test('computes the results anew after the code of a handler has changed', async () => {
  await cloud.putObject('inputs/any/a', Buffer.from('a'));
  const items = 'inputs/any/a';
  await runBatch(cloud, 'Functions', { items });
  const use = (stack: Stack, plain: SlicedInferencePipeline) => {
    addBatches(stack, plain, `exports.handler = async () => 'other';`);
  };
  await cloud.deploy(synthesize(MODEL, () => PLAIN, { use }));
  const { output, rows: table } = await runBatch(cloud, 'Functions', { items });
  expect(output.items).toMatchObject({ done: 1, skipped: 0 });
  expect(table[0].output).toBe('other');
});

test('computes the results anew after the model has changed', async () => {
  const other = saveModel(retrained(mlp(4)));
  const use = (_: Stack, pipeline: SlicedInferencePipeline) => {
    addBatch(pipeline, 'Objects', BatchItems.objects(PREFIX));
  };
  await cloud.deploy(synthesize(other, () => PLAIN, { use }));
  const [[key, inputs]] = await putRequests(cloud, NAMES.slice(0, 1));
  const { output, rows: table } = await runBatch(cloud, 'Objects', { items: key });
  expect(output.items).toMatchObject({ done: 1, skipped: 0 });
  await expectResult(cloud, table[0], inputs, other);
});
