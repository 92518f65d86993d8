import { setImmediate } from 'node:timers/promises';
import * as fc from 'fast-check';
import { ENV } from '../../contract/environment';
import type { FailureCause } from '../../contract/failures';
import type { SliceEvent } from '../../contract/slice-event';
import { failureOf, invalidInput } from '../../lambda/errors';
import { handler } from '../../lambda/handler';
import { ObjectUnavailable } from '../../lambda/store/object-store';
import type { MemoryObjects } from '../support/memory-objects';
import {
  early,
  event,
  failure,
  file,
  inline,
  scale,
  sliceHandlers,
  tensor,
  x,
} from '../support/slice-handler';
import { DEPLOYMENT_DIGEST, sha256 } from '../support/tiny-slice';

const slices = sliceHandlers();
const SECRET = 'the patient is ill';
const SLICE_0 = 'runs/machine/run-1/slice-00.safetensors';
const fromS3 = event({ request: { version: 1, inputs: { s3: 'inputs/a' } } });

/** JSON that is nested far deeper than the stack is high. */
const NESTED: unknown = JSON.parse('['.repeat(100_000) + ']'.repeat(100_000));

const withInputs = (tensors: object) => event({ request: { version: 1, inputs: { tensors } } });

/** Holds reads of the first slice's weights until `release` is called; `attempts` of them then fail. */
function holdWeights(attempts = 0): () => void {
  let release: () => void = () => undefined;
  const released = new Promise<void>((resolve) => (release = resolve));
  const get = slices.objects.get.bind(slices.objects);
  slices.objects.get = async (...args) => {
    if (args[0].key === 'assets/0.weights') await released;
    if (args[0].key === 'assets/0.weights' && attempts-- > 0) throw new Error('the connection slept');
    return get(...args);
  };
  return release;
}

const readsOfWeights = () => slices.objects.reads.filter(({ key }) => key === 'assets/0.weights').length;

const causeOf = (error: unknown) => JSON.parse(failureOf(error, 3).message) as FailureCause;

it.each(['x', '\u0001', '"', '\ud800'])(
  'the cause of a failure stays within 1000 characters if its texts are long runs of %j',
  (character) => {
    const long = character.repeat(10_000);
    const error = failureOf(invalidInput(long, { tensor: long, expected: long, got: long }), 3);
    expect(error.message.length).toBeLessThanOrEqual(1000);
    expect(JSON.parse(error.message)).toMatchObject({ slice: 3 });
  },
);

it('the cause of a failure is one line without control characters, and has no stack trace', () => {
  expect(causeOf(invalidInput('a\u0085b\u007fc\u0000d', { got: '\u009b31m' }))).toMatchObject({
    message: 'a b c d',
    got: '31m',
  });
  expect(failureOf(new Error('broke'), 3)).toMatchObject({ name: 'SliceFailed', stack: 'SliceFailed' });
  expect(causeOf('line 1\n  at line 2').message).toBe('line 1 at line 2');
});

it('the deployed function names a variable that its environment lacks', async () => {
  const log = jest.spyOn(process.stdout, 'write').mockReturnValue(true);
  const failed = await failure(handler, event()).finally(() => {
    log.mockRestore();
  });
  expect(failed).toMatchObject({ name: 'SliceFailed', cause: { slice: -1 } });
  expect(failed.cause.message).toContain(ENV.bucket);
});

describe('a request that does not fit', () => {
  it.each<[string, SliceEvent, Partial<FailureCause>, string]>([
    ['no request', event({ request: undefined }), {}, 'got nothing'],
    [
      'another type',
      withInputs({ x: { dtype: 'int64', shape: [1, 3], data: [1, 2, 3] }, scale: inline([1, 1, 1]) }),
      { tensor: 'x', expected: 'float32[N,3]', got: 'int64[1,3]' },
      'expects',
    ],
    ['a missing object', fromS3, {}, 's3://pipeline/inputs/a is missing or not permitted: check the key'],
    ['more than an event holds', event({ request: { requestBytes: 261_121 } }), {}, 'at most 261120 bytes'],
  ])('is refused by the first slice before the session runs: %s', async (_, sliceEvent, cause, words) => {
    const failed = await failure(slices.sliceHandler(0), sliceEvent);
    expect(failed).toMatchObject({ name: 'InvalidInput', cause: { slice: 0, ...cause } });
    expect(failed.cause.message).toContain(words);
    expect(slices.written()).toEqual([]);
  });

  it('is refused without waiting for the weights, which the next call does not fetch again', async () => {
    const handler = slices.sliceHandler(0);
    const release = holdWeights();
    expect((await failure(handler, event({ request: undefined }))).name).toBe('InvalidInput');
    const next = handler(event());
    release();
    expect((await next).timing).toMatchObject({ cold: true, warmedUp: false });
    // The first of the two calls read it.
    expect(readsOfWeights()).toBe(1);
  });

  it('does not cost the next call its load if the load that it started fails while nobody waits', async () => {
    const handler = slices.sliceHandler(0);
    // Both attempts of the load that the refused call started.
    const release = holdWeights(2);
    expect((await failure(handler, event({ request: undefined }))).name).toBe('InvalidInput');
    const next = handler(event());
    release();
    expect((await next).timing).toMatchObject({ cold: true, warmedUp: false });
  });

  it('is refused if its object lacks a tensor, or is replaced during the read', async () => {
    slices.objects.put('inputs/a', file({ x }));
    expect((await failure(slices.sliceHandler(0), fromS3)).cause).toMatchObject({ tensor: 'scale' });

    // Longer than the first read.
    const many = tensor(new Array<number>(3 * 800_000).fill(1));
    const content = file({ x: many, scale: many });
    slices.objects.put('inputs/a', content);
    let reads = 0;
    slices.objects.onRead = (key) => {
      if (key === 'inputs/a' && ++reads === 2) slices.objects.put('inputs/a', content);
    };
    const replaced = await failure(slices.sliceHandler(0), fromS3);
    expect(replaced.name).toBe('InvalidInput');
    expect(replaced.cause.message).toContain('was replaced');
  });

  it('is refused if the header of its object is far longer than the model needs, without reading the header', async () => {
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(99_000_000n);
    slices.objects.put('inputs/a', Buffer.concat([length, Buffer.alloc(99_000_000, '[')]));
    const before = process.memoryUsage().rss;
    const failed = await failure(slices.sliceHandler(0), fromS3);
    expect(failed.name).toBe('InvalidInput');
    expect(failed.cause.message).toContain('the header claims 99000000 bytes, the limit is 10');
    // The first read, which brings the length.
    const ranges = slices.objects.reads.filter(({ key }) => key === 'inputs/a').map(({ range }) => range);
    expect(ranges.every(({ start, end }) => start === 0 && end === 8 * 1024 * 1024)).toBe(true);
    expect(process.memoryUsage().rss - before).toBeLessThan(60_000_000);
  });

  it.each(['__proto__', 'constructor', '', '\u0000', '\ud800', '\u001b[31m', 'x'.repeat(100_000)])(
    'is refused as InvalidInput if a tensor is named %j, with one line in the log',
    async (name) => {
      const tensors = `{${JSON.stringify(name)}: {"dtype": "float32", "shape": [1], "data": [1]}}`;
      const failed = await failure(slices.sliceHandler(0), withInputs(JSON.parse(tensors) as object));
      expect(failed.name).toBe('InvalidInput');
      expect(JSON.stringify(slices.lines)).not.toContain('\u001b');
    },
  );

  it('never has its contents in the cause or in the log, wherever they are by mistake', async () => {
    // Nothing else in a cause or a log has these digits or these words.
    const contents = [SECRET, [SECRET], { [SECRET]: 1 }, 4711.4711, [4711.4711], [[4711.4711]], NESTED];
    const tensors = contents.flatMap((content) => [
      { dtype: content, shape: [1, 3], data: [1, 2, 3] },
      { dtype: 'float32', shape: content, data: [1, 2, 3] },
      { dtype: 'float32', shape: [1, 3], data: content },
      { dtype: 'float32', shape: [1, 4], data: [content, 1, 2, 3] },
      { dtype: 'int8', shape: [1, 3], data: [content, 1, 2] },
      { dtype: 'bool', shape: [1, 3], data: [content, 1, 2] },
      { dtype: 'string', shape: [1], data: [content] },
      { dtype: 'string', shape: [1], data: [`${SECRET}\u0000`] },
      { dtype: 'float32', shape: [1, 3], base64: content },
      content,
    ]);
    const requests = [
      ...contents,
      ...tensors.map((x) => ({ version: 1, inputs: { tensors: { x, scale: inline([1, 1, 1]) } } })),
      ...contents.flatMap((content) => [
        { version: content, inputs: {} },
        { version: 1, inputs: content },
        { version: 1, inputs: { tensors: content } },
        { version: 1, inputs: { s3: 'inputs/a' }, output: content },
        { version: 1, inputs: { s3: 'inputs/a' }, output: { inline: content } },
      ]),
    ];
    const handler = slices.sliceHandler(0);
    const causes: unknown[] = [];
    for (const request of requests) {
      const failed = await failure(handler, event({ request }));
      expect(failed.name).toBe('InvalidInput');
      causes.push(failed.cause);
    }
    // A name is a place and is shown. In some of the requests the secret is the name of a field or of a tensor.
    const names = new RegExp(`(unknown field|input|tensor) '${SECRET}'`, 'g');
    const shown = [...causes, ...slices.lines].map((entry) => JSON.stringify(entry).replaceAll(names, ''));
    expect(shown.filter((entry) => entry.includes(SECRET) || entry.includes('4711'))).toEqual([]);
  });

  it.each([1, 2])(
    'is refused if its object is replaced before attempt %d of the first slice ends',
    async (attempts) => {
      const content = (value: number) => file({ x, scale: tensor([value, value, value]) });
      for (let attempt = 1; attempt <= attempts; attempt++) {
        slices.objects.put('inputs/a', content(attempt));
        await slices.sliceHandler(0)(fromS3);
      }
      if (attempts === 1) slices.objects.put('inputs/a', content(2));
      expect(await failure(slices.sliceHandler(1), fromS3)).toEqual({
        name: 'InvalidInput',
        cause: {
          slice: 1,
          message: "the request's object was replaced during the run: write each request to a new key",
        },
      });
      expect(slices.objects.keys()).not.toContain('outputs/machine/run-1.safetensors');
    },
  );
});

describe('a slice that cannot run', () => {
  it.each([
    ['event', event()],
    ['warm-up', event({ request: undefined, warmUp: true })],
    ['event with a bad request', event({ request: undefined })],
  ])(
    'fails with WeightsCorrupt if a file has other content, and the call after that %s loads',
    async (_, first) => {
      const handler = slices.sliceHandler(0);
      const weights = slices.objects.bytes('assets/0.weights') ?? new Uint8Array(0);
      slices.objects.put('assets/0.weights', Buffer.from('tampered'));
      expect((await failure(handler, first)).name).toMatch(/InvalidInput|WeightsCorrupt/);
      expect(await failure(handler, event())).toMatchObject({
        name: 'WeightsCorrupt',
        cause: { expected: sha256(weights), got: sha256(Buffer.from('tampered')) },
      });
      slices.objects.put('assets/0.weights', weights);
      expect((await handler(event())).timing).toMatchObject({ cold: true, warmedUp: false });
    },
  );

  it('loads again in the next call if the model was missing while the weights still arrived', async () => {
    const handler = slices.sliceHandler(0);
    const model = slices.objects.bytes('assets/0.onnx') ?? new Uint8Array(0);
    const release = holdWeights();
    slices.objects.put('assets/0.onnx', Buffer.from('damaged'));
    const first = failure(handler, event());
    // The model has failed, and nothing but the weights is under way.
    for (let turn = 0; turn < 1000; turn++) await setImmediate();
    release();
    expect((await first).name).toBe('WeightsCorrupt');
    slices.objects.put('assets/0.onnx', model);
    expect((await handler(event())).timing.cold).toBe(true);
    expect(readsOfWeights()).toBe(1);
  });

  const nothing = (): void => undefined;
  const refuseWrites = (objects: MemoryObjects): void => {
    objects.write = (object) => Promise.reject(new ObjectUnavailable(object));
  };
  const removeWeights = (objects: MemoryObjects): void => {
    objects.remove('assets/0.weights');
  };

  it.each<[string, string, (objects: MemoryObjects) => void, number, object, string]>([
    ["a slice's file", 'SliceFailed', removeWeights, 0, {}, 'deploy the stack again if the file has expired'],
    ['the tensors of an earlier slice', 'SliceFailed', nothing, 1, {}, 'cannot read the tensors of slice 0'],
    ['the request', 'InvalidInput', nothing, 0, { inputs: { s3: 'inputs/none' } }, 'check the key'],
    ['its own object', 'SliceFailed', refuseWrites, 0, {}, 'missing or not permitted'],
  ])('names its deployment if it may not use %s', async (_, name, deny, slice, request, words) => {
    const handler = slices.sliceHandler(slice);
    deny(slices.objects);
    const refused = await failure(
      handler,
      event({ request: { ...(event().request as object), ...request } }),
    );
    expect(refused).toMatchObject({ name, cause: { slice, deploymentDigest: DEPLOYMENT_DIGEST } });
    expect(refused.cause.message).toContain(words);
    // Any other failure does not.
    const other = await failure(handler, event({ request: {} }));
    expect(other.cause.deploymentDigest).toBeUndefined();
  });

  it("names a tensor that an earlier slice's object lacks", async () => {
    slices.objects.put(SLICE_0, file({ early }));
    const failed = await failure(slices.sliceHandler(1), event());
    expect(failed.name).toBe('SliceFailed');
    expect(failed.cause.message).toContain("there is no tensor 'shifted'");
    expect(slices.objects.openBodies).toBe(0);
  });
});

/** Runs both slices while each read of `damaged` has a flipped bit, at most `times`. */
async function resultWith(damaged: string, place: number, times: number): Promise<unknown> {
  slices.objects.put('inputs/a', file({ x, scale }));
  let left = times;
  slices.objects.damage = (part, read) => {
    if (read !== damaged || part.byteLength === 0 || left-- <= 0) return;
    const bit = Math.floor(place * part.byteLength * 8);
    part[bit >> 3] ^= 1 << (bit & 7);
  };
  await slices.sliceHandler(0)(fromS3);
  await slices.sliceHandler(1)(fromS3);
  return slices.stored('outputs/machine/run-1.safetensors');
}

it.each([SLICE_0, 'inputs/a'])('a flipped bit of %s never changes the result', async (damaged) => {
  const expected = await resultWith('', 0, 0);
  const place = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  const run = fc.asyncProperty(place, fc.constantFrom(1, 2, Infinity), async (at, times) => {
    slices.remove();
    slices.reset();
    const result = await resultWith(damaged, at, times).catch((error: unknown) => error);
    if (!(result instanceof Error)) expect(result).toEqual(expected);
    // A request whose header is no longer a header at all cannot be told from another file.
    else if (damaged === SLICE_0) expect(result.name).toBe('CorruptTensor');
    else expect(result.name).toMatch(/CorruptTensor|InvalidInput/);
    if (times < 3) expect(result).toEqual(expected);
  });
  await fc.assert(run, { numRuns: 60 });
});
