/** Distributed Maps: what they read, how they run children, and what they write. The test of batches runs each reader to its end. */
import * as fs from 'node:fs';
import { Authorizer } from '../../../local/iam/authorizer';
import { parsePolicy } from '../../../local/iam/policy';
import type { Json, JsonObject } from '../../../local/json';
import { StateError } from '../../../local/step-functions/state-error';
import { graph, HANG, machine, type MachineOptions, PASS, run } from '../../support/machine-fixture';
import { bucketOf, distributedMap, type Files, numbers } from '../../support/map-run-fixture';

const MACHINE = 'arn:aws:states:us-east-1:000000000000:stateMachine:Machine';

/** The definition runs its children one after the other, so that payloads have an order. */
const inOrder = (location: string, fields: JsonObject = {}): JsonObject =>
  distributedMap(location, { MaxConcurrency: 1, ...fields });

/** Fails for these payloads. */
const failingFor =
  (...failing: readonly Json[]) =>
  (payload: Json): Json => {
    if (failing.some((each) => JSON.stringify(each) === JSON.stringify(payload)))
      throw new StateError('Broken', 'it was');
    return payload;
  };

/** Runs an execution, and reads its result files by their kind. */
async function ran(definition: JsonObject, files: Files = {}, options: MachineOptions = {}) {
  const bucket = await bucketOf(files);
  const result = await run(definition, { storage: bucket.storage, ...options });
  const [mapRun] = result.execution.mapRuns;
  return { ...bucket, ...result, mapRun, results: await resultsOf(bucket) };
}

async function resultsOf({ store, read }: Awaited<ReturnType<typeof bucketOf>>) {
  const manifest = [...store.list('b', '')].find(({ key }) => key.endsWith('/manifest.json'));
  if (manifest === undefined) return [];
  const { ResultFiles: files } = (await read(manifest.key)) as {
    readonly ResultFiles: Record<string, { readonly Key: string; readonly Size: number }[]>;
  };
  const records = Object.values(files).flatMap((list) =>
    list.map(async ({ Key, Size }) => {
      expect(Size).toBe(store.head('b', Key).size);
      return (await read(Key)) as JsonObject[];
    }),
  );
  return (await Promise.all(records)).flat();
}

const INVENTORY = {
  ...{ fileFormat: 'CSV', fileSchema: 'Bucket, Key', destinationBucket: 'arn:aws:s3:::b' },
  files: [{ key: '1.csv.gz' }, { key: '2.csv' }],
};
const CSV = '\ufeff"key",b\r\n"a,""x""",1\r\n\r\n"two\nlines",';
const OBJECT = { Size: 2, StorageClass: 'STANDARD', LastModified: expect.any(Number) as number };
const LISTED = { ...OBJECT, Key: 'in/a', Etag: expect.stringMatching(/^"[0-9a-f]+"$/) as string };

test.each<[string, Files, string, readonly Json[]]>([
  ['JSON Lines without empty ones', { 'i.jsonl': '{"a":1}\r\n\n"é"\n[3]' }, 'i.jsonl', [{ a: 1 }, 'é', [3]]],
  [
    'CSV, and keeps a byte order mark',
    { 'i.csv': CSV },
    'i.csv',
    [
      { '\ufeffkey': 'a,"x"', b: '1' },
      { '\ufeffkey': 'two\nlines', b: '' },
    ],
  ],
  ['the objects below a prefix', { 'in/a': '22', 'out-of-it': '' }, 'in/', [LISTED]],
  ['no items', { 'i.jsonl': '' }, 'i.jsonl', []],
])('a distributed Map reads %s', async (_, files, location, items) => {
  const { payloads, status } = await ran(inOrder(location), files);
  expect([status, payloads]).toEqual(['SUCCEEDED', items]);
});

test.each<[string, string, string | Buffer, string]>([
  ['the object is missing', 'i.jsonl', '', 'The specified key does not exist.'],
  ['a line is not JSON', 'i.jsonl', '1\n{"a"\n', 'line 2 is not JSON'],
  ['a line is too long', 'i.jsonl', `"${'x'.repeat(300_000)}"`, 'at most 262144 characters'],
  ['a row lacks fields', 'i.csv', 'a,b\n"\n",2\n3\n', 'line 4 must have 2 fields as the header, got 1'],
  ['a row is too long', 'i.csv', `a\n${'x'.repeat(300_000)}`, 'the row at line 2 must have at most'],
  ['a quoted field does not end', 'i.csv', 'a\n1\n"2\n', 'in the row at line 3 does not end'],
  ['there is text after quotes', 'i.csv', 'a\n"1" \n', 'line 2 has text beside a quoted field'],
  ['two columns have one name', 'i.csv', 'a,a\n', "different names, got 'a,a'"],
  ['the inventory is no CSV', 'i.manifest', '{"fileFormat":"ORC"}', 'the fileFormat CSV, got "ORC"'],
  ['its file is not compressed', 'i.manifest', JSON.stringify(INVENTORY), 'incorrect header check'],
])('the items cannot be read because %s', async (_, location, content, cause) => {
  const result = await ran(inOrder(location), {
    '1.csv.gz': 'not compressed',
    ...(content !== '' && { [location]: content }),
  });
  expect(result).toMatchObject({ status: 'FAILED', error: 'States.ItemReaderFailed', payloads: [] });
  expect(result).toHaveProperty('cause', expect.stringMatching(/^cannot read S3:\/\/b\/i\.\w+: /));
  expect(result).toHaveProperty('cause', expect.stringContaining(cause));
  expect(result.events).toMatch(/MapRunStarted, MapRunFailed, MapStateFailed, ExecutionFailed$/);
});

describe('the children of a distributed Map', () => {
  const item = '{% $states.context.Map.Item %}';
  const BatchInput = { redrives: '{% $states.context.Execution.RedriveCount %}' };
  const Items = [0, 1, 2, 3, 4];

  test.each<[string, JsonObject, readonly Json[]]>([
    [
      'get what the selector makes of an item',
      { ItemSelector: { item, of: '{% $states.context.Execution.Name %}' } },
      Items.map((Index) => ({ item: { Index, Value: Index, Source: 'S3://b/i.jsonl' }, of: 'run' })),
    ],
    [
      'get an input for all batches',
      { ItemBatcher: { MaxItemsPerBatch: '{% 4 + 1 %}', BatchInput } },
      [{ Items, BatchInput: { redrives: 0 } }],
    ],
    [
      // {"Items":[0,1]} has 15 bytes.
      'get as many items as fit in a number of bytes',
      { ItemBatcher: { MaxInputBytesPerBatch: 16 } },
      [{ Items: [0, 1] }, { Items: [2, 3] }, { Items: [4] }],
    ],
    [
      'get a batch of its own for each item that is too large for one',
      { ItemBatcher: { MaxItemsPerBatch: 2, MaxInputBytesPerBatch: 1 } },
      Items.map((each) => ({ Items: [each] })),
    ],
  ])('%s', async (_, fields, expected) => {
    const { payloads } = await ran(inOrder('i.jsonl', fields), { 'i.jsonl': numbers(5) }, { name: 'run' });
    expect(payloads).toEqual(expected);
  });

  test('are executions with a context of their own and without variables from outside', async () => {
    const Output = ['{% $states.context %}', '{% $exists($outer) %}'];
    const first = { V: { Type: 'Pass', Assign: { outer: 1 }, Next: 'M' } };
    const definition = distributedMap('i.jsonl', {}, first, graph('C', { ...PASS, Output }));
    const { results, mapRun } = await ran({ ...definition, StartAt: 'V' }, { 'i.jsonl': '7' });
    const [{ Output: output, Name, ExecutionArn: Id }] = results;
    const StateMachine = { Id: `${MACHINE}/Items`, Name: 'Machine/Items' };
    const context = {
      Execution: { Id, Name, Input: 7, RedriveCount: 0 },
      StateMachine,
      State: { Name: 'C' },
    };
    expect(JSON.parse(output as string)).toMatchObject([context, false]);
    expect([Id as string, mapRun.arn].join(' ')).toMatch(
      /^(\S+):express:Machine\/Items:[0-9a-f-]{36}:[0-9a-f-]{36} \1:mapRun:Machine\/Items:[0-9a-f-]{36}$/,
    );
  });

  test('time out after five minutes, each by itself', async () => {
    const waiting = graph('W', { Type: 'Wait', Seconds: '{% $states.input %}', End: true });
    const definition = distributedMap('i.jsonl', { ToleratedFailureCount: 1 }, {}, waiting);
    const { status, results } = await ran(definition, { 'i.jsonl': '301\n299\n' });
    expect(status).toBe('SUCCEEDED');
    expect(results).toMatchObject([
      { Status: 'TIMED_OUT', Error: 'States.Timeout' },
      { Status: 'SUCCEEDED' },
    ]);
  });

  test.each([
    [3, { MaxConcurrency: 3 }],
    [12, { MaxConcurrency: 0 }],
  ])('run at most %d at once with %j', async (expected, fields) => {
    let [running, peak] = [0, 0];
    const answer = async (payload: Json): Promise<Json> => {
      peak = Math.max(peak, ++running);
      for (let turn = 0; turn < 200; turn++) await Promise.resolve();
      running--;
      return payload;
    };
    await ran(distributedMap('i.jsonl', fields), { 'i.jsonl': numbers(12) }, { answer });
    expect(peak).toBe(expected);
  });
});

describe('failed items', () => {
  const ItemBatcher = { MaxItemsPerBatch: 2 };
  test.each<['SUCCEEDED' | 'FAILED', JsonObject]>([
    ['FAILED', {}],
    ['SUCCEEDED', { ToleratedFailureCount: 2 }],
    ['FAILED', { ToleratedFailurePercentage: 19 }],
    ['SUCCEEDED', { ToleratedFailurePercentage: '{% 20 %}' }],
    ['FAILED', { ToleratedFailureCount: 2, ToleratedFailurePercentage: 19 }],
    // All items of a batch count as failed.
    ['FAILED', { ItemBatcher, ToleratedFailureCount: 3 }],
    ['SUCCEEDED', { ItemBatcher, ToleratedFailurePercentage: 40 }],
  ])('lead to %s if 2 of 10 fail with %j', async (expected, fields) => {
    const answer = failingFor(4, 6, { Items: [4, 5] }, { Items: [6, 7] });
    const result = await ran(distributedMap('i.jsonl', fields), { 'i.jsonl': numbers(10) }, { answer });
    expect(result.status).toBe(expected);
    if (expected === 'FAILED') {
      const cause = 'The specified tolerated failure threshold was exceeded';
      expect(result).toMatchObject({ error: 'States.ExceedToleratedFailureThreshold', cause });
    }
  });

  test('stop the other children, whose items are accounted for', async () => {
    const attempts = [HANG, { error: 'Broken' }] as const;
    const definition = distributedMap('i.jsonl', { MaxConcurrency: 2 });
    const { mapRun, results } = await ran(definition, { 'i.jsonl': numbers(4) }, { attempts });
    const summary = results.map(({ Status, Input, Error, Name }) => [Status, Input, Error, typeof Name]);
    expect(summary).toEqual([
      ['FAILED', '1', 'Broken', 'string'],
      ['ABORTED', '0', undefined, 'string'],
    ]);
    const items = { total: 4, pending: 2, running: 0, succeeded: 0, failed: 1, timedOut: 0, aborted: 1 };
    expect(mapRun).toMatchObject({ status: 'FAILED', items, executions: { ...items, resultsWritten: 2 } });
  });
});

test('a Map Run writes its results and returns where they are', async () => {
  const fields = { ToleratedFailurePercentage: 100, ItemBatcher: { MaxItemsPerBatch: 2 } };
  const options = { answer: failingFor({ Items: [2] }) };
  const result = await ran(distributedMap('i.jsonl', fields), { 'i.jsonl': numbers(3) }, options);
  const { mapRun, read, results, trace, temporary } = result;
  const folder = `out/${mapRun.arn.split(':').at(-1)}`;
  const Key = `${folder}/manifest.json`;
  const output = { MapRunArn: mapRun.arn, ResultWriterDetails: { Bucket: 'b', Key } };
  expect(result).toHaveProperty('output', output);
  const file = (kind: string) => [{ Key: `${folder}/${kind}_0.json`, Size: expect.any(Number) as number }];
  const ResultFiles = { FAILED: file('FAILED'), PENDING: [], SUCCEEDED: file('SUCCEEDED') };
  expect(await read(Key)).toEqual({ DestinationBucket: 'b', MapRunArn: mapRun.arn, ResultFiles });
  const [date, name] = [/^\d{4}-.*Z$/, /./].map((form) => expect.stringMatching(form) as string);
  const both = {
    ...{ InputDetails: { Included: true }, OutputDetails: { Included: true } },
    ...{ StartDate: date, StopDate: date, Name: name, ExecutionArn: name },
    StateMachineArn: `${MACHINE}/Items`,
  };
  const input = '{"Items":[0,1]}';
  expect(results).toEqual([
    { ...both, Status: 'FAILED', Input: '{"Items":[2]}', Error: 'Broken', Cause: 'it was' },
    { ...both, Status: 'SUCCEEDED', Input: input, Output: input },
  ]);
  expect(trace).toEqual(expect.arrayContaining(['M StateEntered', 'A TaskStarted 0', 'A StateExited']));
  expect(fs.readdirSync(temporary)).toEqual([]);
});

/** The test of batches redrives a Map whose children have failed. */
test('a redrive after the failure of the output does not run the Map again', async () => {
  const { storage } = await bucketOf({ 'i.jsonl': numbers(2) });
  const Output = '{% $states.context.Execution.RedriveCount = 1 ? "ok" : $x %}';
  const { start, payloads } = machine(inOrder('i.jsonl', { Output }), { storage });
  const execution = start('run');
  expect(await execution.result).toMatchObject({ error: 'States.QueryEvaluationError' });
  execution.redrive();
  expect(await execution.result).toMatchObject({ output: 'ok' });
  expect(payloads).toEqual([0, 1]);
});

/** The test of permissions shows that a batch uses all of them. */
test.each([
  ['s3:ListBucket', 'in/', 'States.ItemReaderFailed'],
  ['s3:GetObject', 'i.jsonl', 'States.ItemReaderFailed'],
  // Without this permission, S3 answers that a missing object is forbidden.
  ['s3:ListBucket', 'missing.jsonl', 'States.ItemReaderFailed'],
  ['s3:PutObject', 'i.jsonl', 'States.ResultWriterFailed'],
  ['s3:AbortMultipartUpload', 'i.jsonl', 'States.ResultWriterFailed'],
  ['states:StartExecution', 'i.jsonl', 'States.Permissions'],
  ['states:DescribeExecution', 'i.jsonl', 'States.Permissions'],
  ['states:RedriveExecution', 'i.jsonl', 'States.Permissions'],
])('the role of the state machine must allow %s', async (action, location, error) => {
  const authorizer = new Authorizer();
  const Statement = [
    { Effect: 'Allow', Action: '*', Resource: '*' },
    { Effect: 'Deny', Action: action, Resource: '*' },
  ];
  const identities = new Map([
    ['arn:aws:iam::000000000000:role/machine', { policies: [parsePolicy({ Statement }, 'the policy')] }],
  ]);
  const none = { resources: new Map(), bucketKeys: new Map() };
  authorizer.update({ account: '000000000000', region: 'us-east-1', identities, ...none });
  const { storage } = await bucketOf({ 'i.jsonl': '1\n', 'in/a': '' }, authorizer);
  const { start } = machine(distributedMap(location), { storage, attempts: [{ error: 'Broken' }] });
  const execution = start('run');
  if (action === 'states:RedriveExecution') {
    await execution.result;
    execution.redrive();
  }
  const cause = expect.stringContaining(`is not authorized to perform: ${action} on`) as string;
  expect(await execution.result).toMatchObject({ error, cause });
});
