import { LoaderClaim, LONGEST_CALL_MS } from '../../../lambda/whole/loader-claim';
import { MemoryObjects } from '../../support/memory-objects';

const OBJECT = { bucket: 'bucket', key: 'runs/loader.json' };

class Loaders {
  readonly objects = new MemoryObjects();
  now = 1_000;

  claim(): LoaderClaim {
    return new LoaderClaim(this.objects, OBJECT, () => this.now);
  }

  /** Another loader's attempt, for a run that asks now. */
  take(until: number): Promise<boolean> {
    return this.claim().take({ until, askedAt: this.now });
  }

  text(): string {
    return Buffer.from(this.objects.bytes(OBJECT.key) ?? []).toString();
  }
}

test('of ten loaders at once, one gets the claim', async () => {
  const loaders = new Loaders();
  const taken = await Promise.all(Array.from({ length: 10 }, () => loaders.take(2_000)));
  expect(taken.filter(Boolean)).toHaveLength(1);
});

test('a loader that ends frees the claim for the next one', async () => {
  const loaders = new Loaders();
  const first = loaders.claim();
  await first.take({ until: 2_000, askedAt: loaders.now });
  expect(await loaders.take(2_000)).toBe(false);
  await first.release('loaded');
  const taken = await Promise.all(Array.from({ length: 10 }, () => loaders.take(2_000)));
  expect(taken.filter(Boolean)).toHaveLength(1);
});

test('a loader that died blocks later ones until its call would have ended', async () => {
  const loaders = new Loaders();
  await loaders.take(2_000);
  loaders.now = 1_999;
  expect(await loaders.take(3_000)).toBe(false);
  loaders.now = 2_000;
  const taken = await Promise.all(Array.from({ length: 10 }, () => loaders.take(3_000)));
  expect(taken.filter(Boolean)).toHaveLength(1);
});

test('a loader that lost its claim does not free that of the next one', async () => {
  const loaders = new Loaders();
  const late = loaders.claim();
  await late.take({ until: 2_000, askedAt: loaders.now });
  loaders.now = 2_000;
  await loaders.take(3_000);
  await late.release('loaded');
  expect(await loaders.take(3_000)).toBe(false);
});

test('a loader keeps a claim whose answer from S3 was lost', async () => {
  const loaders = new Loaders();
  const { objects } = loaders;
  // The first attempt writes, and its repetition finds what it has written.
  const write = objects.putIfAbsent.bind(objects);
  objects.putIfAbsent = async (...object) => {
    await write(...object);
    return write(...object);
  };
  expect(await loaders.take(2_000)).toBe(true);
  loaders.now = 2_000;
  const replace = objects.replace.bind(objects);
  objects.replace = async (...object) => {
    await replace(...object);
    return replace(...object);
  };
  expect(await loaders.take(3_000)).toBe(true);
});

test('a loader whose clock is fast blocks nobody for longer than the longest call', async () => {
  const loaders = new Loaders();
  await loaders.take(loaders.now + LONGEST_CALL_MS + 1);
  expect(await loaders.take(2_000)).toBe(true);
});

test('a loader holds its claim for the longest call', async () => {
  const loaders = new Loaders();
  await loaders.take(loaders.now + LONGEST_CALL_MS);
  expect(await loaders.take(2_000)).toBe(false);
});

test.each([
  '{"loader":"other","until":1e999}',
  'null',
  '[]',
  '{"loader":7,"until":"never"}',
  'no JSON',
  `{"loader":"${'x'.repeat(2_000)}`,
])('an object that holds %j blocks nobody', async (text) => {
  const loaders = new Loaders();
  loaders.objects.put(OBJECT.key, Buffer.from(text));
  expect(await loaders.take(2_000)).toBe(true);
  expect(loaders.text()).toMatch(/^\{"loader":"[0-9a-f-]{36}","until":2000\}$/);
});

test('a claim that a lifecycle rule deletes meanwhile is nobody’s, and the next loader takes it', async () => {
  const loaders = new Loaders();
  const { objects } = loaders;
  objects.put(OBJECT.key, Buffer.from('{"loader":"other","until":0}'));
  objects.onRead = () => {
    objects.remove(OBJECT.key);
  };
  expect(await loaders.take(2_000)).toBe(false);
  expect(await loaders.take(2_000)).toBe(true);
});

test('a loader whose run asked before another one had loaded does not load a second copy', async () => {
  const loaders = new Loaders();
  const first = loaders.claim();
  await first.take({ until: 2_000, askedAt: 1_000 });
  loaders.now = 1_500;
  await first.release('loaded');
  loaders.now = 1_600;
  expect(await loaders.claim().take({ until: 3_000, askedAt: 1_400 })).toBe(false);
  // No idle copy was left for a run that asks later.
  expect(await loaders.claim().take({ until: 3_000, askedAt: 1_550 })).toBe(true);
});

test('after a load that failed, a loader loads for a run that asked before', async () => {
  const loaders = new Loaders();
  const first = loaders.claim();
  await first.take({ until: 2_000, askedAt: 1_000 });
  await first.release('failed');
  expect(await loaders.claim().take({ until: 2_000, askedAt: 900 })).toBe(true);
});

test('an empty object, which no loader wrote, blocks no load', async () => {
  const loaders = new Loaders();
  loaders.objects.put(OBJECT.key, new Uint8Array());
  const claim = loaders.claim();
  expect(await claim.take({ until: 2_000, askedAt: loaders.now })).toBe(true);
  await claim.release('loaded');
  expect(await loaders.take(2_000)).toBe(true);
});
