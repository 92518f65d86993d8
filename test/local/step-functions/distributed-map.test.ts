/** Distributed Maps: what they read, how they run children, and what they write. */
import * as fs from 'node:fs';
import { gzipSync } from 'node:zlib';
import { Authorizer } from '../../../local/iam/authorizer';
import { parsePolicy } from '../../../local/iam/policy';
import type { Json, JsonObject } from '../../../local/json';
import { StateError } from '../../../local/step-functions/state-error';
import { graph, HANG, machine, type MachineOptions, PASS, run } from '../../support/machine-fixture';
import { bucketOf, distributedMap, type Files, numbers } from '../../support/map-run-fixture';

const MACHINE = 'arn:aws:states:us-east-1:000000000000:stateMachine:Machine';

/** The definition runs its children one after the other, so that payloads have an order. */
const inOrder = (location: string, fields: JsonObject = {}, ...more: readonly JsonObject[]): JsonObject =>
  distributedMap(location, { MaxConcurrency: 1, ...fields }, ...more);

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
  return { ...bucket, ...result, mapRun, results: (await resultsOf(bucket)) ?? [] };
}

async function resultsOf({ store, read }: Awaited<ReturnType<typeof bucketOf>>) {
  const manifest = store.list('b', '').find(({ key }) => key.endsWith('/manifest.json'));
  if (manifest === undefined) return undefined;
  const { ResultFiles: files } = (await read(manifest.key)) as {
    readonly ResultFiles: Record<string, { readonly Key: string; readonly Size: number }[]>;
  };
  const records = await Promise.all(
    Object.values(files).flatMap((list) =>
      list.map(async ({ Key, Size }) => {
        expect(Size).toBe(store.head('b', Key).size);
        return (await read(Key)) as JsonObject[];
      }),
    ),
  );
  return records.flat();
}

const rows = (...lines: readonly string[]): string => lines.join('\r\n');
const INVENTORY = {
  fileFormat: 'CSV',
  fileSchema: 'Bucket, Key',
  destinationBucket: 'arn:aws:s3:::b',
  files: [{ key: 'data/1.csv.gz' }, { key: 'data/2.csv' }],
};

describe('a distributed Map reads', () => {
  test.each<[string, Files, string, readonly Json[]]>([
    [
      'JSON Lines, without empty lines',
      { 'i.jsonl': '{"a":1}\r\n\n"é"\n[3]' },
      'i.jsonl',
      [{ a: 1 }, 'é', [3]],
    ],
    [
      'CSV with quotes, commas and newlines in fields, and keeps a byte order mark',
      { 'i.csv': `\ufeff${rows('"key",b', '"a,""x"""', '', '"two\nlines",').replace('"""', '""",1')}` },
      'i.csv',
      [
        { '\ufeffkey': 'a,"x"', b: '1' },
        { '\ufeffkey': 'two\nlines', b: '' },
      ],
    ],
    [
      'an inventory of several files, with its keys as they are',
      {
        'i.manifest': JSON.stringify(INVENTORY),
        'data/1.csv.gz': gzipSync('"b","a%20b"\n"b","c"\n'),
        'data/2.csv': '"b","d"',
      },
      'i.manifest',
      ['a%20b', 'c', 'd'].map((Key) => ({ Bucket: 'b', Key })),
    ],
    ['no items', { 'i.jsonl': '' }, 'i.jsonl', []],
    ['no objects', { other: '' }, 'in/', []],
  ])('%s', async (_, files, location, items) => {
    const { payloads, status } = await ran(inOrder(location), files);
    expect([status, payloads]).toEqual(['SUCCEEDED', items]);
  });

  test('the objects below a prefix, in the order of their keys', async () => {
    const { payloads, store } = await ran(inOrder('in/'), { 'in/b': '22', 'in/a': '1', 'out-of-it': '' });
    const object = (Key: string, Size: number): JsonObject => ({
      ...{ Key, Size, StorageClass: 'STANDARD', Etag: store.head('b', Key).etag },
      LastModified: Math.floor(store.head('b', Key).lastModified.getTime() / 1000),
    });
    expect(payloads).toEqual([object('in/a', 1), object('in/b', 2)]);
  });

  test('what its arguments say', async () => {
    const Prefix = '{% $exists($states.input.items) ? $states.input.items : "in/" %}';
    const ItemReader = { Resource: 'arn:aws:states:::s3:listObjectsV2', Arguments: { Bucket: 'b', Prefix } };
    const fields = { ItemReader, ItemSelector: '{% $states.context.Map.Item.Value.Key %}' };
    const input = { items: 'in/2/' };
    const { payloads } = await ran(inOrder('', fields), { 'in/1': '', 'in/2/a': '' }, { input });
    expect(payloads).toEqual(['in/2/a']);
  });
});

test.each<[string, Files, string, string]>([
  ['the object is missing', {}, 'i.jsonl', 'The specified key does not exist.'],
  ['a line is not JSON', { 'i.jsonl': '1\n{"a"\n' }, 'i.jsonl', 'line 2 is not JSON'],
  ['a line is too long', { 'i.jsonl': `"${'x'.repeat(300_000)}"` }, 'i.jsonl', 'at most 262144 characters'],
  [
    'a row lacks fields',
    { 'i.csv': 'a,b\n"\n",2\n3\n' },
    'i.csv',
    'line 4 must have 2 fields as the header, got 1',
  ],
  [
    'a row is too long',
    { 'i.csv': `a\n${'x'.repeat(300_000)}` },
    'i.csv',
    'the row at line 2 must have at most',
  ],
  ['a quoted field does not end', { 'i.csv': 'a\n1\n"2\n' }, 'i.csv', 'in the row at line 3 does not end'],
  ['there is text after quotes', { 'i.csv': 'a\n"1" \n' }, 'i.csv', 'line 2 has text beside a quoted field'],
  ['two columns have one name', { 'i.csv': 'a,a\n' }, 'i.csv', "different names, got 'a,a'"],
  ['the manifest is not JSON', { 'i.manifest': 'x' }, 'i.manifest', 'the fileFormat CSV, got null'],
  [
    'the inventory has another format',
    { 'i.manifest': JSON.stringify({ ...INVENTORY, fileFormat: 'ORC' }) },
    'i.manifest',
    'the fileFormat CSV, got "ORC"',
  ],
  [
    'a file of the inventory is not compressed',
    { 'i.manifest': JSON.stringify(INVENTORY), 'data/1.csv.gz': 'not compressed' },
    'i.manifest',
    'incorrect header check',
  ],
])('the items cannot be read because %s', async (_, files, location, cause) => {
  const result = await ran(inOrder(location), files);
  expect(result).toMatchObject({ status: 'FAILED', error: 'States.ItemReaderFailed', payloads: [] });
  expect(result).toHaveProperty('cause', expect.stringMatching(/^cannot read S3:\/\/b\/i\.\w+: /));
  expect(result).toHaveProperty('cause', expect.stringContaining(cause));
  expect(result.events).toBe(
    'MapStateEntered M, MapStateStarted, MapRunStarted, MapRunFailed, MapStateFailed, ExecutionFailed',
  );
});

describe('the children of a distributed Map', () => {
  const ITEM = '{% $states.context.Map.Item %}';
  const batches = (fields: JsonObject): JsonObject => inOrder('i.jsonl', { ItemBatcher: fields });

  test.each<[string, JsonObject, readonly Json[]]>([
    [
      'get what the selector makes of an item',
      inOrder('i.jsonl', { ItemSelector: { item: ITEM, of: '{% $states.context.Execution.Name %}' } }),
      [0, 1, 2, 3, 4].map((Index) => ({
        item: { Index, Value: Index, Source: 'S3://b/i.jsonl' },
        of: 'run',
      })),
    ],
    [
      'get a number of items',
      batches({ MaxItemsPerBatch: 2 }),
      [[0, 1], [2, 3], [4]].map((Items) => ({ Items })),
    ],
    [
      // {"Items":[0,1]} has 15 bytes.
      'get as many items as fit in a number of bytes',
      batches({ MaxInputBytesPerBatch: 16 }),
      [[0, 1], [2, 3], [4]].map((Items) => ({ Items })),
    ],
    [
      'get a batch of its own for each item that is too large for one',
      batches({ MaxItemsPerBatch: 2, MaxInputBytesPerBatch: 1 }),
      [0, 1, 2, 3, 4].map((item) => ({ Items: [item] })),
    ],
    [
      'get an input for all batches',
      batches({
        MaxItemsPerBatch: '{% 4 + 1 %}',
        BatchInput: { redrives: '{% $states.context.Execution.RedriveCount %}' },
      }),
      [{ Items: [0, 1, 2, 3, 4], BatchInput: { redrives: 0 } }],
    ],
  ])('%s', async (_, definition, expected) => {
    const { payloads } = await ran(definition, { 'i.jsonl': numbers(5) }, { name: 'run' });
    expect(payloads).toEqual(expected);
  });

  test('are executions with a context of their own and without variables from outside', async () => {
    const Output = ['{% $states.context %}', '{% $exists($outer) %}'];
    const first = { V: { Type: 'Pass', Assign: { outer: 1 }, Next: 'M' } };
    const definition = distributedMap('i.jsonl', {}, first, graph('C', { ...PASS, Output }));
    const { results, mapRun } = await ran({ ...definition, StartAt: 'V' }, { 'i.jsonl': '7' });
    const [{ Output: output, Name: name, ExecutionArn: arn }] = results;
    expect(JSON.parse(output as string)).toMatchObject([
      {
        Execution: { Id: arn, Name: name, Input: 7, RedriveCount: 0 },
        StateMachine: { Id: `${MACHINE}/Items`, Name: 'Machine/Items' },
        State: { Name: 'C' },
      },
      false,
    ]);
    const uuid = '[0-9a-f-]{36}';
    expect(arn).toMatch(
      new RegExp(`^arn:aws:states:us-east-1:000000000000:express:Machine/Items:${uuid}:${uuid}$`),
    );
    expect(mapRun.arn).toMatch(
      new RegExp(`^arn:aws:states:us-east-1:000000000000:mapRun:Machine/Items:${uuid}$`),
    );
  });

  test('time out after five minutes, each by itself', async () => {
    const waiting = graph('W', { Type: 'Wait', Seconds: '{% $states.input %}', End: true });
    const definition = distributedMap('i.jsonl', { ToleratedFailureCount: 1 }, {}, waiting);
    const { status, results } = await ran(definition, { 'i.jsonl': '301\n299\n' });
    expect([status, results.map(({ Status, Error }) => [Status, Error])]).toEqual([
      'SUCCEEDED',
      [
        ['TIMED_OUT', 'States.Timeout'],
        ['SUCCEEDED', undefined],
      ],
    ]);
  });

  test.each([
    [3, { MaxConcurrency: 3 }],
    [12, {}],
    [12, { MaxConcurrency: 0 }],
  ])('run at most %d at once with %j', async (expected, fields) => {
    let [running, peak] = [0, 0];
    const answer = async (payload: Json): Promise<Json> => {
      peak = Math.max(peak, ++running);
      for (let turn = 0; turn < 100; turn++) await Promise.resolve();
      running--;
      return payload;
    };
    await ran(distributedMap('i.jsonl', fields), { 'i.jsonl': numbers(12) }, { answer });
    expect(peak).toBe(expected);
  });
});

describe('failed items', () => {
  const two = { MaxItemsPerBatch: 2 };
  test.each<[string, JsonObject, 'SUCCEEDED' | 'FAILED']>([
    ['none is tolerated', {}, 'FAILED'],
    ['as many are tolerated', { ToleratedFailureCount: 2 }, 'SUCCEEDED'],
    ['a smaller share is tolerated', { ToleratedFailurePercentage: 19 }, 'FAILED'],
    ['just that share is tolerated', { ToleratedFailurePercentage: '{% 20 %}' }, 'SUCCEEDED'],
    ['only the count is tolerated', { ToleratedFailureCount: 2, ToleratedFailurePercentage: 19 }, 'FAILED'],
    ['all of a batch count as failed, too many', { ItemBatcher: two, ToleratedFailureCount: 3 }, 'FAILED'],
    ['all of a batch count as failed', { ItemBatcher: two, ToleratedFailurePercentage: 40 }, 'SUCCEEDED'],
  ])('fail a Map or not if %s', async (_, fields, expected) => {
    const answer = (payload: Json): Json => {
      if (/\b[46]\b/.test(JSON.stringify(payload))) throw new StateError('Broken', 'why');
      return payload;
    };
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
      ['PENDING', '2', undefined, 'string'],
      ['PENDING', '3', undefined, 'string'],
    ]);
    const counts = { total: 4, pending: 2, running: 0, succeeded: 0, failed: 1, timedOut: 0, aborted: 1 };
    expect(mapRun).toMatchObject({
      status: 'FAILED',
      items: counts,
      executions: { ...counts, resultsWritten: 2 },
    });
  });

  test('are retried with all others in another Map Run, or caught', async () => {
    const errors = ['States.ExceedToleratedFailureThreshold'];
    const Retry = [{ ErrorEquals: errors, MaxAttempts: 1 }];
    const Catch = [{ ErrorEquals: errors, Next: 'Q' }];
    const definition = inOrder('i.jsonl', { Retry, Catch }, { Q: PASS });
    const options = { answer: failingFor(1) };
    const { status, payloads, execution } = await ran(definition, { 'i.jsonl': numbers(2) }, options);
    expect([status, payloads]).toEqual(['SUCCEEDED', [0, 1, 0, 1]]);
    expect(new Set(execution.mapRuns.map(({ arn }) => arn)).size).toBe(2);
  });
});

test('a Map Run writes its results and returns where they are', async () => {
  const definition = distributedMap('i.jsonl', {
    ToleratedFailurePercentage: 100,
    ItemBatcher: { MaxItemsPerBatch: 2 },
  });
  const { output, mapRun, read, results, events, trace, temporary } = (await ran(
    definition,
    { 'i.jsonl': numbers(3) },
    { answer: failingFor({ Items: [2] }) },
  )) as Awaited<ReturnType<typeof ran>> & { readonly output: Json };
  const folder = `out/${mapRun.arn.split(':').at(-1)}`;
  const Key = `${folder}/manifest.json`;
  expect(output).toEqual({ MapRunArn: mapRun.arn, ResultWriterDetails: { Bucket: 'b', Key } });
  const [SUCCEEDED, FAILED] = ['SUCCEEDED', 'FAILED'].map((kind) => [
    { Key: `${folder}/${kind}_0.json`, Size: expect.any(Number) as number },
  ]);
  const ResultFiles = { FAILED, PENDING: [], SUCCEEDED };
  expect(await read(Key)).toEqual({ DestinationBucket: 'b', MapRunArn: mapRun.arn, ResultFiles });
  const included = { InputDetails: { Included: true }, OutputDetails: { Included: true } };
  const date = expect.stringMatching(/^\d{4}-.*Z$/) as string;
  const both = {
    ...{ ...included, StateMachineArn: `${MACHINE}/Items`, StartDate: date, StopDate: date },
    ...{ ExecutionArn: expect.any(String) as string, Name: expect.any(String) as string },
  };
  const input = '{"Items":[0,1]}';
  expect(results).toEqual([
    { ...both, Status: 'FAILED', Input: '{"Items":[2]}', Error: 'Broken', Cause: 'it was' },
    { ...both, Status: 'SUCCEEDED', Input: input, Output: input },
  ]);
  expect(events).toBe(
    'MapStateEntered M, MapStateStarted, MapRunStarted, MapRunSucceeded, MapStateSucceeded, MapStateExited M, ExecutionSucceeded',
  );
  const ofChild = ['A StateEntered', 'A TaskStarted 0', 'A TaskSucceeded 0', 'A StateExited'];
  expect(trace).toEqual(expect.arrayContaining(['M StateEntered', ...ofChild]));
  expect(fs.readdirSync(temporary)).toEqual([]);
});

describe('a redrive', () => {
  const BatchInput = '{% $states.context.Execution.RedriveCount %}';
  const batched = inOrder('i.jsonl', { ItemBatcher: { MaxItemsPerBatch: 1, BatchInput } });
  const input = (item: Json, redrives: number): Json => ({ Items: [item], BatchInput: redrives });
  const items = ['"a"\n"b"\n"c"\n', '"a"\n"b"\n"c"\n"d"\n'];

  test('runs the children that did not succeed, and writes the results of all', async () => {
    const bucket = await bucketOf({ 'i.jsonl': items[0] });
    const attempts = [{ answer: 1 }, { error: 'Broken' }];
    const { start, payloads } = machine(batched, { storage: bucket.storage, attempts });
    const execution = start('run');
    expect(await execution.result).toMatchObject({ status: 'FAILED' });
    await bucket.put('i.jsonl', items[1]);
    execution.redrive();
    expect(await execution.result).toMatchObject({ status: 'SUCCEEDED' });
    expect(payloads).toEqual([input('a', 0), input('b', 0), input('b', 1), input('c', 1), input('d', 1)]);
    const results = (await resultsOf(bucket)) ?? [];
    expect(results.map(({ Status, Input }) => [Status, JSON.parse(Input as string) as Json])).toEqual(
      [input('a', 0), input('b', 1), input('c', 1), input('d', 1)].map((one) => ['SUCCEEDED', one]),
    );
    const [mapRun, ...others] = execution.mapRuns;
    expect(others).toEqual([]);
    expect(mapRun).toMatchObject({ status: 'SUCCEEDED', redriveCount: 1, items: { total: 4, succeeded: 4 } });
    const redriven = execution.history.events.find(({ type }) => type === 'MapRunRedriven');
    expect(redriven?.details).toEqual({ mapRunArn: mapRun.arn, redriveCount: 1 });
  });

  test('of a stopped execution continues its Map Run', async () => {
    const bucket = await bucketOf({ 'i.jsonl': numbers(3) });
    const attempts = [{ answer: 0 }, HANG] as const;
    const { start, payloads } = machine(inOrder('i.jsonl'), { storage: bucket.storage, attempts });
    const execution = start('run');
    while (payloads.length < 2) await new Promise(setImmediate);
    await execution.abort({});
    const [mapRun] = execution.mapRuns;
    expect(mapRun).toMatchObject({
      status: 'ABORTED',
      items: { succeeded: 1, aborted: 1, pending: 1, running: 0 },
    });
    execution.redrive();
    expect(await execution.result).toMatchObject({ status: 'SUCCEEDED' });
    expect(payloads).toEqual([0, 1, 1, 2]);
    expect(((await resultsOf(bucket)) ?? []).map(({ Input }) => Input)).toEqual(['0', '1', '2']);
  });

  test('after the failure of the output does not run the Map again', async () => {
    const bucket = await bucketOf({ 'i.jsonl': numbers(2) });
    const Output = '{% $states.context.Execution.RedriveCount = 1 ? "ok" : $x %}';
    const { start, payloads } = machine(inOrder('i.jsonl', { Output }), { storage: bucket.storage });
    const execution = start('run');
    expect(await execution.result).toMatchObject({ error: 'States.QueryEvaluationError' });
    execution.redrive();
    expect(await execution.result).toMatchObject({ output: 'ok' });
    expect(payloads).toEqual([0, 1]);
  });
});

describe('the role of the state machine must allow', () => {
  const statement = (Action: string | string[], Resource: string, Condition?: JsonObject): JsonObject => ({
    ...{ Effect: 'Allow', Action, Resource },
    ...(Condition && { Condition }),
  });
  const execution = MACHINE.replace('stateMachine', 'execution');
  const STATEMENTS: Readonly<Record<string, JsonObject>> = {
    list: statement('s3:ListBucket', 'arn:aws:s3:::b', { StringLike: { 's3:prefix': 'in/*' } }),
    read: statement('s3:GetObject', 'arn:aws:s3:::b/i.jsonl'),
    write: statement('s3:PutObject', 'arn:aws:s3:::b/out/*'),
    upload: statement(
      ['s3:GetObject', 's3:ListMultipartUploadParts', 's3:AbortMultipartUpload'],
      'arn:aws:s3:::b/out/*',
    ),
    start: statement('states:StartExecution', MACHINE),
    children: statement(['states:DescribeExecution', 'states:StopExecution'], `${execution}:*`),
    redrive: statement('states:RedriveExecution', `${execution}/Items:*`),
  };

  async function outcome(location: string, without?: string) {
    const authorizer = new Authorizer();
    const kept = Object.entries(STATEMENTS).flatMap(([name, each]) => (name === without ? [] : [each]));
    const policies = [parsePolicy({ Statement: kept }, 'the policy')];
    const identities = new Map([['arn:aws:iam::000000000000:role/machine', { policies }]]);
    const none = { resources: new Map(), bucketKeys: new Map() };
    authorizer.update({ account: '000000000000', region: 'us-east-1', identities, ...none });
    const bucket = await bucketOf({ 'i.jsonl': '1\n', 'in/a': '', 'on/a': '' }, authorizer);
    const attempts = [{ error: 'Broken' }];
    const { start } = machine(distributedMap(location), { storage: bucket.storage, attempts });
    const started = start('run');
    const first = await started.result;
    if (!('error' in first) || first.error !== 'States.ExceedToleratedFailureThreshold') return first;
    started.redrive();
    return await started.result;
  }

  test.each([
    ['to list the prefix', 'in/', 'list', 'States.ItemReaderFailed', 's3:ListBucket'],
    ['to list just this prefix', 'on/', undefined, 'States.ItemReaderFailed', 's3:ListBucket'],
    ['to read the file', 'i.jsonl', 'read', 'States.ItemReaderFailed', 's3:GetObject'],
    ['to see that a file is missing', 'out/i.jsonl', undefined, 'States.ItemReaderFailed', 's3:ListBucket'],
    ['to write the results', 'i.jsonl', 'write', 'States.ResultWriterFailed', 's3:PutObject'],
    ['to write them in parts', 'i.jsonl', 'upload', 'States.ResultWriterFailed', 's3:GetObject'],
    ['to start children', 'i.jsonl', 'start', 'States.Permissions', 'states:StartExecution'],
    ['to follow children', 'i.jsonl', 'children', 'States.Permissions', 'states:DescribeExecution'],
    ['to redrive them', 'i.jsonl', 'redrive', 'States.Permissions', 'states:RedriveExecution'],
  ])('%s', async (_, location, without, error, action) => {
    const result = await outcome(location, without);
    expect(result).toMatchObject({ error });
    expect(result).toHaveProperty(
      'cause',
      expect.stringContaining(`is not authorized to perform: ${action} on`),
    );
  });

  test('nothing else', async () => {
    expect([await outcome('in/'), await outcome('i.jsonl')]).toMatchObject([
      { status: 'SUCCEEDED' },
      { status: 'SUCCEEDED' },
    ]);
  });
});
