/** Handlers of packs: they call the user's function for each item of a batch, and answer for as many as fit. */
import {
  decodeTensors,
  encodeTensors,
  postprocessHandler,
  preprocessHandler,
  type ExecutionInput,
  type ExecutionOutput,
  type HandlerContext,
} from '../../../client';
import { handledPack, isPack } from '../../../client/handlers/pack';
import { MAX_HANDLED_BYTES, type HandledItem, type HandledPack } from '../../../contract/batch-pack';
import { body, fakeAws, inTurn, output, serviceError, SIGNATURE } from '../../support/fake-aws';
import { float32 } from '../../support/tensors';

const CONTEXT: HandlerContext = { awsRequestId: 'id', getRemainingTimeInMillis: () => 60_000 };
const [bucket, key] = [SIGNATURE.bucket, 'outputs/nightly/abab/2-0.safetensors'];

/** What the functions write about failures, which would fill the report of the tests. */
let log: jest.SpyInstance;
beforeEach(() => {
  log = jest.spyOn(process.stderr, 'write').mockReturnValue(true);
});
afterEach(() => {
  log.mockRestore();
});

async function preprocessed(
  handle: Parameters<typeof preprocessHandler>[0],
  pack: readonly unknown[],
  options: Parameters<typeof preprocessHandler>[1] = {},
  context = CONTEXT,
): Promise<readonly HandledItem[]> {
  const until = Date.now() + 60_000;
  const answer = await preprocessHandler(handle, options)({ pack, until }, context);
  return (answer as unknown as HandledPack).pack;
}

/** The outputs of items whose results are entries of one object. */
const outputOf = (entry: number, s3: object = { bucket, key }): ExecutionOutput => {
  const execution = JSON.parse(output(false)) as ExecutionOutput;
  return { ...execution, outputs: { s3, entry } } as ExecutionOutput;
};

const results = encodeTensors(
  new Map([0, 1, 2].map((entry) => [`${entry}/y`, float32([1], [10 * entry])] as const)),
);

async function postprocessed(
  handle: Parameters<typeof postprocessHandler>[0],
  pack: readonly unknown[],
  aws = fakeAws({ GetObject: () => body(results) }),
): Promise<readonly HandledItem[]> {
  const handler = postprocessHandler(handle, { s3: aws.client });
  const until = Date.now() + 60_000;
  return ((await handler({ pack, until } as unknown as ExecutionOutput, CONTEXT)) as HandledPack).pack;
}

it.each<[unknown, boolean]>([
  [{ pack: [], until: 1 }, true],
  [{ pack: [1], until: 1 }, true],
  [{ pack: 'x', until: 1 }, false],
  [{ pack: [], until: '1' }, false],
  [{ pack: [] }, false],
  [{ pack: [], id: 1 }, false],
  [{ pack: [], until: 1, id: 1 }, false],
  [{}, false],
  [[], false],
  [null, false],
])('%j is a pack: %s', (event, expected) => {
  expect(isPack(event)).toBe(expected);
});

describe('a preprocess handler', () => {
  it('answers a request for each item, in their order', async () => {
    const seen: unknown[] = [];
    const answers = await preprocessed(
      async (input, { awsRequestId }) => {
        seen.push([input, awsRequestId]);
        return await Promise.resolve({ x: { shape: [1], data: Float32Array.of(input as number) } });
      },
      [3, 1, 2],
    );
    expect(seen).toEqual([3, 1, 2].map((item) => [item, 'id']));
    expect(answers).toEqual(
      [3, 1, 2].map((item) => ({
        value: {
          version: 1,
          inputs: {
            tensors: {
              x: {
                dtype: 'float32',
                shape: [1],
                base64: Buffer.from(Float32Array.of(item).buffer).toString('base64'),
              },
            },
          },
          output: { inline: 'auto' },
        },
      })),
    );
  });

  it('answers the failure of an item, which does not concern the others', async () => {
    const answers = await preprocessed(
      (input) => {
        if (input === 'bad') throw new RangeError('no\npicture');
        if (input === 'odd') return undefined as unknown as Record<string, never>;
        if (input === 'slice') throw Object.assign(new Error('mine'), { name: 'SliceFailed' });
        return { x: { shape: [1], data: Float32Array.of(1) } };
      },
      ['good', 'bad', 'odd', 'slice', 'good'],
    );
    expect(answers).toEqual([
      { value: expect.anything() as unknown },
      { failure: { error: 'RangeError', message: 'no picture' } },
      {
        failure: {
          error: 'InvalidInput',
          message: expect.stringMatching(/^the function must return/) as string,
        },
      },
      { failure: { error: 'HandlerError', message: 'SliceFailed: mine' } },
      { value: expect.anything() as unknown },
    ]);
    expect(log.mock.calls.map(([text]) => String(text)).join('')).toMatch(/RangeError: no\npicture\n +at /);
  });

  const floats = (length: number) => ({ x: { shape: [length], data: new Float32Array(length) } });
  const placesOf = (answers: readonly HandledItem[]): (string | undefined)[] =>
    answers.map((answer) => ('value' in answer ? (answer.value as ExecutionInput).inputs.s3 : 'failed'));

  it('puts requests above 8 KiB into S3, so that many fit in an answer', async () => {
    const aws = fakeAws({ PutObject: () => ({}) });
    const options = { bucket: 'b', s3: aws.client };
    const answers = await preprocessed((input) => floats(input as number), [1500, 3000], options);
    const places = placesOf(answers);
    expect(places[0]).toBeUndefined();
    expect(aws.sent('PutObject').map(({ Bucket, Key }) => [Bucket, Key])).toEqual([['b', places[1]]]);
    const [{ Body }] = aws.sent('PutObject');
    expect([...decodeTensors(Body as Uint8Array).keys()]).toEqual(['x']);
    const alone = await preprocessHandler((input) => floats(input as number), options)(3000, CONTEXT);
    expect(alone.inputs.s3).toBeUndefined();
  });

  it('keeps them inside if it has no bucket, and answers for as many as fit', async () => {
    const answers = await preprocessed((input) => floats(input as number), Array<number>(9).fill(6000));
    expect(placesOf(answers)).toEqual([undefined, undefined, undefined]);
  });
});

describe('a postprocess handler', () => {
  it('answers for each output, and reads the object that they share once', async () => {
    const aws = fakeAws({ GetObject: () => body(results) });
    const answers = await postprocessed(
      ({ y }, { output: own, context }) => [
        Array.from(y.data as Float32Array),
        own.outputs.entry,
        context.awsRequestId,
      ],
      [2, 0, 1].map((entry) => outputOf(entry)),
      aws,
    );
    expect(answers).toEqual([2, 0, 1].map((entry) => ({ value: [[10 * entry], entry, 'id'] })));
    expect(aws.sent('GetObject')).toHaveLength(1);
  });

  it('reads another object for an output that is there', async () => {
    const aws = fakeAws({ GetObject: () => body(results) });
    const other = { bucket, key: 'outputs/nightly/abab/1-1.safetensors' };
    await postprocessed(() => 1, [outputOf(0), outputOf(0, other), outputOf(1, other)], aws);
    expect(aws.sent('GetObject').map(({ Key }) => Key)).toEqual([key, other.key]);
  });

  it('answers the failure of an output, and reads the object again for the next one', async () => {
    const GetObject = inTurn(serviceError('AccessDenied', 403), body(results));
    const aws = fakeAws({ GetObject });
    const answers = await postprocessed(() => 'read', [outputOf(0), outputOf(1), outputOf(7)], aws);
    expect(answers).toEqual([
      { failure: expect.objectContaining({ error: 'AccessDenied' }) as object },
      { value: 'read' },
      { failure: expect.objectContaining({ error: 'InvalidOutput' }) as object },
    ]);
  });

  it('answers the failure of an output whose answer is no JSON, or too large for a pack', async () => {
    const values = [undefined, 'x'.repeat(MAX_HANDLED_BYTES - 1024 - 1), { label: 1 }];
    const answers = await postprocessed(
      (_, { output: own }) => values[own.outputs.entry ?? 0],
      [0, 1, 2].map((entry) => outputOf(entry)),
    );
    const most = MAX_HANDLED_BYTES - 1024;
    expect(answers).toEqual([
      {
        failure: {
          error: 'InvalidOutput',
          message: expect.stringMatching(/^the function must return JSON, got nothing/) as string,
        },
      },
      {
        failure: {
          error: 'InvalidOutput',
          message: `the function must return at most ${most} bytes of JSON for an item of a batch, got ${most + 1}: put large values into S3 and return their key`,
        },
      },
      { value: { label: 1 } },
    ]);
  });
});

describe('an answer', () => {
  const handled = async (
    values: readonly unknown[],
    remaining: (item: number) => number = () => 60_000,
    until = Date.now() + 60_000,
  ) => {
    let item = 0;
    const { pack } = await handledPack(
      { pack: values, until },
      {
        step: 'postprocess',
        handle: (value) => Promise.resolve((item++, value)),
        context: { getRemainingTimeInMillis: () => remaining(item) },
      },
    );
    return { pack, calls: item };
  };

  it('has as many items as fit in a state, and the others are for the next call', async () => {
    const long = 'x'.repeat(10_000);
    const { pack, calls } = await handled(Array<string>(20).fill(long));
    const bytes = Buffer.byteLength(JSON.stringify({ pack }));
    expect([pack.length, calls]).toEqual([12, 13]);
    expect(bytes).toBeLessThanOrEqual(MAX_HANDLED_BYTES + 1024);
  });

  it('has one item at least, also the largest that is allowed', async () => {
    const largest = 'x'.repeat(MAX_HANDLED_BYTES - 1024 - 2);
    expect((await handled([largest, 'y'])).pack).toEqual([{ value: largest }, { value: 'y' }]);
    expect((await handled([largest, largest])).pack).toEqual([{ value: largest }]);
  });

  it('counts bytes and not characters', async () => {
    expect((await handled(Array<string>(20).fill('ü'.repeat(5_000)))).pack).toHaveLength(12);
  });

  it('has what was done in the time of the call, and one item at least', async () => {
    expect((await handled([1, 2, 3, 4], (item) => (item < 2 ? 60_000 : 1_900))).pack).toEqual([
      { value: 1 },
      { value: 2 },
    ]);
    expect((await handled([1, 2], () => 0)).pack).toEqual([{ value: 1 }]);
    expect((await handled([1, 2], () => 60_000, Date.now())).pack).toEqual([{ value: 1 }]);
    expect((await handled([])).pack).toEqual([]);
  });

  it('leaves time for an item that takes twice as long as the longest before', async () => {
    let now = 0;
    const clock = jest.spyOn(performance, 'now').mockImplementation(() => now);
    const handle = (ms: unknown) => Promise.resolve((now += ms as number));
    const context = { getRemainingTimeInMillis: (): number => 10_000 - now };
    const { pack } = await handledPack(
      { pack: [3_000, 10, 10, 10], until: Date.now() + 60_000 },
      { step: 'preprocess', handle, context },
    );
    clock.mockRestore();
    // Before the second one 7 s are left, and it may take 6.
    expect(pack).toHaveLength(1);
  });
});
