/** Requests that a batch gets from its caller: they go into one list, and large tensors beside it. */
import {
  decodeInlineTensor,
  decodeTensors,
  elementsOf,
  type BatchOptions,
  type NumericTensor,
} from '../../client';
import type { BatchSignature } from '../../contract/batch';
import type { InlineTensor } from '../../contract/execution';
import { describedBatch } from '../support/batch-answers';
import { fakeAws, MACHINE, serviceError, type Answers } from '../support/fake-aws';

const ITEMS = {
  kind: 'jsonLines',
  bucket: 'the-bucket',
  location: 'lists/a.jsonl',
  folder: 'lists/',
} as const;

function batchAws(answers: Answers = {}, changes: Partial<BatchSignature> = {}) {
  let parts = 0;
  return fakeAws({
    DescribeStateMachine: () => describedBatch({ items: ITEMS, ...changes }),
    StartExecution: () => ({ executionArn: `${MACHINE.replace('stateMachine', 'execution')}:night` }),
    PutObject: () => ({}),
    CreateMultipartUpload: () => ({ UploadId: 'upload' }),
    UploadPart: () => ({ ETag: `tag ${++parts}` }),
    CompleteMultipartUpload: () => ({}),
    AbortMultipartUpload: () => ({}),
    ...answers,
  });
}

type Aws = ReturnType<typeof batchAws>;

interface Line {
  readonly id?: string;
  readonly inputs?: { readonly tensors?: Readonly<Record<string, InlineTensor>>; readonly s3?: string };
}

/** The lines of the list, whose key the execution got. */
function linesOf(aws: Aws): Line[] {
  const bodies = [...aws.sent('UploadPart'), ...aws.sent('PutObject')].filter(
    ({ Key }) => Key === keyOf(aws),
  );
  const text = bodies.map(({ Body }) => Buffer.from(Body as Uint8Array).toString()).join('');
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);
}

function keyOf(aws: Aws): string {
  return (JSON.parse(String(aws.sent('StartExecution')[0].input)) as { items: string }).items;
}

const x = (...values: number[]) => ({ x: { shape: [values.length], data: Float32Array.from(values) } });

function valuesOf({ inputs }: Line): number[] {
  const { x: inline = { dtype: 'float32', shape: [], base64: '' } } = inputs?.tensors ?? {};
  const tensor = decodeInlineTensor('x', inline as InlineTensor);
  return Array.from(elementsOf(tensor as NumericTensor) as Float32Array);
}

it('puts requests with their ids into one object, which the execution gets', async () => {
  const aws = batchAws();
  await aws.model.batch({ requests: [x(1, 2), ['b', { x: [3] }], ['c', new Map(Object.entries(x(-0)))]] });
  expect(aws.names()).toEqual(['DescribeStateMachine', 'PutObject', 'StartExecution']);
  expect(keyOf(aws)).toMatch(/^lists\/[0-9a-f-]{36}\.jsonl$/);
  expect(aws.sent('PutObject')[0]).toMatchObject({ Bucket: 'the-bucket', Key: keyOf(aws) });
  const lines = linesOf(aws);
  expect(lines.map(({ id }) => id)).toEqual([undefined, 'b', 'c']);
  expect(lines.map(valuesOf)).toEqual([[1, 2], [3], [-0]]);
  expect(lines.map((line) => Object.keys(line))).toEqual([['inputs'], ['id', 'inputs'], ['id', 'inputs']]);
});

it('takes a Map and a generator, whose requests wait until they are sent', async () => {
  const named = batchAws();
  await named.model.batch({
    requests: new Map([
      ['a', x(1)],
      ['b', x(2)],
    ]),
    items: 'lists/mine.jsonl',
  });
  expect(keyOf(named)).toBe('lists/mine.jsonl');
  expect(linesOf(named).map((line) => [line.id, ...valuesOf(line)])).toEqual([
    ['a', 1],
    ['b', 2],
  ]);
  const aws = batchAws();
  async function* generated() {
    for (let value = 0; value < 100; value++) yield await Promise.resolve(x(value));
  }
  await aws.model.batch({ requests: generated() });
  expect(linesOf(aws).map(valuesOf)).toEqual(Array.from({ length: 100 }, (_, value) => [value]));
});

it('names requests by numbers too', async () => {
  const aws = batchAws();
  await aws.model.batch({
    requests: new Map([
      [0, x(1)],
      [7, x(2)],
    ]),
  });
  expect(linesOf(aws).map(({ id }) => id)).toEqual(['0', '7']);
});

it('sends a long list in parts of at least 5 MiB, in the order of the requests', async () => {
  const aws = batchAws();
  const data = new Float32Array(20_000);
  const count = 200;
  function* requests() {
    for (let at = 0; at < count; at++) yield { x: { shape: [data.length], data: data.fill(at) } };
  }
  await aws.model.batch({ requests: requests() });
  const parts = aws.sent('UploadPart');
  expect(parts.map(({ PartNumber }) => PartNumber)).toEqual([1, 2, 3]);
  for (const { Body } of parts.slice(0, -1))
    expect((Body as Uint8Array).byteLength).toBeGreaterThan(5 * 2 ** 20);
  const Parts = [1, 2, 3].map((number) => ({ PartNumber: number, ETag: `tag ${number}` }));
  expect(aws.sent('CompleteMultipartUpload')).toMatchObject([
    { UploadId: 'upload', MultipartUpload: { Parts } },
  ]);
  expect(aws.names()).not.toContain('AbortMultipartUpload');
  expect(linesOf(aws).map((line) => valuesOf(line)[19_999])).toEqual(
    Array.from({ length: count }, (_, at) => at),
  );
});

it('puts tensors that do not fit into 150 KiB into objects of their own', async () => {
  const aws = batchAws();
  // In base64, 115,200 bytes have 150 KiB.
  const large = Float32Array.from({ length: 28_800 }, (_, at) => at);
  const fits = large.subarray(0, 28_700);
  const of = (data: Float32Array) => ({ x: { shape: [data.length], data } });
  await aws.model.batch({ requests: [['large', of(large)], x(7), of(fits)] });
  const [line, small, full] = linesOf(aws);
  expect(line).toEqual({
    id: 'large',
    inputs: { s3: expect.stringMatching(/^inputs\/[0-9a-f-]{36}\.safetensors$/) as string },
  });
  expect([valuesOf(small), valuesOf(full)]).toEqual([[7], Array.from(fits)]);
  const object = aws.sent('PutObject').find(({ Key }) => Key === line.inputs?.s3);
  expect(object?.Bucket).toBe('the-bucket');
  const stored = decodeTensors(object?.Body as Uint8Array).get('x');
  expect(elementsOf(stored as NumericTensor)).toEqual(large);
});

it('writes token ids as numbers, in lines of less than two thirds of the bytes of base64', async () => {
  const ids = BigInt64Array.from({ length: 128 }, (_, at) => BigInt(1000 + 211 * at));
  const aws = batchAws({}, { inputs: [{ name: 'ids', dtype: 'int64', shape: [1, 128] }] });
  await aws.model.batch({ requests: [{ ids: { shape: [1, 128], data: ids } }] });
  const [line] = linesOf(aws);
  expect(line.inputs?.tensors?.ids).toEqual({
    dtype: 'int64',
    shape: [1, 128],
    data: Array.from(ids, Number),
  });
  expect(JSON.stringify(line).length).toBeLessThan((ids.byteLength * 4) / 3 / 1.5);
});

it('passes JSON on to a preprocess function, with the id', async () => {
  const aws = batchAws({}, { preprocess: true });
  await aws.model.batch({ requests: [{ text: 'é' }, ['b', { text: 'b' }]] });
  expect(linesOf(aws)).toEqual([{ text: 'é' }, { text: 'b', id: 'b' }]);
});

const CIRCLE: Record<string, unknown> = {};
CIRCLE.self = CIRCLE;

const tooLong = { text: 'x'.repeat(92_160) };

it.each<[message: string | RegExp, options: BatchOptions, changes: Partial<BatchSignature>]>([
  ['a batch of requests must have requests, got none: pass at least one', { requests: [] }, {}],
  ["request 1: input 'x' float32[n] is missing", { requests: [x(1), {}] }, {}],
  [/^request 0: the inputs must be an object .* got nothing/, { requests: [['a']] as unknown as [] }, {}],
  [
    /^request 0: .* ids that are texts or numbers, got a number that is not whole: name the request/,
    { requests: [[NaN, x(1)]] },
    {},
  ],
  [/^request 0: .* ids that are texts or numbers, got [^:]+: name/, { requests: [['', x(1)]] }, {}],
  [
    /^request 2: .* JSON objects, got a string/,
    { requests: [{}, {}, 'x'] as unknown as [] },
    { preprocess: true },
  ],
  [
    /^request 1: .* at most 92160 bytes as JSON, got 92171/,
    { requests: [{}, tooLong] },
    { preprocess: true },
  ],
  [
    /^request 0: .* JSON values, got a number that is not finite as 'v': use null/,
    { requests: [{ v: NaN }] },
    { preprocess: true },
  ],
  [
    /^request 0: .* JSON values, got a Float32Array as 'v': use/,
    { requests: [{ v: new Float32Array(2) }] },
    { preprocess: true },
  ],
  [
    /^request 1: .* JSON values, got a bigint as 'n'/,
    { requests: [{}, { v: [{ n: 5n }] }] },
    { preprocess: true },
  ],
  [/^request 0: .* JSON values, got a value with a circle/, { requests: [CIRCLE] }, { preprocess: true }],
  [
    'requests must go to a batch of one object of JSON Lines, got one of csv: set its items to BatchItems.jsonLines',
    { requests: [x(1)] },
    { items: { ...ITEMS, kind: 'csv', column: 'key' } },
  ],
  [
    'got one of jsonLines below lists/: set',
    { requests: [x(1)] },
    { items: { ...ITEMS, location: 'lists/' } },
  ],
  [
    "items must be below 'lists/' in the bucket 'the-bucket'",
    { requests: [x(1)], items: 'other/a.jsonl' },
    {},
  ],
])('says %s', async (message, options, changes) => {
  const aws = batchAws({}, changes);
  const text: unknown =
    typeof message === 'string' ? expect.stringContaining(message) : expect.stringMatching(message);
  const expected = { name: 'InvalidInput', message: text };
  await expect(aws.model.batch(options)).rejects.toMatchObject(expected);
  expect(aws.names()).toEqual(['DescribeStateMachine']);
});

it('refuses requests for an execution that runs', async () => {
  const executionArn = `${MACHINE.replace('stateMachine', 'execution')}:night`;
  const refused = batchAws().model.batch({ requests: [x(1)], executionArn });
  await expect(refused).rejects.toThrow('option requests must start a batch, got executionArn too: leave');
});

function* manyOf(data: Float32Array, then: () => void) {
  for (let at = 0; at < 250; at++) yield { x: { shape: [data.length], data } };
  then();
}

it.each<[string, Answers, () => void, string]>([
  [
    'a part',
    { UploadPart: () => Promise.reject(serviceError('AccessDenied', 403)) },
    () => undefined,
    'AccessDenied',
  ],
  [
    'the last step',
    { CompleteMultipartUpload: () => Promise.reject(serviceError('InternalError', 500)) },
    () => undefined,
    'InternalError',
  ],
  [
    'the caller',
    {},
    () => {
      throw new Error('no more');
    },
    'no more',
  ],
])('gives a long list up if %s fails, even without permission to do so', async (_, answers, then, reason) => {
  const AbortMultipartUpload = () => Promise.reject(serviceError('AccessDenied', 403));
  const aws = batchAws({ ...answers, AbortMultipartUpload });
  const begun = aws.model.batch({ requests: manyOf(new Float32Array(20_000), then) });
  await expect(begun).rejects.toThrow(reason === 'no more' ? reason : /the reason/);
  expect(aws.names()).toContain('AbortMultipartUpload');
  expect(aws.names()).not.toContain('StartExecution');
});

it('ends with its signal', async () => {
  const controller = new AbortController();
  const aws = batchAws();
  const requests = manyOf(new Float32Array(20_000), () => {
    controller.abort(new Error('enough'));
  });
  await expect(aws.model.batch({ requests, signal: controller.signal })).rejects.toThrow('enough');
  expect(aws.names()).not.toContain('StartExecution');
});
