/** Handlers of functions before and after the slices. S3 is a function of the test. */
import {
  decodeInlineTensor,
  decodeTensors,
  parseFailureCause,
  postprocessHandler,
  preprocessHandler,
  readOutputs,
  tensorFrom,
  type ExecutionOutput,
  type HandlerContext,
  type HandlerTensors,
} from '../../../client';
import { fakeAws, output } from '../../support/fake-aws';

const CONTEXT: HandlerContext = { awsRequestId: 'id', getRemainingTimeInMillis: () => 1000 };
const LARGE = new Float32Array(100_000);

async function failureOf(handled: Promise<unknown>): Promise<{ name: string; cause: unknown }> {
  const error = await handled.then(
    () => new Error('the handler succeeded'),
    (reason: unknown) => reason as Error,
  );
  return { name: error.name, cause: parseFailureCause(error.message) };
}

describe('a preprocess handler', () => {
  it('returns a request with the tensors inside if they fit', async () => {
    const handler = preprocessHandler((input) => ({
      x: { shape: [1, 2], data: Float32Array.from(input as number[]) },
    }));
    const { inputs, ...rest } = await handler([1, 2], CONTEXT);
    expect(rest).toEqual({ version: 1, output: { inline: 'auto' } });
    const { x } = inputs.tensors ?? {};
    expect(decodeInlineTensor('x', x)).toEqual(tensorFrom('float32', [1, 2], Float32Array.of(1, 2)));
  });

  it("puts larger tensors into the pipeline's bucket", async () => {
    const aws = fakeAws({ PutObject: () => ({}) });
    const handler = preprocessHandler(() => new Map([['x', { shape: [LARGE.length], data: LARGE }]]), {
      bucket: 'b',
      s3: aws.client,
    });
    const { inputs } = await handler({}, CONTEXT);
    const [{ Bucket, Key, Body }, ...others] = aws.sent('PutObject');
    expect(others).toEqual([]);
    expect([Bucket, Key]).toEqual(['b', inputs.s3]);
    expect(Key).toMatch(/^inputs\/[0-9a-f-]{36}\.safetensors$/);
    expect([...decodeTensors(Body as Uint8Array).keys()]).toEqual(['x']);
  });

  const data = Float32Array.of(1);

  it.each([
    [undefined, /^the function must return the model's inputs by name, got nothing: return \{ x: /],
    [{ x: { shape: [1], data: [1] } }, /^input 'x' must be .*, got data that is a list of length 1: /],
    [{ x: { shape: [2], data } }, /^input 'x' must be 2 elements .*, got 1: /],
    [{ x: { dtype: 'int64', shape: [1], data } }, /got Float32Array/],
  ])('that returns %j fails with one message', async (returned, message) => {
    const handler = preprocessHandler(() => returned as unknown as HandlerTensors);
    expect(await failureOf(handler({}, CONTEXT))).toEqual({
      name: 'InvalidInput',
      cause: expect.objectContaining({
        step: 'preprocess',
        message: expect.stringMatching(message) as string,
      }) as unknown,
    });
  });

  it('that has large tensors and no bucket says what is missing', async () => {
    const handler = preprocessHandler(() => ({ x: { shape: [LARGE.length], data: LARGE } }));
    const { name, cause } = await failureOf(handler({}, CONTEXT));
    expect(name).toBe('InvalidInput');
    expect(cause).toMatchObject({
      step: 'preprocess',
      message: expect.stringMatching(
        /^a request of \d+ bytes needs the pipeline's bucket, got no name of it: set the environment variable SLICED_INFERENCE_BUCKET /,
      ) as string,
    });
  });

  it('keeps the name of an error that the function throws', async () => {
    const handler = preprocessHandler(() => {
      throw Object.assign(new Error('no\nphoto'), { name: 'InvalidPhoto' });
    });
    const { name, cause } = await failureOf(handler({}, CONTEXT));
    expect(name).toBe('InvalidPhoto');
    expect(cause).toEqual({ step: 'preprocess', message: 'no photo' });
  });

  it('does not keep the name of an error of slices, and shortens messages', async () => {
    const mine = Object.assign(new Error('x'.repeat(10_000)), { name: 'SliceFailed' });
    const { name, cause } = await failureOf(preprocessHandler(() => Promise.reject(mine))({}, CONTEXT));
    const message = `SliceFailed: ${'x'.repeat(500 - 14)}…`;
    expect([name, cause]).toEqual(['HandlerError', { step: 'preprocess', message }]);
  });
});

const inline = JSON.parse(output()) as ExecutionOutput;

describe('a postprocess handler', () => {
  it('receives results that are inside the output, and the run', async () => {
    const handler = postprocessHandler(({ y }, { output: { run }, context }) => ({
      run,
      id: context.awsRequestId,
      values: Array.from(y.data as Float32Array),
    }));
    expect(await handler(inline, CONTEXT)).toEqual({ run: 'name/uuid', id: 'id', values: [2] });
  });

  it.each([
    ['nothing', undefined, /^the function must return JSON, got nothing: return null if/],
    ['a typed array', { y: new Float32Array(1) }, /^the function must return JSON, got a Float32Array as /],
    ['a bigint', { n: 1n }, /^the function must return JSON, got a bigint as 'n': convert it/],
    ['NaN', { n: [NaN] }, /^the function must return JSON, got a number that is not finite as '0': /],
    ['too much', 'x'.repeat(262_144), /^the function must return at most 262144 bytes as JSON, got 262146: /],
  ])('that returns %s fails with one message', async (_, returned, message) => {
    const { name, cause } = await failureOf(postprocessHandler(() => returned)(inline, CONTEXT));
    expect(name).toBe('InvalidOutput');
    expect(cause).toMatchObject({ step: 'postprocess', message: expect.stringMatching(message) as string });
  });
});

test('readOutputs refuses results in another bucket than that of the function', async () => {
  await expect(readOutputs(inline, { bucket: 'another' })).rejects.toThrow(
    "the results of the execution must be in the bucket 'another', got 'the-bucket': set SLICED_INFERENCE_BUCKET or the option bucket to",
  );
});
