import { setImmediate } from 'node:timers/promises';
import * as fc from 'fast-check';
import { ENV } from '../../contract/environment';
import type { FailureCause } from '../../contract/failures';
import type { SliceEvent } from '../../contract/slice-event';
import { ObjectUnavailable } from '../../lambda/store/object-store';
import { encodeSafetensors } from '../../lambda/tensors/safetensors';
import type { RawTensor } from '../../lambda/tensors/tensor';
import type { MemoryObjects } from '../support/memory-objects';
import { early, event, failure, inline, scale, SliceHandlers, tensor, x } from '../support/slice-handler';
import { DEPLOYMENT_DIGEST, MANIFESTS } from '../support/tiny-slice';

let slices: SliceHandlers;
beforeEach(() => (slices = new SliceHandlers()));
afterEach(() => {
  slices.remove();
});

const SECRET = 'the patient is ill';

/** JSON that is nested far deeper than the stack is high. */
function nested(): unknown {
  return JSON.parse('['.repeat(100_000) + ']'.repeat(100_000));
}

describe('a request that does not fit', () => {
  const inputs = (tensors: object) => event({ request: { version: 1, inputs: { tensors } } });

  it.each<[string, SliceEvent, Partial<FailureCause>]>([
    [
      'no request',
      event({ request: undefined }),
      { message: expect.stringContaining('got nothing') as string },
    ],
    [
      'another type',
      inputs({ x: { dtype: 'int64', shape: [1, 3], data: [1, 2, 3] }, scale: inline([1, 1, 1]) }),
      { tensor: 'x', expected: 'float32[N,3]', got: 'int64[1,3]' },
    ],
    ['an input of a later slice missing', inputs({ x: inline([1, 2, 3]) }), { tensor: 'scale', got: "'x'" }],
    ['an overridden default', inputs({ epsilon: inline([1, 1, 1]) }), { tensor: 'epsilon' }],
    [
      'a missing object',
      event({ request: { version: 1, inputs: { s3: 'inputs/none' } } }),
      {
        message:
          "the request's object s3://pipeline/inputs/none is missing or not permitted: check the key in 'inputs.s3'",
      },
    ],
  ])('is refused by the first slice before the session runs: %s', async (_, sliceEvent, cause) => {
    const failed = await failure(slices.sliceHandler(0), sliceEvent);
    expect(failed).toMatchObject({ name: 'InvalidInput', cause: { slice: 0, ...cause } });
    expect(slices.objects.keys().some((key) => key.startsWith('runs/'))).toBe(false);
  });

  it('is refused without waiting for the weights, which the next call does not fetch again', async () => {
    const handler = slices.sliceHandler(0);
    let arrive: () => void = () => undefined;
    const arrived = new Promise<void>((resolve) => (arrive = resolve));
    const get = slices.objects.get.bind(slices.objects);
    slices.objects.get = async (...args) => {
      if (args[0].key === 'assets/0.weights') await arrived;
      return get(...args);
    };
    expect((await failure(handler, event({ request: undefined }))).name).toBe('InvalidInput');
    const next = handler(event());
    arrive();
    expect((await next).timing).toMatchObject({ cold: true, warmedUp: false });
    // The first of the two calls read it.
    expect(slices.objects.reads.filter(({ key }) => key === 'assets/0.weights')).toHaveLength(1);
  });

  it('does not prevent later calls from loading the slice if its own load fails', async () => {
    const handler = slices.sliceHandler(0);
    const weights = slices.objects.bytes('assets/0.weights') ?? new Uint8Array(0);
    slices.objects.put('assets/0.weights', Buffer.from('damaged'));
    expect((await failure(handler, event({ request: undefined }))).name).toMatch(
      /InvalidInput|WeightsCorrupt/,
    );
    expect((await failure(handler, event())).name).toBe('WeightsCorrupt');
    slices.objects.put('assets/0.weights', weights);
    expect((await handler(event())).timing.cold).toBe(true);
  });

  it('does not cost the next call its load if the load that it started fails while nobody waits', async () => {
    const handler = slices.sliceHandler(0);
    let fail: () => void = () => undefined;
    const failed = new Promise<void>((resolve) => (fail = resolve));
    const get = slices.objects.get.bind(slices.objects);
    // Both attempts of the load that the refused call started.
    let attempts = 2;
    slices.objects.get = async (...args) => {
      if (args[0].key !== 'assets/0.weights' || attempts-- <= 0) return get(...args);
      await failed;
      throw new Error('the connection slept through a freeze');
    };
    expect((await failure(handler, event({ request: undefined }))).name).toBe('InvalidInput');
    const next = handler(event());
    fail();
    expect((await next).timing).toMatchObject({ cold: true, warmedUp: false });
  });

  it('is refused if its object is not a safetensors file', async () => {
    slices.objects.put('inputs/a', Buffer.from('a text file'));
    const failed = await failure(
      slices.sliceHandler(0),
      event({ request: { version: 1, inputs: { s3: 'inputs/a' } } }),
    );
    expect(failed.name).toBe('InvalidInput');
    expect(failed.cause.message).toContain("'inputs/a' is not a safetensors file for this model");
  });

  it.each([[[2 ** 40, 0]], [[0, 2 ** 31, 2 ** 31]]])(
    'is refused as InvalidInput if it has no elements, but the sizes %j',
    async (shape) => {
      const anyShape = { ...MANIFESTS[0].request[0], shape: null };
      const manifest = { ...MANIFESTS[0], request: [anyShape, MANIFESTS[0].request[1]] };
      const huge = { x: { dtype: 'float32', shape, data: [] }, scale: inline([1, 1, 1]) };
      const failed = await failure(slices.sliceHandler(0, manifest), inputs(huge));
      expect(failed).toMatchObject({ name: 'InvalidInput', cause: { tensor: 'x' } });
    },
  );

  it('is refused if its object is replaced during the read', async () => {
    // Longer than the first read.
    const many = new Array<number>(3 * 800_000).fill(1);
    const content = encodeSafetensors(
      new Map([
        ['x', tensor(many)],
        ['scale', tensor(many)],
      ]),
    );
    slices.objects.put('inputs/a', content);
    let reads = 0;
    slices.objects.onRead = (key) => {
      if (key === 'inputs/a' && ++reads === 2) slices.objects.put('inputs/a', content);
    };
    const failed = await failure(
      slices.sliceHandler(0),
      event({ request: { version: 1, inputs: { s3: 'inputs/a' } } }),
    );
    expect(failed.name).toBe('InvalidInput');
    expect(failed.cause.message).toContain('was replaced while it was read');
  });

  it('is refused if the header of its object is far longer than the model needs, without reading the header', async () => {
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(99_000_000n);
    slices.objects.put('inputs/a', Buffer.concat([length, Buffer.alloc(99_000_000, '[')]));
    const before = process.memoryUsage().rss;
    const failed = await failure(
      slices.sliceHandler(0),
      event({ request: { version: 1, inputs: { s3: 'inputs/a' } } }),
    );
    expect(failed.name).toBe('InvalidInput');
    expect(failed.cause.message).toContain('the header claims 99000000 bytes, the limit is 10');
    // The first read, which brings the length.
    const ranges = slices.objects.reads.filter(({ key }) => key === 'inputs/a').map(({ range }) => range);
    expect(ranges.every(({ start, end }) => start === 0 && end === 8 * 1024 * 1024)).toBe(true);
    expect(process.memoryUsage().rss - before).toBeLessThan(60_000_000);
  });

  it.each<[string, unknown]>([
    ['dtype', { dtype: nested(), shape: [1, 3], data: [1, 2, 3] }],
    ['shape', { dtype: 'float32', shape: nested(), data: [1, 2, 3] }],
    ['data', { dtype: 'float32', shape: [1, 3], data: nested() }],
    ['base64', { dtype: 'float32', shape: [1, 3], base64: nested() }],
    ['element', { dtype: 'float32', shape: [1, 1], data: [nested()] }],
  ])('is refused as InvalidInput if its %s is nested deeply', async (_, tensor) => {
    const deep = event({
      request: { version: 1, inputs: { tensors: { x: tensor, scale: inline([1, 1, 1]) } } },
    });
    expect((await failure(slices.sliceHandler(0), deep)).name).toBe('InvalidInput');
  });

  it.each(['__proto__', 'constructor', '', '\u0000', '\ud800', '\u001b[31m', 'x'.repeat(100_000)])(
    'is refused as InvalidInput if a tensor is named %j, with one line in the log',
    async (name) => {
      const tensors = JSON.parse(
        `{${JSON.stringify(name)}: {"dtype": "float32", "shape": [1], "data": [1]}}`,
      ) as object;
      const failed = await failure(
        slices.sliceHandler(0),
        event({ request: { version: 1, inputs: { tensors } } }),
      );
      expect(failed.name).toBe('InvalidInput');
      expect(JSON.stringify(slices.lines)).not.toContain('\u001b');
    },
  );

  it('is refused if the state machine could not send it', async () => {
    const failed = await failure(slices.sliceHandler(0), event({ request: { requestBytes: 261_121 } }));
    expect(failed).toEqual({
      name: 'InvalidInput',
      cause: {
        slice: 0,
        message:
          "the execution's input must have at most 261120 bytes, got 261121: put the tensors into S3 below inputs/",
      },
    });
  });

  it('never has its contents in the cause or in the log, wherever they are by mistake', async () => {
    // Nothing else in a cause or a log has these digits or these words.
    const contents = [SECRET, [SECRET], { [SECRET]: 1 }, 4711.4711, [4711.4711], [[4711.4711]], nested()];
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
    const inputs = tensors.map((x) => ({ tensors: { x, scale: inline([1, 1, 1]) } }));
    const requests = [
      ...contents,
      ...inputs.map((of) => ({ version: 1, inputs: of })),
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

  describe('if its object is replaced during the run', () => {
    const content = (values: readonly number[]): Uint8Array =>
      encodeSafetensors(
        new Map([
          ['x', tensor([1, 2, 3])],
          ['scale', tensor(values)],
        ]),
      );
    const fromS3 = event({ request: { version: 1, inputs: { s3: 'inputs/a' } } });
    const refused = {
      name: 'InvalidInput',
      cause: {
        slice: 1,
        message: "the request's object was replaced during the run: write each request to a new key",
      },
    };

    it('is refused by a later slice', async () => {
      slices.objects.put('inputs/a', content([2, 2, 2]));
      await slices.sliceHandler(0)(fromS3);
      slices.objects.put('inputs/a', content([3, 3, 3]));
      expect(await failure(slices.sliceHandler(1), fromS3)).toEqual(refused);
      expect(slices.objects.keys()).not.toContain('outputs/machine/run-1.safetensors');
    });

    it('is refused even if the first slice read both objects in two attempts', async () => {
      slices.objects.put('inputs/a', content([2, 2, 2]));
      await slices.sliceHandler(0)(fromS3);
      slices.objects.put('inputs/a', content([3, 3, 3]));
      await slices.sliceHandler(0)(fromS3);
      expect(await failure(slices.sliceHandler(1), fromS3)).toEqual(refused);
    });
  });
});

describe('a slice that cannot run', () => {
  it('fails with PlanChanged for a run of another deployment, before it loads anything', async () => {
    const failed = await failure(slices.sliceHandler(0), event({ deploymentDigest: 'other' }));
    expect(failed).toMatchObject({
      name: 'PlanChanged',
      cause: {
        message: 'this function belongs to another deployment than the run: start the execution again',
        expected: DEPLOYMENT_DIGEST,
        got: 'other',
      },
    });
    expect(slices.objects.reads).toEqual([]);
  });

  it('names the environment variable that is wrong', async () => {
    const failed = await failure(slices.handler(0, { [ENV.threads]: 'many' }), event());
    expect(failed).toMatchObject({ name: 'SliceFailed', cause: { got: 'many' } });
    expect(failed.cause.message).toContain(ENV.threads);
  });

  it('fails with WeightsCorrupt if a file has other content, and loads again in the next call', async () => {
    const handler = slices.sliceHandler(0);
    const weights = slices.objects.bytes('assets/0.weights') ?? new Uint8Array(0);
    slices.objects.put('assets/0.weights', Buffer.from('tampered'));
    expect((await failure(handler, event())).name).toBe('WeightsCorrupt');
    slices.objects.put('assets/0.weights', weights);
    expect((await handler(event())).timing.cold).toBe(true);
  });

  it('loads again in the next call if the model was missing while the weights still arrived', async () => {
    const handler = slices.sliceHandler(0);
    const model = slices.objects.bytes('assets/0.onnx') ?? new Uint8Array(0);
    let arrive: () => void = () => undefined;
    const arrived = new Promise<void>((resolve) => (arrive = resolve));
    const get = slices.objects.get.bind(slices.objects);
    slices.objects.get = async (...args) => {
      if (args[0].key === 'assets/0.weights') await arrived;
      return get(...args);
    };
    slices.objects.put('assets/0.onnx', Buffer.from('damaged'));
    const first = failure(handler, event());
    // The model has failed, and nothing but the weights is under way.
    for (let turn = 0; turn < 1000; turn++) await setImmediate();
    arrive();
    expect((await first).name).toBe('WeightsCorrupt');
    slices.objects.put('assets/0.onnx', model);
    expect((await handler(event())).timing.cold).toBe(true);
    expect(slices.objects.reads.filter(({ key }) => key === 'assets/0.weights')).toHaveLength(1);
  });

  it.each<[string, string, (objects: MemoryObjects) => void, number, object]>([
    [
      "a slice's file",
      'SliceFailed',
      (objects) => {
        objects.remove('assets/1.weights');
      },
      1,
      {},
    ],
    ['the tensors of an earlier slice', 'SliceFailed', () => undefined, 1, {}],
    ['the request', 'InvalidInput', () => undefined, 0, { inputs: { s3: 'inputs/none' } }],
    [
      'its own object',
      'SliceFailed',
      (objects) => (objects.putIfAbsent = (object) => Promise.reject(new ObjectUnavailable(object))),
      0,
      {},
    ],
  ])('names its deployment if it may not use %s', async (_, name, deny, slice, request) => {
    const handler = slices.sliceHandler(slice);
    deny(slices.objects);
    const refused = event({ request: { ...(event().request as object), ...request } });
    expect(await failure(handler, refused)).toMatchObject({
      name,
      cause: { deploymentDigest: DEPLOYMENT_DIGEST },
    });
    // Any other failure does not.
    const other = await failure(handler, event({ request: {} }));
    expect(other.cause.deploymentDigest).toBeUndefined();
  });

  it('names the earlier slice whose object is missing', async () => {
    const failed = await failure(slices.sliceHandler(1), event());
    expect(failed).toMatchObject({ name: 'SliceFailed', cause: { slice: 1 } });
    expect(failed.cause.message).toContain('cannot read the tensors of slice 0');
    expect(failed.cause.message).toContain('missing or not permitted');
  });

  it.each<[string, Map<string, RawTensor>, string]>([
    ['lacks a tensor', new Map([['early', early]]), "there is no tensor 'shifted'"],
    [
      'has a tensor of another type',
      new Map([
        ['early', early],
        ['shifted', { dtype: 'bool', shape: [], bytes: Uint8Array.of(1) }],
      ]),
      "tensor 'shifted' must be float32[...], got bool[]",
    ],
  ])("names the tensor if an earlier slice's object %s", async (_, content, message) => {
    slices.objects.put('runs/machine/run-1/slice-00.safetensors', encodeSafetensors(content));
    const failed = await failure(slices.sliceHandler(1), event());
    expect(failed.name).toBe('SliceFailed');
    expect(failed.cause.message).toContain(message);
  });

  it('reports the message of ONNX Runtime in one line', async () => {
    slices.objects.put(
      'runs/machine/run-1/slice-00.safetensors',
      encodeSafetensors(
        new Map([
          ['early', early],
          ['shifted', tensor([1, 2, 3, 4, 5, 6, 7, 8, 9])],
        ]),
      ),
    );
    const two = event({
      request: {
        version: 1,
        inputs: { tensors: { x: inline([1, 2, 3, 4, 5, 6]), scale: inline([1, 2, 3, 4, 5, 6]) } },
      },
    });
    const failed = await failure(slices.sliceHandler(1), two);
    expect(failed).toMatchObject({ name: 'SliceFailed', cause: { slice: 1 } });
    expect(failed.cause.message).toContain('Mul');
    expect(failed.cause.message).not.toContain('\n');
  });
});

describe('a flipped bit', () => {
  const key = 'runs/machine/run-1/slice-00.safetensors';
  const request = event({ request: { version: 1, inputs: { s3: 'inputs/a' } } });

  /** Runs both slices while each read of `damaged` has a flipped bit, at most `times`. */
  async function resultWith(damaged: string, place: number, times: number): Promise<unknown> {
    slices.objects.put(
      'inputs/a',
      encodeSafetensors(
        new Map([
          ['x', x],
          ['scale', scale],
        ]),
      ),
    );
    let left = times;
    slices.objects.damage = (part, read) => {
      if (read !== damaged || part.byteLength === 0 || left-- <= 0) return;
      const bit = Math.floor(place * part.byteLength * 8);
      part[bit >> 3] ^= 1 << (bit & 7);
    };
    await slices.sliceHandler(0)(request);
    await slices.sliceHandler(1)(request);
    return slices.stored('outputs/machine/run-1.safetensors');
  }

  it.each([key, 'inputs/a'])('of %s never changes the result', async (damaged) => {
    const expected = await resultWith('', 0, 0);
    await fc.assert(
      fc.asyncProperty(
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        fc.constantFrom(1, 2, Infinity),
        async (place, times) => {
          slices.remove();
          slices = new SliceHandlers();
          const result = await resultWith(damaged, place, times).catch((error: unknown) => error);
          if (!(result instanceof Error)) expect(result).toEqual(expected);
          // A request whose header is no longer a header at all cannot be told from another file.
          else if (damaged === key) expect(result.name).toBe('CorruptTensor');
          else expect(result.name).toMatch(/CorruptTensor|InvalidInput/);
          if (times < 3) expect(result).toEqual(expected);
        },
      ),
      { numRuns: 60 },
    );
  });
});
