/** A slice computes the items of a pack one after the other, and what is wrong with one of them does not concern the others. */
import type { PackEvent, PackItem, PackSource } from '../../../contract/batch-pack';
import type { SliceAnswer, SliceEvent } from '../../../contract/slice-event';
import type { SliceManifest } from '../../../contract/slice-manifest';
import type { SliceHandler } from '../../../lambda/handler';
import { digestOf, identifiedItem, resultName } from '../../../lambda/batch/item-digest';
import { NamedFailure } from '../../../lambda/errors';
import { SafetensorsStore } from '../../../lambda/store/safetensors-store';
import type { RawTensor } from '../../../lambda/tensors/tensor';
import { event, failure, file, inline, named, sliceHandlers, tensor } from '../../support/slice-handler';
import { BUCKET, fromRequest, fromSlice, MANIFESTS } from '../../support/tiny-slice';

const slices = sliceHandlers();
const SOURCE: PackSource = { kind: 'objects', bucket: BUCKET, itemsBucket: BUCKET };
const PREFIX = 'outputs/nightly/abab/';
const SLICE_0 = 'runs/machine/run-1/slice-00.safetensors';
const HANDED_ON = ['scale', 'x'];

interface Tensors {
  readonly x: RawTensor;
  readonly scale: RawTensor;
}

/** An item of the index 10 times this one, whose result tells it from others. */
const tensorsOf = (seed: number): Tensors => ({ x: tensor([seed, 0, 1]), scale: tensor([2, seed, 2]) });
const lateOf = (seed: number): RawTensor => tensor([2 * (seed + 10), 20 * seed, 62]);
const earlyOf = (seed: number): RawTensor => tensor([-seed, -0, -1]);
const keyOf = (seed: number): string => `inputs/${seed}`;

const itemOf = (seed: number): PackItem => ({ index: 10 * seed, value: { Key: keyOf(seed), Etag: '"1"' } });

/** Puts the requests, and returns their items. */
function items(...numbers: readonly number[]): PackItem[] {
  for (const seed of numbers) slices.objects.put(keyOf(seed), file({ ...tensorsOf(seed) }));
  return numbers.map((seed) => itemOf(seed));
}

async function digestsOf(from: readonly PackItem[], source = SOURCE): Promise<string[]> {
  const identified = from.map((item) => identifiedItem(source, item, slices.objects));
  return (await Promise.all(identified)).map(({ digest }) => digest);
}

/** @param pack without a time, it has a minute */
function packEvent(pack: Partial<PackEvent>): SliceEvent {
  return event({ request: undefined, pack: { until: Date.now() + 60_000, ...pack } });
}

const first = (own: readonly PackItem[], source = SOURCE): SliceEvent =>
  packEvent({ items: own, source, handedOn: HANDED_ON });
const last = (more: Partial<PackEvent> = {}): SliceEvent =>
  packEvent({ resultsPrefix: PREFIX, salt: '', ...more });

/** Runs both slices. */
async function run(own: readonly PackItem[], source = SOURCE): Promise<SliceAnswer> {
  await slices.sliceHandler(0)(first(own, source));
  return await slices.sliceHandler(1)(last());
}

/** What the metadata of an object says about its entries. */
async function entriesOf(key = ''): Promise<unknown> {
  const reader = await new SafetensorsStore(slices.objects, BUCKET).open(key);
  await reader.discard();
  return JSON.parse(reader.pack ?? 'null');
}

/** @param remaining milliseconds that are left when each item begins */
async function answered(handler: SliceHandler, sent: SliceEvent, remaining: readonly number[] = [60_000]) {
  let call = 0;
  const getRemainingTimeInMillis = (): number => remaining[Math.min(call++, remaining.length - 1)];
  return (await handler(sent, { getRemainingTimeInMillis })) as SliceAnswer;
}

const ofInput = (): string[] =>
  slices.objects.reads.map(({ key }) => key).filter((key) => key.startsWith('inputs/'));

describe('a pack of three items, of which one is bad', () => {
  async function packWithBadOne(): Promise<PackItem[]> {
    const [one, bad, three] = items(1, 2, 3);
    slices.objects.put(keyOf(2), Buffer.from('no request'));
    return Promise.resolve([one, { ...bad, value: { Key: keyOf(2), Etag: '"2"' } }, three]);
  }

  const failed = [
    {
      items: [20],
      error: 'InvalidInput',
      cause: expect.stringMatching(/^'inputs\/2' is not a safetensors file for this model: /) as string,
    },
  ];

  it('has one object for both others after the first slice, which says what became of each', async () => {
    const own = await packWithBadOne();
    const answer = await slices.sliceHandler(0)(first(own));
    expect(answer).toMatchObject({ slice: 0, items: 2, object: { bucket: BUCKET, key: SLICE_0 } });
    expect(answer.pack).toBeUndefined();
    const [a, , c] = await digestsOf(own);
    const entries = [
      [10, a],
      [30, c],
    ];
    expect(await entriesOf(SLICE_0)).toEqual({ entries, failed, left: [] });
    const both = [1, 3].flatMap((seed, entry) =>
      Object.entries({ ...tensorsOf(seed), early: earlyOf(seed), shifted: tensor([seed + 10, 20, 31]) }).map(
        ([name, own]) => [`${entry}/${name}`, own] as const,
      ),
    );
    expect(slices.stored(SLICE_0)).toEqual(named(Object.fromEntries(both)));
  });

  it('has one result with the outputs of both others, by the digests of their items', async () => {
    const own = await packWithBadOne();
    const { pack, object, items: count, outputs } = await run(own);
    const [a, , c] = await digestsOf(own);
    const result = `${PREFIX}${resultName([a, c], '', 'safetensors')}`;
    expect(pack).toEqual({ result, done: [10, 30], failed, left: [] });
    expect([object, count, outputs]).toEqual([{ bucket: BUCKET, key: result }, 2, undefined]);
    expect(await entriesOf(result)).toEqual({ digests: [a, c] });
    const both = [1, 3].flatMap((seed, entry) => [
      [`${entry}/late`, lateOf(seed)] as const,
      [`${entry}/early`, earlyOf(seed)] as const,
      [`${entry}/x`, tensorsOf(seed).x] as const,
    ]);
    expect(slices.stored(result)).toEqual(named(Object.fromEntries(both)));
  });

  it('is counted in the log, with the bytes of the tensors that were read', async () => {
    const { timing } = await run(await packWithBadOne());
    // Four tensors of three numbers each: shifted, scale, early and x.
    expect(timing).toMatchObject({ slice: 1, bytesRead: 2 * 4 * 12 });
    expect(slices.lines.map(({ slice, items: count }) => [slice, count])).toEqual([
      [0, 2],
      [1, 2],
    ]);
  });
});

it('each request is read once, also if later slices need its tensors', async () => {
  await run(items(1, 2));
  expect(ofInput().sort()).toEqual([keyOf(1), keyOf(2)]);
  const written = slices.objects.reads.filter(({ key }) => key === SLICE_0);
  expect(written).toHaveLength(1);
});

it('a pack without any good item has an object for later slices, and no result', async () => {
  const { pack, object } = await run([itemOf(1), itemOf(2)]);
  expect(pack).toMatchObject({ done: [], failed: [{ items: [10] }, { items: [20] }], left: [] });
  expect([pack?.result, object]).toEqual([undefined, undefined]);
  expect(slices.written()).toEqual([SLICE_0]);
});

it('two items may have the same content, and each has its entry', async () => {
  const [one] = items(1);
  const { pack } = await run([one, { ...one, index: 11 }]);
  expect(pack?.done).toEqual([10, 11]);
  const [a] = await digestsOf([one]);
  expect(await entriesOf(pack?.result)).toEqual({ digests: [a, a] });
});

describe('a request that was replaced', () => {
  const reason = {
    items: [20],
    error: 'InvalidInput',
    cause: expect.stringMatching(/was replaced: write each request to a new key$/) as string,
  };

  it('since it was listed fails, and nothing is stored under the key of what it was', async () => {
    const own = items(1, 2);
    const [a, listed] = await digestsOf(own);
    slices.objects.put(keyOf(2), file({ ...tensorsOf(7) }));
    const { pack } = await run(own);
    expect(pack).toMatchObject({ done: [10], failed: [reason] });
    expect(await entriesOf(pack?.result)).toEqual({ digests: [a] });
    expect(slices.written().join()).not.toContain(listed);
  });

  it('since S3 told its ETag fails too', async () => {
    items(1, 2);
    const rows = [1, 2].map((seed) => ({ index: 10 * seed, value: { key: keyOf(seed) } }));
    let reads = 0;
    slices.objects.onRead = (key) => {
      if (key === keyOf(2) && ++reads === 2) slices.objects.put(key, file({ ...tensorsOf(7) }));
    };
    const { pack } = await run(rows, { ...SOURCE, kind: 'csv', column: 'key' });
    expect(pack).toMatchObject({ done: [10], failed: [reason] });
  });
});

it('an item on which ONNX Runtime fails does not concern the others, and its values are not repeated', async () => {
  const own = items(1, 2, 3);
  await slices.sliceHandler(0)(first(own));
  const part = new SafetensorsStore(slices.objects, BUCKET);
  const reader = await part.open(SLICE_0);
  const tensors = new Map(await reader.read([...reader.heads.keys()]));
  // Nothing that can be multiplied with two rows.
  tensors.set('1/shifted', tensor([1, 2, 3, 4, 5, 6]));
  tensors.set('1/scale', tensor([1, 2, 3, 4, 5, 6, 7, 8, 9]));
  slices.objects.remove(SLICE_0);
  await part.write(SLICE_0, tensors, { pack: reader.pack ?? '' });
  const { pack } = await slices.sliceHandler(1)(last());
  expect(pack).toMatchObject({
    done: [10, 30],
    failed: [{ items: [20], error: 'SliceFailed', cause: expect.stringMatching(/Mul .*# by #/) as string }],
    left: [],
  });
  const [a, , c] = await digestsOf(own);
  expect(await entriesOf(pack?.result)).toEqual({ digests: [a, c] });
  const stored = slices.stored(pack?.result) as ReadonlyMap<string, unknown>;
  const late = new Map(['0/late', '1/late'].map((name) => [name, stored.get(name)]));
  expect(late).toEqual(named({ '0/late': lateOf(1), '1/late': lateOf(3) }));
});

describe('a function whose time runs out', () => {
  it('computes one item in any case, and leaves the others without reading them', async () => {
    const own = items(1, 2, 3, 4, 5, 6, 7, 8, 9);
    const answer = await answered(slices.handler(0), first(own), [4_000]);
    expect(answer.items).toBe(1);
    const left = [20, 30, 40, 50, 60, 70, 80, 90];
    expect(await entriesOf(SLICE_0)).toMatchObject({ entries: [[10, expect.anything()]], left });
    // Those on their way while it computed the first one.
    expect(ofInput().length).toBeLessThanOrEqual(5);
    expect(slices.objects.openBodies).toBe(0);
  });

  it('ends with its share of the time of the pack, which may be shorter than that of the call', async () => {
    const { pack = { until: 0 } } = first(items(1, 2, 3));
    const late = packEvent({ ...pack, until: Date.now() + 4_000 });
    expect((await answered(slices.handler(0), late)).items).toBe(1);
    expect(await entriesOf(SLICE_0)).toMatchObject({ left: [20, 30] });
  });

  it('ends with its share of the time also if no item has succeeded', async () => {
    const own = [itemOf(1), itemOf(2), itemOf(3)];
    await answered(slices.handler(0), first(own), [60_000, 4_000]);
    expect(await entriesOf(SLICE_0)).toMatchObject({
      entries: [],
      failed: [{ items: [10] }],
      left: [20, 30],
    });
  });

  it('hands on what it did not reach, and the last slice says so', async () => {
    await answered(slices.handler(0), first(items(1, 2, 3, 4)), [60_000, 60_000, 60_000, 4_000]);
    const { pack } = await answered(slices.handler(1), last(), [60_000, 60_000, 4_000]);
    expect(pack).toMatchObject({ done: [10, 20], failed: [], left: [40, 30] });
  });

  it('stops while there is time for the write and for an item as slow as the slowest', async () => {
    const sent = first(items(1, 2));
    const enough = await answered(slices.handler(0), sent, [60_000, 50_000]);
    expect(enough.items).toBe(2);
    const late = await answered(slices.handler(0), { ...sent, run: 'machine/run-2' }, [60_000, 5_000]);
    expect(late.items).toBe(1);
  });
});

describe('a function whose memory is full', () => {
  const rows = 500;
  const large = {
    x: tensor(Array<number>(3 * rows).fill(1)),
    scale: tensor(Array<number>(3 * rows).fill(2)),
  };
  // A twenty-fourth of it has room for less than two items, each with four tensors of 6,000 bytes.
  const memory = { AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '1' };

  it('leaves items for another pack', async () => {
    const seeds = [1, 2, 3, 4, 5, 6, 7, 8];
    const own = seeds.map((seed) => itemOf(seed));
    for (const seed of seeds) slices.objects.put(keyOf(seed), file(large));
    const answer = await answered(slices.handler(0, memory), first(own));
    expect(answer.items).toBe(2);
    expect(await entriesOf(SLICE_0)).toMatchObject({ left: [30, 40, 50, 60, 70, 80] });
    // Three at a time, because each has two tensors for which there is room.
    expect(ofInput()).toHaveLength(5);
    const { pack } = await answered(slices.handler(1), last());
    expect(pack).toMatchObject({ done: [10, 20], left: [30, 40, 50, 60, 70, 80] });
  });
});

describe('a retry', () => {
  it('of the last slice finds the object that is there', async () => {
    const { pack } = await run(items(1, 2));
    const before = slices.objects.bytes(pack?.result ?? '');
    const again = await slices.sliceHandler(1)(last());
    expect(again).toMatchObject({ pack, timing: { bytesWritten: 0 } });
    expect(slices.objects.bytes(pack?.result ?? '')).toBe(before);
  });

  it('in an execution that does everything again has an object of its own', async () => {
    const { pack } = await run(items(1, 2));
    const again = await slices.sliceHandler(1)(last({ salt: '01234567' }));
    expect(again.pack?.result).toBe(pack?.result?.replace('.safetensors', '-01234567.safetensors'));
    expect(again.timing.bytesWritten).toBeGreaterThan(0);
  });
});

describe('a fault that concerns all items', () => {
  it('of S3 fails the call, so that the state machine repeats it', async () => {
    const own = items(1, 2, 3);
    const fault = new NamedFailure('StorageUnavailable', { message: 'S3 is away' });
    slices.objects.failure = (key) => (key === keyOf(2) ? fault : undefined);
    expect(await failure(slices.handler(0), first(own))).toMatchObject({
      name: 'StorageUnavailable',
      cause: { slice: 0, message: 'S3 is away' },
    });
    expect(slices.written().filter((key) => !key.startsWith('inputs/'))).toEqual([]);
    expect(slices.objects.openBodies).toBe(0);
  });

  it('of an object of a slice before fails the call', async () => {
    const { name, cause } = await failure(slices.handler(1), last());
    expect([name, cause.message]).toEqual(['SliceFailed', expect.stringContaining(SLICE_0)]);
  });

  it('of a slice before that wrote no pack fails the call', async () => {
    await slices.sliceHandler(0)(event());
    expect(await failure(slices.handler(1), last())).toMatchObject({
      name: 'SliceFailed',
      cause: { message: 'the object of slice 0 must have the items of a pack: start the batch again' },
    });
    expect(slices.objects.openBodies).toBe(0);
  });

  it.each<[string, Partial<PackEvent>]>([
    ['no items', { source: SOURCE }],
    ['no source', { items: [] }],
  ])('is an event of the first slice with %s', async (_, pack) => {
    expect(await failure(slices.handler(0), packEvent(pack))).toMatchObject({
      name: 'SliceFailed',
      cause: { message: 'the event has no items for the first slice: deploy the stack again' },
    });
  });
});

describe('a model of one slice', () => {
  const early = MANIFESTS[0].outputs[1];
  const [x] = MANIFESTS[0].request;
  const manifest: SliceManifest = {
    ...{ ...MANIFESTS[0], slices: 1 },
    result: [fromSlice(early, 0), fromRequest(x)],
  };
  const both = (own: readonly PackItem[], more: Partial<PackEvent> = {}, source = SOURCE): SliceEvent =>
    packEvent({ items: own, source, resultsPrefix: PREFIX, salt: '', ...more });

  it('reads the requests and writes the results in one call', async () => {
    const own = items(1, 2);
    const { pack } = await slices.sliceHandler(0, manifest)(both(own));
    expect(pack).toMatchObject({ done: [10, 20], failed: [], left: [] });
    expect(slices.stored(pack?.result)).toEqual(
      named({
        ...{ '0/early': earlyOf(1), '0/x': tensorsOf(1).x },
        ...{ '1/early': earlyOf(2), '1/x': tensorsOf(2).x },
      }),
    );
  });

  it('may answer the result of one item inside', async () => {
    const own = items(3);
    const { pack, outputs } = await slices.sliceHandler(0, manifest)(both(own, { inline: true }));
    expect(pack?.result).toBe(`${PREFIX}1-${(await digestsOf(own))[0]}.safetensors`);
    expect(outputs).toMatchObject({ s3: { bucket: BUCKET, key: pack?.result }, entry: 0 });
    const base64 = (own: RawTensor) =>
      Buffer.from(own.dtype === 'string' ? '' : own.bytes).toString('base64');
    expect(outputs?.tensors).toEqual({
      early: { dtype: 'float32', shape: [1, 3], base64: base64(earlyOf(3)) },
      x: { dtype: 'float32', shape: [1, 3], base64: base64(tensorsOf(3).x) },
    });
  });

  it('computes what a preprocess function made of each item, by the digest of the item', async () => {
    const source: PackSource = { ...SOURCE, hasPreprocess: true };
    const request = (seed: number) => ({
      version: 1,
      inputs: { tensors: { x: inline([seed, 0, 1]), scale: inline([2, seed, 2]) } },
    });
    const [one, two, three] = items(1, 2, 3);
    const own = [one, two].map((item, at) => ({ ...item, request: request(at + 1) }));
    const bad = { ...three, request: { version: 1, inputs: {} } };
    const { pack } = await slices.sliceHandler(0, manifest)(both([...own, bad], {}, source));
    expect(pack).toMatchObject({ done: [10, 20], failed: [{ items: [30], error: 'InvalidInput' }] });
    expect(await entriesOf(pack?.result)).toEqual({ digests: await digestsOf(own, source) });
  });

  it('fails an item whose object was replaced before the preprocess function read it, and stores nothing of it', async () => {
    const source: PackSource = { ...SOURCE, hasPreprocess: true };
    const request = { version: 1, inputs: { tensors: { x: inline([1, 0, 1]), scale: inline([2, 1, 2]) } } };
    const own = items(1, 2).map((item) => ({ ...item, request }));
    slices.objects.put(keyOf(2), file({ ...tensorsOf(7) }));
    const { pack } = await slices.sliceHandler(0, manifest)(both(own, {}, source));
    const failure = { items: [20], error: 'InvalidInput' };
    expect(pack).toMatchObject({ done: [10], failed: [failure] });
    expect(pack?.failed[0].cause).toMatch(
      /^the item's object s3:.* was replaced: write each request to a new key$/,
    );
    expect(await entriesOf(pack?.result)).toEqual({ digests: await digestsOf(own.slice(0, 1), source) });
  });

  it.each<[kind: PackSource['kind'], cell: (numbers: readonly number[]) => unknown, mark?: string]>([
    ['jsonLines', (numbers) => numbers],
    ['csv', (numbers) => JSON.stringify(numbers), '\ufeff'],
  ])('takes the tensors of items of %s from their fields', async (kind, cell, mark = '') => {
    const source: PackSource = { ...SOURCE, kind };
    const row = (seed: number): PackItem => ({
      index: seed,
      value: { [`${mark}x`]: cell([seed, 0, 1]), scale: cell([2, seed, 2]), id: `row ${seed}` },
    });
    const bad = { index: 9, value: { x: cell([1, 2, 3]), scale: 'none' } };
    const { pack } = await slices.sliceHandler(0, manifest)(both([row(1), bad, row(2)], {}, source));
    expect(pack).toMatchObject({ done: [1, 2], failed: [{ items: [9], error: 'InvalidInput' }] });
    const { pack: expected } = await slices.sliceHandler(0, manifest)(both(items(1, 2)));
    expect(slices.stored(pack?.result)).toEqual(slices.stored(expected?.result));
  });

  it('takes the tensors of rows of Parquet from their columns', async () => {
    const source: PackSource = { ...SOURCE, kind: 'parquet' };
    const row = (seed: number): PackItem => ({
      index: seed,
      value: { id: `row ${seed}`, x: [seed, 0, 1], scale: [[1, 1, 1]] },
    });
    const ragged = { index: 8, value: { x: [[1, 2, 3], [4]], scale: [1, 1, 1] } };
    const missing = { index: 9, value: { id: 'row 9', x: [1, 2, 3] } };
    const { pack } = await slices.sliceHandler(
      0,
      manifest,
    )(both([row(1), ragged, missing, row(2)], {}, source));
    expect(pack?.done).toEqual([1, 2]);
    expect(pack?.failed.map(({ items: own, cause }) => [own, cause])).toEqual([
      [[8], expect.stringMatching(/^the column 'x' must hold lists of one length/)],
      [[9], expect.stringContaining("'scale'")],
    ]);
    expect(slices.stored(pack?.result)).toEqual(
      named({
        ...{ '0/early': earlyOf(1), '0/x': tensorsOf(1).x },
        ...{ '1/early': earlyOf(2), '1/x': tensorsOf(2).x },
      }),
    );
  });

  it('has results whose names do not depend on those of the items', async () => {
    const own = items(1, 2);
    const { pack } = await slices.sliceHandler(0, manifest)(both(own));
    expect(pack?.result).toBe(`${PREFIX}2-${digestOf((await digestsOf(own)).join())}.safetensors`);
  });
});
