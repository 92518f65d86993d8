/** The start of an execution: the results of earlier ones become an index. */
import { NamedFailure } from '../../../lambda/errors';
import { digestOf, resultName, saltOf } from '../../../lambda/batch/item-digest';
import { ResultIndex } from '../../../lambda/batch/result-index';
import { requireRoom, startBatch } from '../../../lambda/batch/start';
import { answersFile, batchFixture, digest, resultFile, SETTINGS } from '../../support/batch-context';

const NIGHT = { execution: 'night', again: false };
const PREFIX = `outputs/nightly/${'ab'.repeat(6)}/`;
const [a, b, c, d] = [1, 2, 3, 4].map((of) => digest(of));

const nameOf = (...digests: readonly string[]): string => resultName(digests, '', 'safetensors');

function indexOf({ objects }: ReturnType<typeof batchFixture>, { index }: { readonly index: string }) {
  return ResultIndex.decode(objects.bytes(index) ?? new Uint8Array(0));
}

it('without earlier results needs no index', async () => {
  const { context, objects } = batchFixture();
  expect(await startBatch(NIGHT, context)).toEqual({ prefix: PREFIX, index: '', salt: '' });
  expect(objects.keys()).toEqual([]);
});

it('finds the entries of all results of the deployment, on several pages, without reading those of one item', async () => {
  const fixture = batchFixture();
  const { context, put, listed, objects } = fixture;
  put(`${PREFIX}${nameOf(a, b)}`, resultFile([a, b]));
  put(`${PREFIX}${nameOf(c)}`, 'nobody reads it');
  put(`${PREFIX}${nameOf(d, c, b)}`, resultFile([d, c, b]), -1);
  put(`outputs/nightly/${'cd'.repeat(6)}/${nameOf(digest(9))}`, resultFile([digest(9)]));
  const started = await startBatch(NIGHT, context);
  expect(started).toEqual({
    prefix: PREFIX,
    index: `outputs/nightly/indices/night-${context.requestId}`,
    salt: '',
  });
  expect(listed).toEqual([PREFIX, PREFIX]);
  expect(objects.reads.map(({ key }) => key)).not.toContain(`${PREFIX}${nameOf(c)}`);
  const index = indexOf(fixture, started);
  expect([a, b, c, d, digest(9)].map((own) => index.find(own))).toEqual([
    { name: nameOf(a, b), entry: 0 },
    { name: nameOf(a, b), entry: 1 },
    { name: nameOf(c), entry: 0 },
    { name: nameOf(d, c, b), entry: 0 },
    undefined,
  ]);
  expect(objects.openBodies).toBe(0);
});

it('prefers the newest result of an item, also one of an execution that did everything again', async () => {
  const again = resultName([a, b], saltOf('again'), 'safetensors');
  for (const [older, newer] of [
    [nameOf(a, b), again],
    [again, nameOf(a, b)],
  ]) {
    const fixture = batchFixture();
    fixture.put(`${PREFIX}${older}`, resultFile([a, b]), 1000);
    fixture.put(`${PREFIX}${newer}`, resultFile([a, b]), 2000);
    const index = indexOf(fixture, await startBatch(NIGHT, fixture.context));
    expect(index.find(b)).toEqual({ name: newer, entry: 1 });
  }
});

it('ignores objects that are no results, and results that are damaged, gone or of another format', async () => {
  const fixture = batchFixture();
  const { context, put, objects } = fixture;
  put(`${PREFIX}${nameOf(a)}`, resultFile([a]));
  put(`${PREFIX}${nameOf(b)}.txt`, 'another program');
  put(`${PREFIX}${resultName([b], '', 'jsonl')}`, 'answers of a function that the pipeline had before');
  put(`${PREFIX}${nameOf(b, c)}`, 'no safetensors');
  const cut = resultFile([b, d]);
  put(`${PREFIX}${nameOf(b, d)}`, cut.subarray(0, cut.byteLength - 9));
  const damaged = resultFile([c, d]);
  damaged[20] ^= 1;
  put(`${PREFIX}${nameOf(c, d)}`, damaged);
  put(`${PREFIX}${nameOf(d, b)}`, resultFile([]));
  const gone = `${PREFIX}${nameOf(c, b)}`;
  put(gone, resultFile([c, b]));
  objects.onRead = (key) => {
    if (key === gone) objects.remove(key);
  };
  const index = indexOf(fixture, await startBatch(NIGHT, context));
  expect([a, b, c, d].map((own) => index.find(own)?.name)).toEqual([
    nameOf(a),
    undefined,
    undefined,
    undefined,
  ]);
});

it('ignores a result with more items than its name says, for which the index has no room', async () => {
  const fixture = batchFixture();
  const many = Array.from({ length: 100 }, (_, of) => digest(of));
  fixture.put(`${PREFIX}${nameOf(a, b)}`, resultFile(many));
  const index = indexOf(fixture, await startBatch(NIGHT, fixture.context));
  expect(index.find(many[7])).toBeUndefined();
});

const TOO_MANY = (got: string): object => ({
  name: 'TooManyResults',
  message: `a rerun must find at most 10000000 earlier results in 2000000 objects, got ${got} or more: start the batch again with {"again": true}, or keep results for less time`,
});

it('fails if there are more results than the function holds, and lists no others', async () => {
  const { context, put, objects, listed } = batchFixture();
  put(`${PREFIX}9999999-${b}.safetensors`, 'nobody lists it');
  put(`${PREFIX}9999999-${a}.safetensors`, 'nobody reads it');
  put(`${PREFIX}${nameOf(b, c)}`, 'nobody reads it');
  await expect(startBatch(NIGHT, context)).rejects.toMatchObject(TOO_MANY('10000001 in 2'));
  expect(objects.reads).toEqual([]);
  expect(listed).toEqual([PREFIX]);
});

it('fails if there are more objects with results than the function holds', () => {
  requireRoom(10_000_000, 2_000_000);
  expect(() => {
    requireRoom(2_000_001, 2_000_001);
  }).toThrow(expect.objectContaining(TOO_MANY('2000001 in 2000001')) as Error);
});

it('fails if S3 fails, so that nothing is done twice', async () => {
  const { context, put, objects } = batchFixture();
  put(`${PREFIX}${nameOf(a, b)}`, resultFile([a, b]));
  objects.failure = () => new NamedFailure('StorageUnavailable', { message: 'S3 is away' });
  await expect(startBatch(NIGHT, context)).rejects.toMatchObject({ name: 'StorageUnavailable' });
});

it('that does everything again looks for nothing, and sets its results apart', async () => {
  const { context, put, listed } = batchFixture();
  put(`${PREFIX}${nameOf(a)}`, resultFile([a]));
  const started = await startBatch({ ...NIGHT, again: true }, context);
  expect(started).toEqual({ prefix: PREFIX, index: '', salt: saltOf('night') });
  expect(listed).toEqual([]);
});

it('with a postprocess function finds its answers, and not the tensors that it got', async () => {
  const fixture = batchFixture({ hasPostprocess: true });
  fixture.put(`${PREFIX}${nameOf(a, b)}`, resultFile([a, b]));
  const answers = resultName([b, c], '', 'jsonl');
  fixture.put(`${PREFIX}${answers}`, answersFile([b, c].map((own) => ({ digest: own, output: null }))));
  const broken = resultName([d, c], '', 'jsonl');
  fixture.put(`${PREFIX}${broken}`, answersFile([{ digest: d, output: null }, { output: 1 }]), 9);
  const index = indexOf(fixture, await startBatch(NIGHT, fixture.context));
  expect([a, b, c, d].map((own) => index.find(own))).toEqual([
    ...[undefined, { name: answers, entry: 0 }],
    ...[{ name: answers, entry: 1 }, undefined],
  ]);
});

it('with handlers has its results apart from those of other code', async () => {
  const of = async (...handlers: string[]): Promise<string> =>
    (await startBatch(NIGHT, batchFixture({ handlers }).context)).prefix;
  const prefixes = [await of(), await of('1'), await of('2'), await of('1', '2'), await of('2', '1')];
  expect(new Set(prefixes).size).toBe(5);
  const expected = digestOf(`${SETTINGS.deploymentDigest} 1`).slice(0, 12);
  expect(prefixes[1]).toBe(`outputs/nightly/${expected}/`);
});
