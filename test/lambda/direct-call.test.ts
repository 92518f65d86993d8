/** Calls of a function that has the whole model and no state machine. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import type { DescribeAnswer } from '../../contract/direct-call';
import type { ExecutionOutput } from '../../contract/execution';
import type { SliceEvent } from '../../contract/slice-event';
import type { SliceHandler } from '../../lambda/handler';
import type { UrlAnswer } from '../../lambda/url-call';
import { temporaryFolder } from '../support/temporary-folder';
import { until } from '../support/until';
import { decodeInlineTensor } from '../../lambda/request/inline-tensor';
import {
  event,
  failure,
  file,
  inline,
  named,
  RESULTS,
  scale,
  sliceHandlers,
  tensor,
  x,
} from '../support/slice-handler';
import { BUCKET, DEPLOYMENT_DIGEST } from '../support/tiny-slice';

const slices = sliceHandlers();

const REQUEST_ID = '8f1a6c4e-0c1e-4a5b-9d7c-2f6f0e4f7a11';
const ARN = 'arn:aws:lambda:eu-west-1:111122223333:function:model';
const KEY = `outputs/model/${REQUEST_ID}.safetensors`;
const context = { getRemainingTimeInMillis: () => 10_000, awsRequestId: REQUEST_ID };

const request = (changes: object = {}) => ({ ...(event().request as object), ...changes });

async function call(handler: SliceHandler, sent: object = request()): Promise<ExecutionOutput> {
  return (await handler(sent as SliceEvent, context)) as ExecutionOutput;
}

/** Inline results, in a form that `toEqual` compares. */
function inlined({ outputs: { tensors = {} } }: ExecutionOutput): unknown {
  return named(
    Object.fromEntries(Object.entries(tensors).map(([name, own]) => [name, decodeInlineTensor(name, own)])),
  );
}

it('takes a request, and answers the output of an execution with the results inside and in no object', async () => {
  const output = await call(slices.functionHandler());
  expect(inlined(output)).toEqual(RESULTS);
  expect(output).toMatchObject({
    ...{ version: 1, deploymentDigest: DEPLOYMENT_DIGEST, run: `model/${REQUEST_ID}` },
    timings: [{ slice: 0, cold: true, bytesWritten: 0 }],
  });
  expect(output.outputs.s3).toBeUndefined();
  expect(slices.written()).toEqual([]);
});

it('reads a request from S3, and writes results that the request wants there', async () => {
  slices.objects.put('inputs/a', file({ x, scale }));
  const handler = slices.functionHandler();
  const output = await call(handler, { version: 1, inputs: { s3: 'inputs/a' }, output: { inline: 'never' } });
  expect(output.outputs).toEqual({ s3: { bucket: BUCKET, key: KEY } });
  expect(slices.stored(KEY)).toEqual(RESULTS);
});

it('a second attempt at a call finds what the first one has written, and a further call writes its own', async () => {
  const handler = slices.functionHandler();
  const wanted = request({ output: { inline: 'never' } });
  expect((await call(handler, wanted)).timings[0].bytesWritten).toBeGreaterThan(0);
  expect((await call(handler, wanted)).timings[0].bytesWritten).toBe(0);
  await handler(wanted as unknown as SliceEvent, { ...context, awsRequestId: 'another' });
  expect(slices.written()).toEqual([KEY, 'outputs/model/another.safetensors']);
});

it('each call has the results of its own request', async () => {
  const handler = slices.functionHandler();
  const results = await Promise.all(
    [1, 2, 3].map(async (value) => {
      const tensors = { x: inline([value, 0, 0]), scale: inline([1, 1, 1]) };
      return inlined(await call(handler, { version: 1, inputs: { tensors } }));
    }),
  );
  expect(results).toEqual(
    [1, 2, 3].map((value) =>
      named({
        late: tensor([value + 10, 20, 30]),
        early: tensor([-value, -0, -0]),
        x: tensor([value, 0, 0]),
      }),
    ),
  );
});

it('is described without its weights', async () => {
  const handler = slices.functionHandler();
  slices.objects.put('assets/0.weights', new Uint8Array(0));
  const { signature } = (await handler({ version: 1, describe: true } as never)) as unknown as DescribeAnswer;
  const spec = (name: string) => ({ name, dtype: 'float32', shape: ['N', 3] });
  expect(signature).toEqual({
    ...{ version: 1, deploymentDigest: DEPLOYMENT_DIGEST, threads: 1, bucket: BUCKET },
    inputs: [spec('x'), spec('scale')],
    outputs: [spec('late'), spec('early'), spec('x')],
  });
  expect(slices.lines.map(({ message }) => message)).toEqual(['function is described']);
});

it.each<[string, unknown, string]>([
  ['another version', request({ version: 2 }), "'version' of the execution's input must be 1, got 2"],
  ['another version of the question', { version: 2, describe: true }, "'version' must be 1, got 2"],
  ['no object', 'text', "the execution's input must be a JSON object, got a string"],
  ['no inputs', { version: 1 }, "'inputs' of the execution's input must be a JSON object, got nothing"],
  ['an unknown field', request({ other: 1 }), "the execution's input has the unknown field 'other'"],
  [
    'no tensor',
    request({ inputs: { tensors: { x: inline([1, 2, 3]) } } }),
    "input 'scale' float32[N,3] is missing",
  ],
  [
    'another type',
    request({ inputs: { tensors: { x: { dtype: 'int64', shape: [3], data: [1, 2, 3] } } } }),
    "'x'",
  ],
])('refuses %s as a pipeline does', async (_, sent, message) => {
  const { name, cause } = await failure(slices.functionHandler(), sent);
  expect(name).toBe('InvalidInput');
  expect(cause.message).toContain(message);
});

it('refuses a request if only state machines invoke the function', async () => {
  const { name, cause } = await failure(slices.functionHandler({ SLICE_DIRECT_CALLS: '' }), request());
  expect([name, cause.message]).toEqual([
    'SliceFailed',
    "the event does not come from this pipeline's state machine: start the state machine instead of the function",
  ]);
});

it('also serves the state machine of a batch', async () => {
  const answer = await slices.functionHandler()(event(), { ...context, invokedFunctionArn: `${ARN}:12` });
  expect(answer).toMatchObject({ slice: 0, outputs: { s3: { key: 'outputs/machine/run-1.safetensors' } } });
});

it.each([`${ARN}:live`, ARN, undefined])(
  'takes no event of a state machine from a caller, by %s',
  async (invokedFunctionArn) => {
    const handler = slices.functionHandler();
    for (const sent of [event(), { ...event(), step: 'postprocess', event: {} }]) {
      const failed = handler(sent, {
        ...context,
        ...(invokedFunctionArn !== undefined && { invokedFunctionArn }),
      });
      await expect(failed).rejects.toThrow("the execution's input has the unknown field");
    }
    expect(slices.written()).toEqual([]);
  },
);

it.each(['disabled', 'basic', 'extended', 'layout', 'all'])(
  'loads the model at the level %s',
  async (level) => {
    const output = await call(slices.functionHandler({ SLICE_GRAPH_OPTIMIZATION: level }));
    expect(inlined(output)).toEqual(RESULTS);
  },
);

it('refuses a level that ONNX Runtime does not have', async () => {
  const { cause } = await failure(slices.functionHandler({ SLICE_GRAPH_OPTIMIZATION: 'most' }), request());
  expect(cause.message).toContain(
    'SLICE_GRAPH_OPTIMIZATION must be disabled, basic, extended, layout, all, got most',
  );
});

describe('by a URL', () => {
  const url = (body: unknown, more: object = {}) => ({
    ...{ version: '2.0', rawPath: '/', requestContext: { http: { method: 'POST' } } },
    ...{ body: typeof body === 'string' ? body : JSON.stringify(body), isBase64Encoded: false },
    ...more,
  });

  async function answer(sent: object, handler = slices.functionHandler()) {
    const { statusCode, headers, body } = (await handler(sent as never, context)) as UrlAnswer;
    expect(headers).toEqual({ 'content-type': 'application/json' });
    return { statusCode, body: JSON.parse(body) as Record<string, unknown> };
  }

  it.each([
    ['text', url(request())],
    ['base64', url(Buffer.from(JSON.stringify(request())).toString('base64'), { isBase64Encoded: true })],
  ])('answers a body of %s as a call', async (_, sent) => {
    const { statusCode, body } = await answer(sent);
    expect(statusCode).toBe(200);
    expect(inlined(body as unknown as ExecutionOutput)).toEqual(RESULTS);
  });

  it.each<[string, object, string]>([
    ['no body', url('', { body: undefined }), 'the body must be JSON, got nothing: POST a request'],
    [
      'a body that is no JSON',
      url('secret text'),
      'the body must be JSON, got something else: POST a request',
    ],
    ['another version', url(request({ version: 2 })), "'version' of the execution's input must be 1, got 2"],
  ])('refuses %s with the status 400', async (_, sent, message) => {
    expect(await answer(sent)).toMatchObject({
      statusCode: 400,
      body: {
        error: 'InvalidInput',
        cause: { slice: 0, message: expect.stringContaining(message) as string },
      },
    });
  });

  it('answers other failures with the status 500', async () => {
    const handler = slices.functionHandler();
    slices.objects.put('assets/0.weights', new Uint8Array(0));
    slices.objects.put('assets/whole.onnx', new Uint8Array(0));
    expect(await answer(url(request()), handler)).toMatchObject({
      statusCode: 500,
      body: { error: 'WeightsCorrupt' },
    });
  });

  it('gives the whole request to a function of the user, and its own error to the caller', async () => {
    const folder = temporaryFolder();
    fs.writeFileSync(
      path.join(folder, 'index.cjs'),
      `exports.before = ({ headers, body }) => {
        if (headers.key === 'right') return JSON.parse(body);
        throw Object.assign(new Error('no key'), { statusCode: 401, body: { error: { type: 'auth' } } });
      };`,
    );
    process.env.LAMBDA_TASK_ROOT = folder;
    try {
      const handler = slices.functionHandler({ SLICE_PREPROCESS: 'index.cjs#before' });
      const refusal = { statusCode: 401, body: { error: { type: 'auth' } } };
      expect(await answer(url(request(), { headers: {} }), handler)).toEqual(refusal);
      // Whoever has no key makes the function load nothing.
      expect(slices.objects.reads).toEqual([]);
      // Lambda has checked the signature of the caller, so the model loads meanwhile.
      const other = slices.functionHandler({ SLICE_PREPROCESS: 'index.cjs#before' });
      const requestContext = { http: { method: 'POST' }, authorizer: { iam: {} } };
      expect(await answer(url(request(), { headers: {}, requestContext }), other)).toEqual(refusal);
      await until('the model loads', () => slices.objects.reads.length > 0);
      const right = await answer(url(request(), { headers: { key: 'right' } }), handler);
      expect(inlined(right.body as unknown as ExecutionOutput)).toEqual(RESULTS);
    } finally {
      delete process.env.LAMBDA_TASK_ROOT;
    }
  });

  it('answers with the status 413 what does not fit into an answer, with the backslash of each quote', async () => {
    const handler = withPostprocess(`exports.after = () => '"'.repeat(Number(process.env.QUOTES));`);
    try {
      // Each quote is a backslash and a quote in the body, and so has three backslashes in the answer.
      const headers = { 'content-type': 'application/json' };
      const around = JSON.stringify({ statusCode: 200, headers, body: '""' }).length;
      const most = Math.floor((6 * 2 ** 20 - around) / 4);
      process.env.QUOTES = String(most);
      expect((await answer(url(request()), handler)).statusCode).toBe(200);
      process.env.QUOTES = String(most + 1);
      const { statusCode, body } = await answer(url(request()), handler);
      expect([statusCode, body.error]).toEqual([413, 'AnswerTooLarge']);
      expect(JSON.stringify(body.cause)).toContain('the answer must have at most 6291456 bytes');
    } finally {
      delete process.env.QUOTES;
      delete process.env.LAMBDA_TASK_ROOT;
    }
  });

  function withPostprocess(code: string) {
    const folder = temporaryFolder();
    fs.writeFileSync(path.join(folder, 'index.cjs'), code);
    process.env.LAMBDA_TASK_ROOT = folder;
    return slices.functionHandler({ SLICE_POSTPROCESS: 'index.cjs#after' });
  }

  it('is not answered by a function that only state machines invoke', async () => {
    const { name } = await failure(slices.functionHandler({ SLICE_DIRECT_CALLS: '' }), url(request()));
    expect(name).toBe('SliceFailed');
  });
});
