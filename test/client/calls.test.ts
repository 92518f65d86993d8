/** What the client does when services refuse requests, fail, or do not answer. */
import { Readable } from 'node:stream';
import {
  encodeTensors,
  InferenceError,
  type InferenceProgress,
  type SlicedInferenceClientOptions,
  tensorFrom,
} from '../../client';
import {
  type Answers,
  body,
  described,
  EXECUTION,
  fakeAws,
  inTurn,
  output,
  RESULTS,
  serviceError,
  silence,
  succeeded,
} from '../support/fake-aws';

const inputs = { x: [1] };
const throttled = serviceError('ThrottlingException');
async function failure(call: Promise<unknown>): Promise<InferenceError> {
  const outcome = await call.then(() => undefined).catch((error: unknown) => error as InferenceError);
  if (outcome === undefined) throw new Error('the call succeeded');
  return outcome;
}

const started = { StartExecution: () => ({ executionArn: EXECUTION }) };
const running = { status: 'RUNNING' };
const ended = { status: 'SUCCEEDED', output: output() };

/** A Standard pipeline whose executions start. */
function standardAws(answers: Answers, options: Partial<SlicedInferenceClientOptions> = {}) {
  const standard = { DescribeStateMachine: () => described({}, 'STANDARD'), StartExecution: () => ({}) };
  return fakeAws({ ...standard, ...answers }, options);
}

it('an Express execution is started again only if the service refused it', async () => {
  const aws = fakeAws({ StartSyncExecution: inTurn(throttled, throttled, succeeded()) });
  await aws.model.infer(inputs);
  expect(aws.names()).toEqual(['DescribeStateMachine', ...Array<string>(3).fill('StartSyncExecution')]);
  const broken = fakeAws({ StartSyncExecution: inTurn(serviceError('InternalFailure', 500), succeeded()) });
  const error = await failure(broken.model.infer(inputs));
  expect(error).toMatchObject({ name: 'InternalFailure', message: 'the reason' });
  expect(error.cause).toMatchObject({ name: 'InternalFailure', $metadata: { httpStatusCode: 500 } });
});

describe('a Standard execution', () => {
  it('starts once, although the answer was lost', async () => {
    const lost = Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' });
    const aws = standardAws({
      StartExecution: inTurn(lost, throttled, serviceError('ExecutionAlreadyExists')),
      DescribeExecution: () => ended,
    });
    const { executionArn } = await aws.model.infer(inputs);
    const names = aws.sent('StartExecution').map(({ name }) => name);
    expect(names).toHaveLength(3);
    expect(new Set(names).size).toBe(1);
    expect(executionArn).toBe(`arn:aws:states:us-east-1:123456789012:execution:M:${String(names[0])}`);
  });

  it('is followed although the service refuses requests or does not answer', async () => {
    const answers = [silence(), throttled, serviceError('InternalFailure', 500), running, ended];
    const aws = standardAws({ DescribeExecution: inTurn(...answers) }, { requestTimeout: 30 });
    expect((await aws.model.infer(inputs)).outputs.y.data).toEqual(Float32Array.of(2));
  });

  it('runs although DescribeExecution does not know it yet', async () => {
    const unknown = serviceError('ExecutionDoesNotExist');
    const aws = standardAws({ DescribeExecution: inTurn(unknown, unknown, running, ended) });
    expect((await aws.model.infer(inputs)).outputs.y.data).toEqual(Float32Array.of(2));
    const never = standardAws({ DescribeExecution: inTurn(unknown) });
    const error = await failure(never.model.infer(inputs));
    expect(error).toMatchObject({ name: 'ExecutionDoesNotExist', cause: unknown });
    expect(never.sent('DescribeExecution')).toHaveLength(20);
  });

  it('is no longer followed if too many requests in a row cannot connect', async () => {
    const refused = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
    const answers = [running, ...Array<unknown>(19).fill(refused), running, refused];
    const aws = standardAws({ ...started, DescribeExecution: inTurn(...answers) });
    expect(await failure(aws.model.infer(inputs))).toMatchObject({
      name: 'ECONNREFUSED',
      executionArn: EXECUTION,
      cause: refused,
    });
    // After 19 failures the 21st request succeeds, and then 20 fail.
    expect(aws.sent('DescribeExecution')).toHaveLength(21 + 20);
    const never = standardAws({ StartExecution: inTurn(refused) });
    expect(await failure(never.model.infer(inputs))).toMatchObject({ name: 'ECONNREFUSED', cause: refused });
  });

  it('is followed as long as the service only throttles requests', async () => {
    const failures = Array.from({ length: 50 }, () => serviceError('ThrottlingException'));
    const aws = standardAws({
      ...started,
      DescribeExecution: inTurn(...failures, ended),
      GetExecutionHistory: () => ({ events: [] }),
    });
    const progress: InferenceProgress[] = [];
    await aws.model.infer(inputs, { onProgress: (each) => progress.push(each) });
    const requests = progress.filter(({ event }) => event.startsWith('request'));
    expect(requests.map(({ event, executionArn, error }) => [event, executionArn, error])).toEqual([
      ...failures.map((error) => ['requestFailed', EXECUTION, error]),
      ['requestAnswered', EXECUTION, undefined],
    ]);
  });

  it('has its last failed request in the error of a wait that was too long', async () => {
    const aws = standardAws({ ...started, DescribeExecution: inTurn(throttled) });
    expect(await failure(aws.model.infer(inputs, { waitTimeout: 100 }))).toMatchObject({
      name: 'InferenceTimeoutError',
      message:
        'the call must end within 100 ms, got no result, and the last request failed (the reason): ' +
        'check the connection or raise waitTimeout',
      executionArn: EXECUTION,
      cause: throttled,
    });
  });

  it('has no ARN if Step Functions refused it, but one if it may run', async () => {
    const denied = serviceError('AccessDeniedException');
    const refused = standardAws({ StartExecution: inTurn(throttled, denied) });
    const error = await failure(refused.model.infer(inputs));
    expect([error.name, error.executionArn]).toEqual(['AccessDeniedException', undefined]);
    const lost = serviceError('InternalFailure', 500);
    const unsure = standardAws({ StartExecution: inTurn(lost, denied) });
    expect((await failure(unsure.model.infer(inputs))).executionArn).toMatch(/:execution:M:/);
  });

  const cause = JSON.stringify({ errorMessage: '{"slice":3,"message":"m"}' });

  it.each([
    [{ status: 'TIMED_OUT' }, 'States.Timeout', "the execution was longer than the state machine's timeout"],
    [{ status: 'ABORTED' }, 'ExecutionAborted', 'the execution was stopped: start it again'],
    [{ status: 'ABORTED', error: 'Mine', cause: 'enough' }, 'Mine', 'enough'],
    [{ status: 'FAILED' }, 'States.Runtime', 'the execution ended without a cause: status FAILED'],
    [{ status: 'FAILED', error: 'SliceFailed', cause }, 'SliceFailed', 'm'],
  ])('that ended with %j fails with %s', async (end, name, message) => {
    const error = await failure(standardAws({ DescribeExecution: () => end }).model.infer(inputs));
    const slice = name === 'SliceFailed' ? 3 : undefined;
    const executionArn = expect.stringMatching(/:execution:M:/) as string;
    expect(error).toMatchObject({ name, executionArn, slice });
    expect(error.message).toContain(message);
  });

  it('is named by the error of a wait that was too long, and stopped if the caller wants it', async () => {
    for (const stopOnAbort of [false, true]) {
      const aws = standardAws({ DescribeExecution: () => running, StopExecution: () => ({}) });
      const error = await failure(aws.model.infer(inputs, { waitTimeout: 20, stopOnAbort }));
      const [{ name }] = aws.sent('StartExecution');
      const executionArn = `arn:aws:states:us-east-1:123456789012:execution:M:${String(name)}`;
      expect(error).toMatchObject({ name: 'InferenceTimeoutError', executionArn });
      expect(aws.sent('StopExecution').map((input) => input.executionArn)).toEqual(
        stopOnAbort ? [executionArn] : [],
      );
    }
  });

  it('that could not be stopped is reported', async () => {
    const aws = standardAws({
      DescribeExecution: () => running,
      StopExecution: inTurn(serviceError('AccessDeniedException')),
    });
    const error = await failure(aws.model.infer(inputs, { waitTimeout: 20, stopOnAbort: true }));
    expect(error).toMatchObject({
      name: 'NotStopped',
      message: 'the wait has ended, and the execution could not be stopped: the reason: stop it yourself',
    });
  });

  it('reports each state once, over pages of its history', async () => {
    const state = (id: number) => ({ stateEnteredEventDetails: { name: `s${id}` } });
    const entered = (id: number) => ({ id, timestamp: new Date(id), ...state(id) });
    const pages: Record<string, unknown> = {
      first: { events: [entered(4), entered(3)], nextToken: 'second' },
      second: { events: [entered(2), { id: 1 }] },
    };
    const history = [pages.second, pages.first, pages.first];
    const aws = standardAws({
      DescribeExecution: inTurn(running, running, ended),
      GetExecutionHistory: ({ nextToken }) => (nextToken === undefined ? history.shift() : pages.second),
    });
    const events: InferenceProgress[] = [];
    await aws.model.infer(inputs, { onProgress: (event) => events.push(event) });
    expect(events.map(({ event, state = event }) => state)).toEqual(['started', 's2', 's3', 's4', 'ended']);
  });
});

describe('a call', () => {
  it('that cannot be stopped is refused before anything is uploaded or started', async () => {
    const aws = fakeAws({});
    const large = { x: { shape: [100_000], data: new Float32Array(100_000) } };
    const error = await failure(aws.model.infer(large, { stopOnAbort: true }));
    expect(error).toMatchObject({ name: 'InvalidInput', executionArn: undefined });
    expect(error.message).toMatch(
      /^stopOnAbort must be for a Standard state machine, got the Express one arn:\S+: leave it out, because/,
    );
    await expect(aws.model.invoke({}, { stopOnAbort: true })).rejects.toThrow('stopOnAbort must be for');
    expect(aws.names()).toEqual(['DescribeStateMachine']);
  });

  const faulty = (fault: object, text: string) => Object.assign(new TypeError(text), fault);
  const refused = faulty({ code: 'ECONNREFUSED' }, 'no');
  const unknown = faulty({ name: 'CredentialsProviderError' }, 'no');
  const invalid = faulty({ code: 'ERR_INVALID_URL' }, 'no');

  it.each([
    ['AccessDeniedException', serviceError('AccessDeniedException'), /^the reason$/],
    [
      'ECONNREFUSED',
      refused,
      /^AWS must answer, got no: check the network, the region of the ARN and the end/,
    ],
    ['CredentialsProviderError', unknown, /^AWS must answer, got no: set AWS_PROFILE or the access key/],
    ['ERR_INVALID_URL', invalid, /^AWS must answer, got no: correct AWS_ENDPOINT_URL, /],
  ])('fails with an error of the client for %s, whatever it asks first', async (name, cause, words) => {
    const { model } = fakeAws({ DescribeStateMachine: inTurn(cause) });
    const late = model.infer(inputs, { waitTimeout: 1000 });
    const calls = [model.describe(), model.infer(inputs), late, model.invoke({})];
    for (const error of await Promise.all(calls.map(failure))) {
      expect(error).toBeInstanceOf(InferenceError);
      expect(error).toMatchObject({ name, cause, executionArn: undefined });
      expect(error.message).toMatch(words);
    }
  });

  const milliseconds = 'a whole number from 1 to 2147483647';

  it.each([
    [{ waitTimeout: 0 }, `option waitTimeout must be ${milliseconds}, got 0`],
    [{ requestTimeout: 2 ** 31 }, `option requestTimeout must be ${milliseconds}, got 2147483648`],
    [{ maxResultBytes: 0.5 }, 'maxResultBytes must be a whole number from 1 to 9007199254740991, got 0.5'],
    [{ pollInterval: { first: -1 } }, `option pollInterval.first must be ${milliseconds}, got -1`],
  ])('is refused with the options %j', (options, message) => {
    expect(() => fakeAws({}, options)).toThrow(`${message}: correct it or leave it out`);
  });

  it('is refused with an input that has no JSON', async () => {
    await expect(fakeAws({}).model.invoke({ a: 1n })).rejects.toMatchObject({
      name: 'InvalidInput',
      message: 'the input must be a JSON value, got one with a bigint or a circle: convert it',
    });
  });
});

test('a request above 255 KiB goes through S3 under a new key, and one below does not', async () => {
  const count = 48_960; // 255 KiB as base64
  const data = new Float32Array(count).fill(1);
  const aws = fakeAws({ PutObject: () => ({}), StartSyncExecution: () => succeeded() });
  for (const own of [data.subarray(100), data, data])
    await aws.model.infer({ x: { shape: [own.length], data: own } });
  const start = 'StartSyncExecution';
  expect(aws.names().slice(1)).toEqual([start, 'PutObject', start, 'PutObject', start]);
  const [, , put, { input }, again] = aws.calls;
  expect(put.input.Body).toEqual(encodeTensors(new Map([['x', tensorFrom('float32', [count], data)]])));
  expect(input.input).toContain(`"inputs":{"s3":"${String(put.input.Key)}"}`);
  expect(again.input.Key).not.toBe(put.input.Key);
});

test('results in the output are not called inputs if they are malformed', async () => {
  const text = output().replace(/"base64":"[^"]*"/, '"base64":"AAA="');
  const error = await failure(fakeAws({ StartSyncExecution: () => succeeded(text) }).model.infer(inputs));
  expect(error.name).toBe('InvalidOutput');
  expect(error.message).toContain("a malformed one ('base64' of tensor 'y' must be base64 of 4 bytes");
});

describe('results in S3', () => {
  const inS3 = { StartSyncExecution: () => succeeded(output(false)) };

  it('are refused before memory is allocated if they are larger than maxResultBytes', async () => {
    const huge = body(RESULTS, 2 ** 40);
    const aws = fakeAws({ ...inS3, GetObject: () => huge }, { maxResultBytes: 1000 });
    await expect(aws.model.infer(inputs)).rejects.toMatchObject({
      name: 'InvalidOutput',
      message:
        "the results 'outputs/name/uuid.safetensors' must have at most 1000 bytes, got 1099511627776: raise maxResultBytes",
      executionArn: EXECUTION,
    });
    expect(huge.Body.destroyed).toBe(true);
  });

  it('are read again if they are damaged, short or too long, three times at most', async () => {
    const damaged = RESULTS.map((byte, index) => (index === RESULTS.length - 1 ? byte ^ 1 : byte));
    const bodies = [body(damaged), body(RESULTS.subarray(1), RESULTS.byteLength), body(RESULTS)];
    const aws = fakeAws({ ...inS3, GetObject: () => bodies.shift() });
    expect((await aws.model.infer(inputs)).outputs.y.data).toEqual(Float32Array.of(2));
    const always = fakeAws({ ...inS3, GetObject: () => body(RESULTS, RESULTS.byteLength - 1) });
    await expect(always.model.infer(inputs)).rejects.toMatchObject({
      name: 'CorruptTensor',
      executionArn: EXECUTION,
      message: expect.stringContaining('must be whole, got damaged ones in 3 reads: the object') as string,
    });
    expect(always.sent('GetObject')).toHaveLength(3);
  });

  it('fail if S3 stops in the middle', async () => {
    const stopped = () => {
      const stream = new Readable({ read: () => undefined });
      stream.push(RESULTS.subarray(0, 10));
      return { ContentLength: RESULTS.byteLength, Body: stream };
    };
    const aws = fakeAws({ ...inS3, GetObject: stopped }, { requestTimeout: 20 });
    await expect(aws.model.infer(inputs)).rejects.toMatchObject({
      name: 'InferenceTimeoutError',
      message: `S3 must send results within 20 ms, got nothing after 10 of ${RESULTS.byteLength} bytes: try again`,
      executionArn: EXECUTION,
    });
    const silent = fakeAws({ ...inS3, GetObject: silence }, { requestTimeout: 20 });
    await expect(silent.model.infer(inputs)).rejects.toMatchObject({
      name: 'InferenceTimeoutError',
      message: 'GetObject must answer within 20 ms, got no answer: raise requestTimeout or try again',
      executionArn: EXECUTION,
    });
    const waiting = fakeAws({ ...inS3, GetObject: stopped });
    await expect(waiting.model.infer(inputs, { waitTimeout: 20 })).rejects.toThrow(
      'the call must end within 20 ms',
    );
  });
});
