/** The function of the whole model: it serves a run if it has loaded the model, and loads only when it is told to. */
import type { ColdAnswer, LoadAnswer, SliceAnswer } from '../../contract/slice-event';
import { ENV } from '../../contract/environment';
import { LoaderClaim, LONGEST_CALL_MS } from '../../lambda/whole-model';
import { MemoryObjects } from '../support/memory-objects';
import { event, failure, sliceHandlers } from '../support/slice-handler';

const CLAIM = 'runs/loader-of-pipeline.json';

const own = sliceHandlers();

function wholeModel() {
  const handler = own.handler(0, { [ENV.loaderKey]: CLAIM });
  return {
    handler,
    ask: () => handler(event({ ifWarm: true })) as Promise<ColdAnswer | SliceAnswer>,
    load: () =>
      handler(event({ load: true, askedAt: Date.now(), request: undefined })) as Promise<LoadAnswer>,
  };
}

test('a cold function answers at once, without a request to S3', async () => {
  const { ask } = wholeModel();
  own.objects.reads.length = 0;
  expect(await ask()).toEqual({ cold: true });
  expect(await ask()).toEqual({ cold: true });
  expect(own.objects.reads).toEqual([]);
  expect(own.lines).toMatchObject([
    { level: 'INFO', message: 'whole model is cold', whole: true, s3Gets: 0, s3Puts: 0 },
    { message: 'whole model is cold' },
  ]);
});

test('a function that was told to load serves the next run', async () => {
  const { ask, load } = wholeModel();
  expect(await load()).toMatchObject({ loaded: 'now', loadMs: expect.any(Number) as number });
  const answer = (await ask()) as SliceAnswer;
  expect(answer.timing).toMatchObject({ whole: true, cold: false, warmedUp: false, loadMs: 0 });
  expect(answer.timing.slice).toBeUndefined();
  expect(own.lines).toMatchObject([
    { message: 'whole model is loaded', whole: true, loaded: 'now', s3Puts: 2 },
    { message: 'whole model ran', whole: true },
  ]);
});

test('a sandbox that is told to load while another one does stays cold, and serves no run', async () => {
  const { ask, load } = wholeModel();
  own.objects.put(CLAIM, Buffer.from(JSON.stringify({ loader: 'other', until: Date.now() + 600_000 })));
  expect(await load()).toEqual({ loaded: 'elsewhere', loadMs: 0 });
  expect(await ask()).toEqual({ cold: true });
  expect(own.lines).toMatchObject([{ message: 'another sandbox loads the whole model' }, {}]);
});

test('a load that fails frees the claim, and the next one loads', async () => {
  const { ask, load } = wholeModel();
  own.objects.failure = (key) => (key.startsWith('assets/') ? new Error('reset') : undefined);
  await expect(load()).rejects.toThrow('reset');
  expect(await ask()).toEqual({ cold: true });
  expect(own.lines[0]).toMatchObject({ level: 'WARN', message: 'whole model failed', whole: true });
  own.objects.failure = () => undefined;
  expect(await load()).toMatchObject({ loaded: 'now' });
});

test('the function of a slice does not load for later runs', async () => {
  expect(await failure(own.handler(0), event({ load: true, askedAt: 0 }))).toMatchObject({
    name: 'SliceFailed',
    cause: { message: expect.stringContaining('only the function of the whole model') as string },
  });
});

const OBJECT = { bucket: 'bucket', key: 'runs/loader.json' };

/** Loaders of a model, and their clock. */
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

  /** How many of ten loaders get the claim. */
  async tenTake(until: number): Promise<number> {
    const taken = await Promise.all(Array.from({ length: 10 }, () => this.take(until)));
    return taken.filter(Boolean).length;
  }

  text(): string {
    return Buffer.from(this.objects.bytes(OBJECT.key) ?? []).toString();
  }
}

test('a loader that died blocks later ones until its call would have ended', async () => {
  const loaders = new Loaders();
  await loaders.take(2_000);
  loaders.now = 1_999;
  expect(await loaders.take(3_000)).toBe(false);
  loaders.now = 2_000;
  expect(await loaders.tenTake(3_000)).toBe(1);
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
  const write = objects.write.bind(objects);
  objects.write = async (...object) => {
    await write(...object);
    return write(...object);
  };
  expect(await loaders.take(2_000)).toBe(true);
  loaders.now = 2_000;
  expect(await loaders.take(3_000)).toBe(true);
});

test('a loader whose clock is fast blocks nobody for longer than the longest call', async () => {
  const loaders = new Loaders();
  await loaders.take(loaders.now + LONGEST_CALL_MS + 1);
  expect(await loaders.take(loaders.now + LONGEST_CALL_MS)).toBe(true);
  expect(await loaders.take(2_000)).toBe(false);
});

test.each([
  '{"loader":"other","until":1e999}',
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

test('an empty object, which no loader wrote, blocks no load', async () => {
  const loaders = new Loaders();
  loaders.objects.put(OBJECT.key, new Uint8Array());
  const claim = loaders.claim();
  expect(await claim.take({ until: 2_000, askedAt: loaders.now })).toBe(true);
  await claim.release('loaded');
  expect(await loaders.take(2_000)).toBe(true);
});
