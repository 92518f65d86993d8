/** Batches: how they start, how far they are, what they return, and what is refused. */
import { Readable } from 'node:stream';
import { type BatchOptions, type BatchRow, encodeTensors } from '../../client';
import type { BatchSignature } from '../../contract/batch';
import { float32 } from '../support/tensors';
import { BATCH_OUTPUT, describedBatch, FAILURE, RESULTS } from '../support/batch-answers';
import { body, fakeAws, inTurn, MACHINE, serviceError, type Answers } from '../support/fake-aws';

const EXECUTION = MACHINE.replace('stateMachine', 'execution') + ':';
const ROWS: BatchRow[] = [
  { index: 0, item: 'é\n', status: 'skipped', result: { key: `${RESULTS}abc/a.jsonl`, entry: 1 } },
  {
    index: 1,
    item: 'b',
    status: 'done',
    result: { key: `${RESULTS}abc/b.jsonl`, entry: 0 },
    output: { label: 7 },
    processors: ['arm64'],
  },
  { index: 2, item: 'c', status: 'failed', failure: FAILURE },
  { index: 3, item: 'd', status: 'done', result: { key: `${RESULTS}abc/d.safetensors`, entry: 1 } },
  { index: 4, item: 'e', status: 'pending' },
  { index: 5, item: 'f', status: 'done', result: { key: `${RESULTS}abc/d.safetensors`, entry: 0 } },
];

const STORED = '{"digest": "0", "output": 1}\n{"digest": "1", "output": {"label": 5}}\n';
const PACK = encodeTensors(
  new Map([
    ['0/y', float32([1], [1])],
    ['1/y', float32([1], [2])],
  ]),
);

function succeeded(changes = {}) {
  return { status: 'SUCCEEDED', output: JSON.stringify({ ...BATCH_OUTPUT, ...changes }) };
}

const lines = (rows: readonly unknown[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join('');

/** Answers ranges of the table in parts of 7 bytes, whatever the client asks for. */
function ofTable(text: string, { Range, IfMatch }: Readonly<Record<string, unknown>>) {
  const bytes = Buffer.from(text);
  const start = Number(/^bytes=(\d+)-/.exec(String(Range))?.[1]);
  if (IfMatch !== (start === 0 ? undefined : 'tag')) throw new Error(`the test got ${String(IfMatch)}`);
  const range = bytes.subarray(start, start + 7);
  const ContentRange = `bytes ${start}-${start + range.length - 1}/${bytes.length}`;
  return { Body: Readable.from([range]), ContentLength: range.length, ContentRange, ETag: 'tag' };
}

function batchAws(answers: Answers = {}, table = lines(ROWS)) {
  return fakeAws({
    DescribeStateMachine: () => describedBatch(),
    StartExecution: () => ({ executionArn: `${EXECUTION}night` }),
    DescribeExecution: () => succeeded(),
    GetObject: (input) => {
      if (input.Range !== undefined) return ofTable(table, input);
      return body(String(input.Key).endsWith('.jsonl') ? Buffer.from(STORED) : PACK);
    },
    ListObjectsV2: () => ({ Contents: [] }),
    ListMapRuns: () => ({ mapRuns: [{ mapRunArn: 'the map run' }] }),
    ...answers,
  });
}

async function all<T>(values: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const value of values) found.push(value);
  return found;
}

it('returns the account and the rows in order, also if the execution is not known at once', async () => {
  const unknown = serviceError('ExecutionDoesNotExist');
  const DescribeExecution = inTurn(unknown, { status: 'RUNNING' }, succeeded());
  const aws = batchAws({ DescribeExecution });
  const batch = await aws.model.batch({ items: 'inputs/docs/november/', name: 'night' });
  expect(aws.sent('StartExecution')).toEqual([
    { stateMachineArn: MACHINE, name: 'night', input: '{"items":"inputs/docs/november/"}' },
  ]);
  expect(await batch.result()).toEqual(BATCH_OUTPUT);
  const rows = await all(batch.rows());
  expect(rows).toEqual(ROWS.map((row) => ({ ...row, read: expect.any(Function) as () => void })));
  expect([await rows[0].read(), await rows[1].read(), await rows[3].read()]).toMatchObject([
    ...[{ output: { label: 5 } }, { output: { label: 7 } }],
    { outputs: { y: { dtype: 'float32', shape: [1], data: Float32Array.of(2) } } },
  ]);
  const message = "the item 'c' failed: convert it";
  await expect(rows[2].read()).rejects.toMatchObject({ name: 'InvalidInput', message });
  await expect(rows[4].read()).rejects.toMatchObject({ name: 'ItemsPending' });
  expect(await rows[5].read()).toMatchObject({ outputs: { y: { data: Float32Array.of(1) } } });
  // Rows 3 and 5 share an object, which is read once.
  expect(aws.sent('GetObject').filter(({ Key }) => String(Key).endsWith('d.safetensors'))).toHaveLength(1);
});

it('starts once although the answer was lost', async () => {
  const lost = Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' });
  const aws = batchAws({ StartExecution: inTurn(lost, serviceError('ExecutionAlreadyExists')) });
  const { executionArn } = await aws.model.batch();
  const [first, second] = aws.sent('StartExecution');
  expect(second).toEqual(first);
  expect(executionArn).toBe(`${EXECUTION}${String(first.name)}`);
});

it.each([
  [true, { items: 'inputs/docs/', again: true }],
  [false, { items: 'inputs/docs/' }],
])('runs items again that have a result if the caller wants it: %s', async (again, input) => {
  const aws = batchAws();
  await aws.model.batch({ items: 'inputs/docs/', again });
  expect(JSON.parse(String(aws.sent('StartExecution')[0].input))).toEqual(input);
});

it('reads an object once for the rows of it that are near each other, and holds few objects', async () => {
  const keyOf = (object: number) => `${RESULTS}abc/${object}.safetensors`;
  const order = [0, 1, 0, 2, 0, 3, 0, 4, 0, 1];
  const rows = order.map((object, index) => ({
    ...{ index, item: `${index}`, status: 'done' },
    result: { key: keyOf(object), entry: index % 2 },
  }));
  const aws = batchAws({}, lines(rows));
  const found = await all((await aws.model.batch()).rows());
  for (const [at, row] of found.entries())
    expect(await row.read()).toMatchObject({ outputs: { y: { data: Float32Array.of(1 + (at % 2)) } } });
  const read = aws.sent('GetObject').flatMap(({ Key, Range }) => (Range === undefined ? [Key] : []));
  // The object 1 was the oldest when the object 4 came.
  expect(read).toEqual([0, 1, 2, 3, 4, 1].map((object) => keyOf(object)));
});

it('gives each reader of a result its own copy, which keeps no other result in memory', async () => {
  const row = (await all((await batchAws().model.batch()).rows()))[3];
  const [first, second] = [await row.read(), await row.read()].map(({ outputs = {} }) => outputs.y);
  (first.data as Float32Array).fill(7);
  expect(second.data).toEqual(Float32Array.of(2));
  expect((second.data as Float32Array).buffer.byteLength).toBe(4);
});

it('reads an object again that it could not read', async () => {
  const GetObject = inTurn(serviceError('AccessDenied', 403), body(PACK));
  const aws = batchAws();
  const [row] = (await all((await aws.model.batch()).rows())).slice(3);
  const failing = batchAws({
    GetObject: (input) => (input.Range === undefined ? GetObject() : ofTable(lines(ROWS), input)),
  });
  const [denied] = (await all((await failing.model.batch()).rows())).slice(3);
  await expect(denied.read()).rejects.toThrow();
  expect(await denied.read()).toEqual(await row.read());
});

it('counts no more items as failed than have ended', async () => {
  const Contents = [{ Key: `${RESULTS}failures/night/3-0a-9.json` }];
  const aws = batchAws({
    DescribeExecution: () => ({ status: 'ABORTED' }),
    DescribeMapRun: () => ({ itemCounts: { total: 12, succeeded: 5, running: 7 } }),
    ListObjectsV2: () => ({ Contents }),
  });
  const [progress] = await all((await aws.model.batch()).progress());
  expect(progress).toMatchObject({ total: 12, done: 0, failed: 5, running: 7 });
});

it('reports progress until the execution has ended', async () => {
  const itemCounts = { total: 12, succeeded: 5, failed: 1, timedOut: 1, aborted: 2, running: 2, pending: 1 };
  const Contents = ['3-0a-2.json', '8-0b-1.json', 'other'].map((name) => ({
    Key: `${RESULTS}failures/night/${name}`,
  }));
  const aws = batchAws({
    DescribeExecution: inTurn({ status: 'RUNNING' }, { status: 'TIMED_OUT' }),
    ListMapRuns: inTurn({ mapRuns: [] }, { mapRuns: [{ mapRunArn: 'the map run' }] }),
    DescribeMapRun: () => ({ itemCounts }),
    ListObjectsV2: inTurn(
      {},
      { Contents: Contents.slice(1), NextContinuationToken: 'more' },
      { Contents: Contents.slice(0, 1) },
    ),
  });
  const [first, last] = await all((await aws.model.batch()).progress());
  expect(first).toEqual({ total: 0, done: 0, failed: 0, running: 0, pending: 0, perSecond: 0 });
  expect(last).toMatchObject({ total: 12, done: 2, failed: 5, running: 2, pending: 3 });
  expect(aws.sent('ListObjectsV2').at(-1)).toMatchObject({ Prefix: `${RESULTS}failures/night/` });
  expect(last.perSecond).toBeGreaterThan(0);
  expect(last.endsAt?.getTime()).toBeGreaterThan(Date.now() - 1000);
});

it.each([
  ['the output', succeeded(), { total: 3, done: 2, failed: 1, running: 0, pending: 0 }],
  [
    'the table',
    { status: 'FAILED', error: 'ItemsPending', cause: 'late' },
    { total: 6, done: 4, failed: 1, running: 0, pending: 1 },
  ],
])(
  'reports at its end what %s has, because children whose items had no time succeed too',
  async (_, end, items) => {
    const aws = batchAws({
      DescribeExecution: () => end,
      DescribeMapRun: () => ({ itemCounts: { total: 6, succeeded: 6 } }),
    });
    const [last] = await all((await aws.model.batch()).progress());
    expect(last).toMatchObject(items);
  },
);

it('ends its progress also without the table', async () => {
  const aws = batchAws({
    DescribeExecution: () => ({ status: 'FAILED', error: 'X', cause: 'no table' }),
    DescribeMapRun: () => ({ itemCounts: { total: 6, succeeded: 5, failed: 1 } }),
    GetObject: inTurn(serviceError('NoSuchKey', 404)),
  });
  const [last] = await all((await aws.model.batch()).progress());
  expect(last).toMatchObject({ total: 6, done: 5, failed: 1 });
});

it.each<[object, string, RegExp]>([
  [{ status: 'ABORTED' }, 'ExecutionAborted', /^the batch must succeed, got stopped: start it again: what /],
  [
    { status: 'FAILED', error: 'NoItems', cause: '{"errorMessage": "got none: start the batch again"}' },
    'NoItems',
    /^got none: start the batch again$/,
  ],
  [
    { status: 'FAILED', error: 'X', cause: 'many' },
    'X',
    /^the batch must succeed, got many: start it again: what has a result is skipped$/,
  ],
])('says what to do after %j', async (end, name, message) => {
  const batch = await batchAws({ DescribeExecution: () => end }).model.batch();
  const { executionArn } = batch;
  await expect(batch.result()).rejects.toMatchObject({ name, executionArn });
  await expect(batch.result()).rejects.toThrow(message);
});

it.each<[BatchOptions, Answers, RegExp]>([
  [
    { items: 'inputs/' },
    {},
    /^items must be below 'inputs\/docs\/' in the bucket 'the-bucket', got 'inputs\/': /,
  ],
  [{ executionArn: 'x' }, {}, /^option executionArn must begin with arn:\S+:execution:M:, got 'x'/],
  [
    { stateMachineArn: MACHINE.replace('us-east-1', 'eu-west-1') },
    {},
    /must be in the region us-east-1 of the client, got eu-w/,
  ],
  [{}, { DescribeStateMachine: () => ({ type: 'STANDARD', definition: '{}' }) }, /got a comment without/],
  [{}, { DescribeStateMachine: () => describedBatch({ version: 2 } as object) }, /got a signature of ver/],
  [{}, { DescribeStateMachine: () => describedBatch({ resultsPrefix: 'x' }) }, /got a malformed signature: /],
  [
    { name: 'old' },
    { StartExecution: inTurn(serviceError('ExecutionAlreadyExists')) },
    /^the name of a batch must be new, .*'old': /,
  ],
])('refuses %j', async (options, answers, message) => {
  await expect(batchAws(answers).model.batch(options)).rejects.toThrow(message);
});

const LISTS = { kind: 'csv', bucket: 'the-bucket', folder: 'lists/', column: 'key' } as const;
const ONE = { ...LISTS, location: 'lists/a.csv' };
const ALL = { ...LISTS, location: 'lists/' };

it.each<[BatchSignature['items'], string, string]>([
  [ONE, 'lists/b/', 'the key of one list'],
  [ONE, 'lists/', 'the key of one list'],
  [ALL, 'lists/b.csv', 'a prefix with a slash at its end'],
  [{ ...ONE, kind: 'jsonArray' }, 'lists/b/', 'the key of one list'],
  [{ ...ONE, kind: 'inventory' }, 'lists/b/', 'the key of one list'],
])('refuses for items %j a place of the other kind: %s', async (own, items, expected) => {
  const aws = batchAws({ DescribeStateMachine: () => describedBatch({ items: own }) });
  await expect(aws.model.batch({ items })).rejects.toMatchObject({
    name: 'InvalidInput',
    message: `items must be ${expected}, below 'lists/' in the bucket 'the-bucket', got '${items}': correct it or leave it out`,
  });
  expect(aws.sent('StartExecution')).toEqual([]);
});

it.each<[string, Partial<BatchSignature>]>([
  ['lists/b.csv', { items: ONE }],
  ['lists/b/', { items: ALL }],
  ['inputs/docs/november', {}],
  ['inputs/docs/november/', {}],
])('takes a place of the same kind, and any beginning of the names of objects: %s', async (items, own) => {
  const aws = batchAws({ DescribeStateMachine: () => describedBatch(own) });
  await aws.model.batch({ items });
  expect(JSON.parse(String(aws.sent('StartExecution')[0].input))).toEqual({ items });
});

it.each<[string, object, string, RegExp]>([
  ['another version', { version: 2 }, '', /version 1, got another one/],
  ['a table elsewhere', { table: { bucket: 'x', key: `${RESULTS}tables/night.jsonl` } }, '', /the table 'o/],
  ['an account without counts', { items: { total: 1 } }, '', /the items of a batch, got/],
  ['causes without names', { failures: [{}] }, '', /the failures of a batch/],
  ['usage below zero', { usage: [{ calls: -1, mbMs: 0 }] }, '', /the usage of a batch/],
  ['a row twice', {}, lines([ROWS[0], ROWS[0]]), /row 1 of the table with index/],
  [
    'a result elsewhere',
    {},
    lines([{ ...ROWS[0], result: { key: `${RESULTS}../x`, entry: 0 } }]),
    /a result below 'outputs\/n/,
  ],
  [
    'a result in another folder',
    {},
    lines([{ ...ROWS[0], result: { key: 'outputs/other/x', entry: 0 } }]),
    /a result below 'outputs\/n/,
  ],
  [
    'a result without an entry',
    {},
    lines([{ ...ROWS[0], result: { key: `${RESULTS}x` } }]),
    /a result below/,
  ],
  ['a pending item with a result', {}, lines([{ ...ROWS[0], status: 'pending' }]), /row 0 of the table/],
  ['an account without runs', { runs: undefined }, '', /the runs of a batch/],
  ['a failure without a name', {}, lines([{ ...ROWS[2], failure: 'x' }]), /row 0 of the table with index/],
  ['processors without names', {}, lines([{ ...ROWS[0], processors: [7] }]), /row 0 of the table with index/],
  ['a row that is cut off', {}, lines(ROWS).slice(0, -1), /row 5 of the table with index/],
])('refuses %s', async (_, changes, table, message) => {
  const batch = await batchAws({ DescribeExecution: () => succeeded(changes) }, table).model.batch();
  await expect(all(batch.rows())).rejects.toThrow(message);
});

it('ends the wait and not the batch when the signal is aborted or the client closes', async () => {
  const aws = batchAws({ DescribeExecution: () => ({ status: 'RUNNING' }) });
  const controller = new AbortController();
  const batch = await aws.model.batch({ signal: controller.signal });
  const other = await aws.model.batch();
  const waits = [
    expect(batch.result()).rejects.toThrow('enough'),
    expect(other.result()).rejects.toThrow(/^the client must stay open during a call/),
  ];
  controller.abort(new Error('enough'));
  await waits[0];
  await aws.model.close();
  await waits[1];
  expect(aws.names()).not.toContain('StopExecution');
});
