/** Batches: how they start, how far they are, what they return, and what is refused. */
import { Readable } from 'node:stream';
import {
  encodeTensors,
  tensorFrom,
  type BatchOptions,
  type BatchOutput,
  type BatchRow,
  type BatchSignature,
  type InferenceError,
} from '../../client';
import { BATCH_SIGNATURE_KEY } from '../../contract/batch';
import { body, fakeAws, inTurn, MACHINE, serviceError, SIGNATURE, type Answers } from '../support/fake-aws';

const RESULTS = 'outputs/nightly-1a2b/';
const EXECUTION = MACHINE.replace('stateMachine', 'execution') + ':';
const { bucket, deploymentDigest, inputs, outputs } = SIGNATURE;
const BATCH: BatchSignature = {
  ...{ version: 1, bucket, deploymentDigest, inputs, outputs },
  items: { kind: 'objects', bucket, location: 'inputs/docs/' },
  ...{ itemsPerRun: 8, maxConcurrency: 100, resultsPrefix: RESULTS },
};
const OUTPUT: BatchOutput = {
  ...{ version: 1, deploymentDigest, milliseconds: 20 },
  table: { bucket, key: `${RESULTS}tables/run.jsonl` },
  items: { total: 4, done: 2, skipped: 1, failed: 1 },
  failures: [{ error: 'InvalidInput', message: 'convert it', count: 1, item: 'd' }],
  usage: [{ slice: 0, calls: 3, mbMs: 3000 }],
};
const FAILURE = { error: 'InvalidInput', message: 'convert it' };
const ROWS: BatchRow[] = [
  { index: 0, item: 'a', status: 'done', result: `${RESULTS}abc/a.safetensors`, ms: 10, attempt: 1 },
  { index: 1, item: 'é\n', status: 'skipped', result: `${RESULTS}abc/b.json`, attempt: 1 },
  { index: 2, item: 'c', status: 'done', result: `${RESULTS}abc/c.json`, output: { label: 7 }, attempt: 1 },
  { ...{ index: 3, item: 'd', status: 'failed', attempt: 2 }, failure: FAILURE },
];

function described(signature: unknown = BATCH) {
  const comment = JSON.stringify({ [BATCH_SIGNATURE_KEY]: signature });
  return { type: 'STANDARD', definition: JSON.stringify({ Comment: comment }) };
}

function succeeded(output: unknown = OUTPUT) {
  return { status: 'SUCCEEDED', output: JSON.stringify(output) };
}

const lines = (rows: readonly unknown[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join('');

/** Answers ranges of the table in parts of this size, whatever the client asks for. */
function ofTable(text: string, part = 7) {
  const bytes = Buffer.from(text);
  return ({ Range, IfMatch }: Readonly<Record<string, unknown>>) => {
    const start = Number(/^bytes=(\d+)-/.exec(String(Range))?.[1]);
    if (IfMatch !== (start === 0 ? undefined : 'tag')) throw new Error(`the test got ${String(IfMatch)}`);
    const range = bytes.subarray(start, start + part);
    const ContentRange = `bytes ${start}-${start + range.length - 1}/${bytes.length}`;
    return { Body: Readable.from([range]), ContentLength: range.length, ContentRange, ETag: 'tag' };
  };
}

const objects: Readonly<Record<string, Uint8Array>> = {
  [`${RESULTS}abc/a.safetensors`]: encodeTensors(
    new Map([['y', tensorFrom('float32', [1], Float32Array.of(2))]]),
  ),
  [`${RESULTS}abc/b.json`]: Buffer.from('{"label": 5}'),
};

function batchAws(answers: Answers = {}, table = lines(ROWS)) {
  const ofRange = ofTable(table);
  return fakeAws({
    DescribeStateMachine: () => described(),
    StartExecution: () => ({}),
    DescribeExecution: () => succeeded(),
    GetObject: (input) => (input.Range === undefined ? body(objects[String(input.Key)]) : ofRange(input)),
    ListMapRuns: () => ({ mapRuns: [{ mapRunArn: 'the map run' }] }),
    StopExecution: () => ({}),
    RedriveExecution: () => ({}),
    ...answers,
  });
}

function failure(call: Promise<unknown>): Promise<InferenceError> {
  const succeeds = () => Promise.reject(new Error('the call succeeded'));
  return call.then(succeeds, (error: unknown) => error as InferenceError);
}

async function all<T>(values: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const value of values) found.push(value);
  return found;
}

it('starts once although the answer was lost, and returns the account and the rows in order', async () => {
  const lost = Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' });
  const aws = batchAws({
    StartExecution: inTurn(lost, serviceError('ExecutionAlreadyExists')),
    DescribeExecution: inTurn(serviceError('ExecutionDoesNotExist'), { status: 'RUNNING' }, succeeded()),
  });
  const batch = await aws.model.batch({ items: 'inputs/docs/november/', name: 'nightly' });
  expect(batch.executionArn).toBe(`${EXECUTION}nightly`);
  expect(await batch.result()).toEqual(OUTPUT);
  expect(aws.sent('StartExecution')).toEqual(
    Array(2).fill({ stateMachineArn: MACHINE, name: 'nightly', input: '{"items":"inputs/docs/november/"}' }),
  );
  const rows = await all(batch.rows());
  expect(rows).toEqual(ROWS.map((row) => ({ ...row, read: expect.any(Function) as () => void })));
  expect((await rows[0].read()).outputs?.y.data).toEqual(Float32Array.of(2));
  expect(await rows[1].read()).toEqual({ output: { label: 5 } });
  expect(await rows[2].read()).toEqual({ output: { label: 7 } });
  expect(await failure(rows[3].read())).toMatchObject({
    name: 'InvalidInput',
    message: "the item 'd' failed: convert it",
  });
});

it('reports progress until the execution has ended', async () => {
  const counts = (succeeded: number, pending: number) => ({
    startDate: new Date(Date.now() - 10_000),
    itemCounts: { total: 9, succeeded, failed: 1, timedOut: 1, aborted: 0, running: 2, pending },
  });
  const aws = batchAws({
    DescribeExecution: inTurn({ status: 'RUNNING' }, { status: 'RUNNING' }, succeeded()),
    ListMapRuns: inTurn({ mapRuns: [] }, { mapRuns: [{ mapRunArn: 'the map run' }] }),
    DescribeMapRun: inTurn(counts(1, 4), counts(5, 0)),
  });
  const batch = await aws.model.batch({ executionArn: `${EXECUTION}mine` });
  const seen = await all(batch.progress());
  expect(seen).toMatchObject([
    { total: 0, done: 0, failed: 0, running: 0, pending: 0 },
    { total: 9, done: 1, failed: 2, running: 2, pending: 4 },
    { total: 9, done: 5, failed: 2, running: 2, pending: 0 },
  ]);
  expect(seen[0].endsAt).toBeUndefined();
  expect(seen[2].perSecond).toBeGreaterThan(0);
  expect(seen[2].endsAt?.getTime()).toBeGreaterThan(Date.now() - 1000);
  expect(aws.names()).not.toContain('StartExecution');
});

it('is redriven, and then not taken for the end before that', async () => {
  const failed = { status: 'FAILED', error: 'X', redriveCount: 0 };
  const aws = batchAws({
    DescribeExecution: inTurn(failed, failed, failed, { ...succeeded(), redriveCount: 1 }),
  });
  const batch = await aws.model.batch({ executionArn: `${EXECUTION}mine` });
  expect(await failure(batch.result())).toMatchObject({ name: 'X' });
  await batch.redrive();
  expect(await batch.result()).toEqual(OUTPUT);
  await batch.stop();
  expect(aws.sent('StopExecution')).toMatchObject([{ executionArn: `${EXECUTION}mine` }]);
});

it('does not repeat a redrive that is refused', async () => {
  const aws = batchAws({ RedriveExecution: inTurn(serviceError('ExecutionNotRedrivable')) });
  const batch = await aws.model.batch();
  const { executionArn } = batch;
  expect(await failure(batch.redrive())).toMatchObject({ name: 'ExecutionNotRedrivable', executionArn });
  expect(aws.sent('RedriveExecution')).toHaveLength(1);
});

it.each<[object, string, RegExp]>([
  [{ status: 'ABORTED' }, 'ExecutionAborted', /^the batch must run to its end, got stopped: redrive it /],
  [{ status: 'TIMED_OUT' }, 'States.Timeout', /^the batch must end before its deadline, .*: redrive it /],
  [
    { status: 'FAILED', error: 'States.ExceedToleratedFailureThreshold', cause: '3 of 9' },
    'States.ExceedToleratedFailureThreshold',
    /at most its tolerated failures, got more \(3 of 9\): redrive it .*, or start it again: what has a result is skipped$/,
  ],
  [
    { status: 'FAILED', error: 'EmptyBatch', cause: 'no items', redriveStatus: 'NOT_REDRIVABLE' },
    'EmptyBatch',
    /^the batch must succeed, got no items: start it again: what has a result is skipped$/,
  ],
  [
    { status: 'FAILED', error: 'NoItems', cause: '{"errorMessage": "got none: check the place"}' },
    'NoItems',
    /^got none: check the place$/,
  ],
])('says what to do after %j', async (end, name, message) => {
  const batch = await batchAws({ DescribeExecution: () => end }).model.batch();
  const error = await failure(batch.result());
  expect(error).toMatchObject({ name, executionArn: batch.executionArn });
  expect(error.message).toMatch(message);
});

const elsewhere = { stateMachineArn: MACHINE.replace('us-east-1', 'eu-west-1') };
const both = { executionArn: `${EXECUTION}x`, items: 'inputs/docs/' };

it.each<[BatchOptions, RegExp]>([
  [
    { items: 'outputs/' },
    /^items must be below 'inputs\/docs\/' in the bucket 'the-bucket', got 'outputs\/': /,
  ],
  [{ name: 'a b' }, /^option name must be 1 to 80 letters, digits, - and _, got 'a b': /],
  [{ pollIntervalMs: 0 }, /^option pollIntervalMs must be a whole number from 1 /],
  [{ executionArn: EXECUTION }, /^option executionArn must begin with arn:\S+:execution:M:, got /],
  [both, /^option executionArn must be without name and items/],
  [elsewhere, /must be in the region us-east-1 of the client, got eu-w/],
  [{ name: 'old' }, /^the name of a batch must be new, .*'old': /],
])('refuses %j', async (options, message) => {
  const aws = batchAws({ StartExecution: inTurn(serviceError('ExecutionAlreadyExists')) });
  expect((await failure(aws.model.batch(options))).message).toMatch(message);
});

it.each<[unknown, RegExp]>([
  [null, /got a comment without/],
  [{ ...BATCH, version: 2 }, /got a signature of version 2: /],
  [{ ...BATCH, resultsPrefix: 'x' }, /got a malformed signature: /],
])('refuses another state machine: %j', async (signature, message) => {
  const aws = batchAws({ DescribeStateMachine: () => described(signature) });
  expect((await failure(aws.model.batch())).message).toMatch(message);
});

it.each([
  ['objects', 'inputs/docs/', 'inputs/docs/'],
  ['jsonLines', 'inputs/docs/a.jsonl', 'inputs/docs/'],
  ['inventory', 'inputs/docs/2026-11-01T00-00Z/manifest.json', 'inputs/docs/'],
])('takes items of %s at %s below %s', async (kind, location, folder) => {
  const answers = { DescribeStateMachine: () => described({ ...BATCH, items: { kind, bucket, location } }) };
  const aws = batchAws(answers);
  await aws.model.batch({ items: `${folder}x` });
  expect(aws.sent('StartExecution')).toMatchObject([{ input: JSON.stringify({ items: `${folder}x` }) }]);
  const error = await failure(aws.model.batch({ items: 'inputs/x' }));
  expect(error.message).toMatch(/^items must be below 'inputs\/docs\/'/);
});

it.each<[object, RegExp]>([
  [{ version: 2 }, /version 1, got 2/],
  [{ table: { bucket: 'other', key: 'x' } }, /a table in the bucket 'the-bucket', got "other"/],
  [{ table: { bucket, key: `${RESULTS}../x` } }, /a table below 'outputs\/nightly-1a2b\/', got '/],
  [{ items: { total: 1 } }, /counts of items, got an object/],
  [{ failures: [{}] }, /a list of failures/],
  [{ usage: [{ calls: -1, mbMs: 0 }] }, /a list of usage/],
])('refuses the output %j', async (changes, message) => {
  const answers = { DescribeExecution: () => succeeded({ ...OUTPUT, ...changes }) };
  const error = await failure((await batchAws(answers).model.batch()).result());
  expect(error.name).toBe('InvalidOutput');
  expect(error.message).toMatch(message);
});

it.each<[string, RegExp]>([
  ['x', /row 0 of the table with index/],
  [lines([ROWS[0], ROWS[0]]), /row 1 of the table with index/],
  [lines([{ ...ROWS[0], result: 'inputs/x' }]), /row 0 of the table below 'outputs\/nightly/],
  [lines([{ ...ROWS[0], result: undefined }]), /row 0 of the table with a result/],
  [lines([{ ...ROWS[3], failure: 'x' }]), /row 0 of the table with a failure/],
])('refuses the table %j', async (table, message) => {
  const batch = await batchAws({}, table).model.batch();
  expect((await failure(all(batch.rows()))).message).toMatch(message);
});

it('ends the wait and not the batch when the signal is aborted or the client closes', async () => {
  const aws = batchAws({ DescribeExecution: () => ({ status: 'RUNNING' }) });
  const controller = new AbortController();
  const batch = await aws.model.batch({ signal: controller.signal });
  const other = await aws.model.batch();
  const waits = [failure(batch.result()), failure(other.result())];
  controller.abort(new Error('enough'));
  expect((await waits[0]).message).toBe('enough');
  await aws.model.close();
  expect((await waits[1]).message).toMatch(/^the client must stay open during a call/);
  expect(aws.names()).not.toContain('StopExecution');
});
