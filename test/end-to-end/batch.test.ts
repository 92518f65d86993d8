/** Batches in the local cloud: each source of items, bad items, reruns, redrives, stacks and functions of the user. */
import { gzipSync } from 'node:zlib';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { decodeSafetensors, encodeSafetensors } from '../../lambda/tensors/safetensors';
import { BatchItems, Consolidation, Stacking } from '../../lib';
import { compile } from '../../lib/compile/compile';
import { stackingToken } from '../../lib/plan/stacking-token';
import { count } from '../../lib/plan/slicers';
import type { LocalCloud } from '../../local';
import {
  deployBatch,
  expectResult,
  MODEL,
  outputOf,
  PREFIX,
  putRequests,
  redriven,
  runBatch,
  startBatch,
  synthesizeBatch,
  tableOf,
} from '../support/deployed-batch';
import { requestOf, rows, userFunction } from '../support/deployed-pipeline';
import { attribute, modelOf, node, saveModel, mlp, retrained, INT64, floats } from '../support/model-builder';
import { runWhole, expectSameBits, type Tensors } from '../support/run-slices';
import { int64 } from '../support/tensors';
import { writtenPlan } from '../support/written-plan';

const NAMES = Array.from({ length: 9 }, (_, index) => `${index}.safetensors`);

const text = (lines: readonly unknown[]): Buffer =>
  Buffer.from(lines.map((line) => `${JSON.stringify(line)}\n`).join(''));

const byKey = (column: string, rowsOfFile: readonly string[]): Buffer =>
  Buffer.from([column, ...rowsOfFile].join('\r\n'));

/** By source: the items of the construct, and how the requests are listed there. */
const SOURCES: Record<string, [BatchItems, (cloud: LocalCloud, keys: readonly string[]) => Promise<void>]> = {
  'the objects below a prefix': [
    BatchItems.objects(PREFIX),
    (cloud) => cloud.putObject(`${PREFIX}folder/`, Buffer.alloc(0)),
  ],
  'the lines of an object': [
    BatchItems.jsonLines('inputs/list.jsonl'),
    (cloud, keys) => cloud.putObject('inputs/list.jsonl', text(keys.map((key) => ({ inputs: { s3: key } })))),
  ],
  'the rows of an object with a byte order mark, quoted commas and another column': [
    BatchItems.csv('inputs/list.csv', 'key'),
    (cloud, keys) =>
      cloud.putObject(
        'inputs/list.csv',
        byKey(
          '\ufeffkey,note',
          keys.map((key) => `"${key}","a, ""b""\n${key}"`),
        ),
      ),
  ],
};

test.each(Object.keys(SOURCES))('runs %s in their order, and once', async (source) => {
  const [items, list] = SOURCES[source];
  const cloud = await deployBatch({ items: () => items });
  const requests = await putRequests(cloud, NAMES);
  await list(cloud, [...requests.keys()]);
  const { output, rows: table } = await runBatch(cloud);
  expect(output.items).toEqual({ total: 9, done: 9, skipped: 0, failed: 0 });
  expect(output.usage.map(({ slice, calls }) => [slice, calls])).toEqual([
    [0, 9],
    [1, 9],
  ]);
  for (const [at, [key, inputs]] of [...requests].entries()) {
    expect(table[at]).toMatchObject({
      item: source === 'the lines of an object' ? `#${at}` : key,
      status: 'done',
      attempt: 1,
    });
    await expectResult(cloud, table[at], inputs);
  }
  const again = await runBatch(cloud);
  expect(again.output.items).toEqual({ total: 9, done: 0, skipped: 9, failed: 0 });
  expect(again.rows.map(({ result }) => result)).toEqual(table.map(({ result }) => result));
  await cloud.putObject([...requests.keys()][4], encodeSafetensors(rows(1, 77)));
  const changed = await runBatch(cloud);
  expect(changed.output.items).toEqual({ total: 9, done: 1, skipped: 8, failed: 0 });
  await expectResult(cloud, changed.rows[4], rows(1, 77));
});

test('runs the objects of an inventory, and a smaller place that an execution names', async () => {
  const inventory = 'reports/all/2026-11-01T00-00Z/manifest.json';
  const cloud = await deployBatch({
    pipeline: (stack) => ({ bucket: new s3.Bucket(stack, 'Own', { encryption: s3.BucketEncryption.KMS }) }),
    items: ({ bucket }) => BatchItems.inventory(inventory, bucket),
  });
  const requests = await putRequests(cloud, ['a b.safetensors', 'ü+.safetensors']);
  const keys = [...requests.keys()].map((key) =>
    encodeURIComponent(key).replaceAll('%2F', '/').replaceAll('%20', '+'),
  );
  const { bucket } = cloud.pipeline;
  await cloud.putObject(
    'reports/all/data/1.csv.gz',
    gzipSync(keys.map((key) => `"${bucket}","${key}","9"\n`).join('')),
  );
  const manifest = {
    sourceBucket: bucket,
    destinationBucket: `arn:aws:s3:::${bucket}`,
    version: '2016-11-30',
    fileFormat: 'CSV',
    fileSchema: 'Bucket, Key, Size',
    files: [{ key: 'reports/all/data/1.csv.gz', size: 1 }],
  };
  await cloud.putObject(inventory, Buffer.from(JSON.stringify(manifest)));
  await cloud.putObject(
    'reports/all/2026-11-02T00-00Z/manifest.json',
    Buffer.from(JSON.stringify({ ...manifest, files: [] })),
  );
  const { output, rows: table } = await runBatch(cloud);
  expect(output.items).toMatchObject({ total: 2, done: 2 });
  for (const [at, inputs] of [...requests.values()].entries()) await expectResult(cloud, table[at], inputs);
  const none = await cloud.execute({ items: 'reports/all/2026-11-02T00-00Z/manifest.json' });
  expect(none).toMatchObject({ status: 'FAILED', error: 'NoItems' });
});

test('accounts for each bad item, and repeats only these', async () => {
  const cloud = await deployBatch({ items: () => BatchItems.jsonLines('inputs/list.jsonl'), itemsPerRun: 3 });
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
    [{ id: 7, inputs: inline }, "InvalidInput: 'id' must be a string"],
    [{ inputs: inline, output: {} }, "InvalidInput: an item must have no 'output'"],
    [[1], 'InvalidInput: an item of jsonLines must be a JSON object'],
    [{ inputs: {} }, "InvalidInput: 'inputs' of the execution's input must have exactly one"],
  ];
  await cloud.putObject('inputs/list.jsonl', text(cases.map(([item]) => item)));
  const { output, rows: table } = await runBatch(cloud);
  const found = table.map(({ status, failure }, at) =>
    (failure ? `${failure.error}: ${failure.message}` : status).slice(0, cases[at][1].length),
  );
  expect(found).toEqual(cases.map(([, expected]) => expected));
  expect(output.items).toEqual({ total: 15, done: 6, skipped: 0, failed: 9 });
  expect(output.failures.reduce((sum, failure) => sum + failure.count, 0)).toBe(9);
  expect(new Set(table.slice(2, 6).map(({ result }) => result)).size).toBe(4);
  for (const at of [0, 1, 2, 3, 4]) await expectResult(cloud, table[at], inputs);
  await expectResult(cloud, table[5], rows(1, 6));
  await cloud.putObject('inputs/missing', encodeSafetensors(rows(1, 8)));
  const again = await runBatch(cloud);
  expect(again.output.items).toEqual({ total: 15, done: 1, skipped: 6, failed: 8 });
  await expectResult(cloud, again.rows[6], rows(1, 8));
});

test('ends early above the tolerated failures, and a redrive repeats only what failed', async () => {
  const cloud = await deployBatch({ itemsPerRun: 1, maxConcurrency: 1, toleratedFailures: 1 });
  const requests = await putRequests(cloud, NAMES);
  const keys = [...requests.keys()];
  for (const key of keys.slice(3, 5)) await cloud.putObject(key, Buffer.from('no request'));
  const failed = await cloud.execute({});
  expect(failed).toMatchObject({ status: 'FAILED', error: 'States.ExceedToleratedFailureThreshold' });
  for (const key of keys.slice(3, 5)) await cloud.putObject(key, encodeSafetensors(rows(1, 9)));
  const output = outputOf(await redriven(cloud, failed));
  expect(output.items).toEqual({ total: 9, done: 9, skipped: 0, failed: 0 });
  const table = await tableOf(cloud, output);
  expect(table.map(({ attempt }) => attempt)).toEqual([1, 1, 1, 2, 2, 2, 2, 2, 2]);
});

test('fails after the table if more items failed than it tolerates, of runs with several items', async () => {
  const cloud = await deployBatch({ itemsPerRun: 9, toleratedFailures: 1 });
  const [first, second] = [...(await putRequests(cloud, NAMES)).keys()];
  for (const key of [first, second]) await cloud.putObject(key, Buffer.from('no request'));
  const result = await cloud.execute({}, { name: 'nightly' });
  expect(result).toMatchObject({ status: 'FAILED', error: 'TooManyFailures' });
  const key = /the table (\S+) has/.exec('cause' in result ? result.cause : '')?.[1] ?? '';
  const table = await tableOf(cloud, { table: { bucket: '', key } });
  expect(table.filter(({ status }) => status === 'failed').map(({ item }) => item)).toEqual([first, second]);
});

test('computes the results anew after the model has changed', async () => {
  const other = saveModel(retrained(mlp(4)));
  const cloud = await startBatch(synthesizeBatch());
  const [[, inputs]] = await putRequests(cloud, NAMES.slice(0, 1));
  expect((await runBatch(cloud)).output.items.done).toBe(1);
  await cloud.deploy(synthesizeBatch({ model: other }));
  const {
    output,
    rows: [row],
  } = await runBatch(cloud);
  expect(output.items).toMatchObject({ done: 1, skipped: 0 });
  await expectResult(cloud, row, inputs, other);
});

test('runs the functions of the user, whose answers are in the table', async () => {
  const before = `exports.handler = async ({ bucket, key }) => {
    if (key.endsWith('bad')) throw new Error('cannot read ' + bucket + '/' + key);
    const data = Array.from({ length: 16 }, (_, at) => at + key.length);
    return { version: 1, inputs: { tensors: { x: { dtype: 'float32', shape: [1, 16], data } } } };
  };`;
  const after = `exports.handler = async ({ outputs: { tensors: { y } } }) => ({ y: y.base64 });`;
  const cloud = await deployBatch({
    pipeline: (stack) => ({
      preprocess: userFunction(stack, 'Before', before),
      postprocess: userFunction(stack, 'After', after),
    }),
  });
  for (const name of ['a', 'bb', 'cccbad']) await cloud.putObject(`${PREFIX}${name}`, Buffer.from(name));
  const { output, rows: table } = await runBatch(cloud);
  expect(output.items).toEqual({ total: 3, done: 2, skipped: 0, failed: 1 });
  expect(output.failures).toMatchObject([{ error: 'Error', item: `${PREFIX}cccbad`, count: 1 }]);
  for (const { item, output: answer, result = '' } of table.slice(0, 2)) {
    const data = Float32Array.from({ length: 16 }, (_, at) => at + item.length);
    const inputs: Tensors = new Map([
      ['x', { dtype: 'float32', shape: [1, 16], bytes: new Uint8Array(data.buffer) }],
    ]);
    const y = (await runWhole(MODEL, inputs)).get('y');
    expect(answer).toEqual({
      y: y?.dtype === 'float32' ? Buffer.from(y.bytes).toString('base64') : undefined,
    });
    expect(JSON.parse((await cloud.getObject(result)).toString())).toEqual(answer);
  }
  expect((await runBatch(cloud)).output.items).toEqual({ total: 3, done: 0, skipped: 2, failed: 1 });
});

test('stacks items, and runs those of a stack that fails alone', async () => {
  // The rows of a table, by index: an index outside of it fails the whole stack.
  const model = saveModel({
    ...modelOf(
      [node('Gather', ['table', 'i'], ['g'], [attribute.int('axis', 0)]), node('Tanh', ['g'], ['y'])],
      { i: { type: INT64, dims: ['batch', 2] } },
      [floats('table', [8, 4])],
    ),
  });
  const { plan } = writtenPlan(compile(model, count(2), { dimensions: { batch: 4 } }));
  const cloud = await deployBatch({
    ...{ model, itemsPerRun: 8, stacking: Stacking.verified(stackingToken(plan, 4)) },
    pipeline: () => ({ dimensions: { batch: 4 } }),
  });
  const requests = new Map<string, Tensors>();
  for (const [at, index] of [0, 1, 2, 3, 4, 99, 6, 7].entries())
    requests.set(`${PREFIX}${at}`, new Map([['i', int64([1, 2], [index, 1])]]));
  for (const [key, inputs] of requests) await cloud.putObject(key, encodeSafetensors(inputs));
  await cloud.putObject(`${PREFIX}8`, encodeSafetensors(new Map([['i', int64([2, 2], [1, 2, 3, 4])]])));
  const { output, rows: table } = await runBatch(cloud);
  expect(output.items).toEqual({ total: 9, done: 8, skipped: 0, failed: 1 });
  // A stack of four, one of four that fails and its items alone, and the last item in a child of its own.
  expect(output.usage[0].calls).toBe(1 + 3 + 1);
  expect(table[5]).toMatchObject({ status: 'failed', failure: { error: 'SliceFailed' } });
  for (const at of [0, 1, 2, 3, 4, 6, 7])
    await expectResult(cloud, table[at], requests.get(`${PREFIX}${at}`) ?? new Map(), model);
  const both = decodeSafetensors(await cloud.getObject(table[8].result ?? ''));
  expectSameBits(both, await runWhole(model, new Map([['i', int64([2, 2], [1, 2, 3, 4])]])));
});

test('uses the function of the whole model once it is warm', async () => {
  const cloud = await deployBatch({
    pipeline: () => ({ consolidation: Consolidation.ALWAYS }),
    maxConcurrency: 1,
  });
  const requests = await putRequests(cloud, NAMES);
  outputOf(await cloud.execute({ items: `${PREFIX}0` }));
  await cloud.asynchronousCalls();
  const { output, rows: table } = await runBatch(cloud);
  expect(output.usage.find(({ whole }) => whole)?.calls).toBeGreaterThan(0);
  for (const [at, inputs] of [...requests.values()].entries()) await expectResult(cloud, table[at], inputs);
});
