import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ENV } from '../../contract/environment';
import type { FailureCause } from '../../contract/failures';
import type { SliceAnswer, SliceEvent, WarmUpAnswer } from '../../contract/slice-event';
import { makeHandler, type SliceHandler } from '../../lambda/handler';
import { MAX_INLINE_BYTES } from '../../lambda/tensor-flow/results';
import { decodeSafetensors, encodeSafetensors } from '../../lambda/tensors/safetensors';
import type { RawTensor } from '../../lambda/tensors/tensor';
import { comparable } from '../support/arbitrary-tensors';
import { MemoryObjects } from '../support/memory-objects';
import { BUCKET, float32Bytes, MANIFESTS, DEPLOYMENT_DIGEST, stageSlice } from '../support/tiny-slice';

const RUN = 'machine/run-1';

let root: string;
let objects: MemoryObjects;
let lines: Record<string, unknown>[];
const write = (line: string): void => {
  lines.push(JSON.parse(line) as Record<string, unknown>);
};
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'handler-'));
  objects = new MemoryObjects();
  lines = [];
});
afterEach(() => {
  rmSync(root, { recursive: true });
});

function tensor(values: readonly number[]): RawTensor {
  return { dtype: 'float32', shape: [values.length / 3, 3], bytes: float32Bytes(values) };
}

const x = tensor([1, 2, 3]);
const scale = tensor([2, 2, 2]);
const early = tensor([-1, -2, -3]);
const late = tensor([22, 44, 66]);

const inline = (values: readonly number[]) => ({
  dtype: 'float32',
  shape: [values.length / 3, 3],
  data: values,
});
const request = { version: 1, inputs: { tensors: { x: inline([1, 2, 3]), scale: inline([2, 2, 2]) } } };
const event = (changes: object = {}): SliceEvent => ({
  version: 1,
  deploymentDigest: DEPLOYMENT_DIGEST,
  run: RUN,
  request,
  ...changes,
});

function sliceHandler(
  slice: number,
  manifest = MANIFESTS[slice],
): (event: SliceEvent) => Promise<SliceAnswer> {
  const handler = makeHandler(stageSlice(objects, slice, manifest), objects, { root, write });
  return async (given) => (await handler(given)) as SliceAnswer;
}

/** What the handler fails with, its cause parsed. */
async function failure(
  handler: SliceHandler,
  given: unknown,
): Promise<{ name: string; cause: FailureCause }> {
  try {
    await handler(given as SliceEvent);
  } catch (error) {
    const { name, message, stack } = error as Error;
    expect(stack).toBe(name);
    return { name, cause: JSON.parse(message) as FailureCause };
  }
  throw new Error('the handler did not fail');
}

function stored(key: string): unknown {
  return comparable(decodeSafetensors(objects.bytes(key) ?? new Uint8Array(0)));
}

describe('a run of two slices', () => {
  it('leaves all results in one object and gives them inline', async () => {
    const first = await sliceHandler(0)(event());
    expect(first.object).toEqual({ bucket: BUCKET, key: 'runs/machine/run-1/slice-00.safetensors' });
    expect(first.outputs).toBeUndefined();
    expect(stored(first.object.key)).toEqual(
      comparable(
        new Map([
          ['shifted', tensor([11, 22, 33])],
          ['early', early],
        ]),
      ),
    );

    const last = await sliceHandler(1)(event());
    expect(last.object).toEqual({ bucket: BUCKET, key: 'outputs/machine/run-1.safetensors' });
    expect(last.outputs?.s3).toEqual(last.object);
    expect(stored(last.object.key)).toEqual(
      comparable(
        new Map([
          ['late', late],
          ['early', early],
          ['x', x],
        ]),
      ),
    );
    const base64 = (values: readonly number[]) => Buffer.from(float32Bytes(values)).toString('base64');
    expect(last.outputs?.tensors).toEqual({
      late: { dtype: 'float32', shape: [1, 3], base64: base64([22, 44, 66]) },
      early: { dtype: 'float32', shape: [1, 3], base64: base64([-1, -2, -3]) },
      x: { dtype: 'float32', shape: [1, 3], base64: base64([1, 2, 3]) },
    });
    expect(Object.keys(last.outputs?.tensors ?? {})).toEqual(['late', 'early', 'x']);
  });

  it('takes its inputs from S3', async () => {
    objects.put(
      'inputs/a.safetensors',
      encodeSafetensors(
        new Map([
          ['x', x],
          ['scale', scale],
        ]),
      ),
    );
    const fromS3 = event({
      request: { version: 1, inputs: { s3: 'inputs/a.safetensors' }, output: { inline: 'never' } },
    });
    await sliceHandler(0)(fromS3);
    const last = await sliceHandler(1)(fromS3);
    expect(stored(last.object.key)).toEqual(
      comparable(
        new Map([
          ['late', late],
          ['early', early],
          ['x', x],
        ]),
      ),
    );
    expect(last.outputs).toEqual({ s3: last.object });
  });

  it('reports whether it was cold, and what it read and wrote', async () => {
    const handler = sliceHandler(0);
    const cold = await handler(event());
    const warm = await handler(event({ run: 'machine/run-2' }));
    expect(cold.timing).toMatchObject({ slice: 0, cold: true, bytesRead: 12 });
    expect(cold.timing.bytesWritten).toBe(objects.bytes(cold.object.key)?.byteLength);
    expect(cold.timing.peakMemoryBytes).toBeGreaterThan(2 ** 20);
    expect(warm.timing).toMatchObject({ cold: false, loadMs: 0 });
    const files = ['assets/0.onnx', 'assets/0.weights'].map((key) => objects.bytes(key)?.byteLength ?? 0);
    expect(warm.timing.weightBytes).toBe(files[0] + files[1]);
  });

  it('leaves large results in S3 alone', async () => {
    const values = new Array<number>(3 * Math.ceil(MAX_INLINE_BYTES / 36)).fill(1);
    const large = event({
      request: { version: 1, inputs: { tensors: { x: inline(values), scale: inline(values) } } },
    });
    await sliceHandler(0)(large);
    expect((await sliceHandler(1)(large)).outputs?.tensors).toBeUndefined();
  });
});

describe('a slice that runs twice in a run', () => {
  it('keeps what the first attempt wrote', async () => {
    const handler = sliceHandler(0);
    const first = await handler(event());
    const before = objects.bytes(first.object.key);
    const again = await handler(event());
    expect(again.object).toEqual(first.object);
    expect(again.timing.bytesWritten).toBe(0);
    expect(objects.bytes(first.object.key)).toBe(before);
  });

  it('gives inline the results that stand in S3', async () => {
    await sliceHandler(0)(event());
    const standing = new Map([['late', tensor([9, 9, 9])]]);
    objects.put('outputs/machine/run-1.safetensors', encodeSafetensors(standing));
    const last = await sliceHandler(1)(event());
    expect(Object.keys(last.outputs?.tensors ?? {})).toEqual(['late']);
  });
});

describe('float16 transport', () => {
  const halving = (slice: number) =>
    makeHandler({ ...stageSlice(objects, slice), [ENV.transport]: 'float16' }, objects, { root, write });

  it('sends float32 at half precision, and reads it as float32', async () => {
    await halving(0)(event());
    const sent = decodeSafetensors(
      objects.bytes('runs/machine/run-1/slice-00.safetensors') ?? new Uint8Array(),
    );
    expect([...sent].map(([name, { dtype }]) => [name, dtype])).toEqual([
      ['shifted', 'float16'],
      ['early', 'float16'],
    ]);
    const last = await halving(1)(event());
    // Small whole numbers are float16 too.
    expect(stored((last as SliceAnswer).object.key)).toEqual(
      comparable(
        new Map([
          ['late', late],
          ['early', early],
          ['x', x],
        ]),
      ),
    );
  });

  it('sends a tensor as it is that float16 has no room for', async () => {
    const large = event({
      request: { version: 1, inputs: { tensors: { x: inline([1e6, 2, 3]), scale: inline([2, 2, 2]) } } },
    });
    await halving(0)(large);
    const sent = decodeSafetensors(
      objects.bytes('runs/machine/run-1/slice-00.safetensors') ?? new Uint8Array(),
    );
    expect(new Set([...sent.values()].map(({ dtype }) => dtype))).toEqual(new Set(['float32']));
  });
});

describe('a warm-up', () => {
  const warmUp = event({ request: undefined, warmUp: true });
  let handler: SliceHandler;
  beforeEach(() => {
    handler = makeHandler(stageSlice(objects, 0), objects, { root, write });
  });
  const timing = async (given: SliceEvent) => ((await handler(given)) as SliceAnswer).timing;

  it('loads the slice and neither reads nor writes tensors', async () => {
    const answer = (await handler(warmUp)) as WarmUpAnswer;
    expect(answer).toEqual({ slice: 0, cold: true, loadMs: expect.any(Number) as number });
    expect(objects.keys().filter((key) => !key.startsWith('assets/'))).toEqual([]);
    expect(objects.reads.filter(({ key }) => !key.startsWith('assets/'))).toEqual([]);
  });

  it('of a warm function reads nothing', async () => {
    await handler(event());
    const before = objects.reads.length;
    expect(await handler(warmUp)).toEqual({ slice: 0, cold: false, loadMs: 0 });
    expect(objects.reads).toHaveLength(before);
  });

  it("counts as the run's own load, once", async () => {
    const { loadMs } = (await handler(warmUp)) as WarmUpAnswer;
    expect(await timing(event())).toMatchObject({ cold: true, warmedUp: true, loadMs });
    expect(await timing(event())).toMatchObject({ cold: false, warmedUp: false, loadMs: 0 });
  });

  it('is nothing to another run that comes first', async () => {
    await handler(warmUp);
    expect(await timing(event({ run: 'machine/run-2' }))).toMatchObject({ cold: false, warmedUp: false });
    expect(await timing(event())).toMatchObject({ cold: false, warmedUp: false });
  });

  it('that fails leaves the load to the call', async () => {
    const weights = objects.bytes('assets/0.weights') ?? new Uint8Array(0);
    objects.put('assets/0.weights', Buffer.from('tampered'));
    expect((await failure(handler, warmUp)).name).toBe('WeightsCorrupt');
    objects.put('assets/0.weights', weights);
    expect(await timing(event())).toMatchObject({ cold: true, warmedUp: false });
  });

  it('of another plan is refused', async () => {
    expect((await failure(handler, { ...warmUp, deploymentDigest: 'other' })).name).toBe('PlanChanged');
  });
});

describe('a plan of one slice', () => {
  it('writes results only', async () => {
    const only = {
      ...MANIFESTS[0],
      slices: 1,
      result: MANIFESTS[0].outputs.map((spec) => ({ ...spec, source: { from: 'slice' as const, slice: 0 } })),
    };
    await sliceHandler(0, only)(event());
    expect(objects.keys().filter((key) => !key.startsWith('assets/'))).toEqual([
      'outputs/machine/run-1.safetensors',
    ]);
  });
});

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
      { message: "the request's s3://pipeline/inputs/none is missing or not permitted" },
    ],
  ])('is refused by the first slice before it runs: %s', async (_, given, cause) => {
    const failed = await failure(sliceHandler(0), given);
    expect(failed).toMatchObject({ name: 'InvalidInput', cause: { slice: 0, ...cause } });
    expect(objects.keys().some((key) => key.startsWith('runs/'))).toBe(false);
  });

  it('is refused without waiting for the weights, which the next call finds', async () => {
    const handler = sliceHandler(0);
    let arrive: () => void = () => undefined;
    const arrived = new Promise<void>((resolve) => (arrive = resolve));
    const get = objects.get.bind(objects);
    objects.get = async (...args) => {
      if (args[0].key === 'assets/0.weights') await arrived;
      return get(...args);
    };
    expect((await failure(handler, event({ request: undefined }))).name).toBe('InvalidInput');
    const next = handler(event());
    arrive();
    expect((await next).timing).toMatchObject({ cold: true, warmedUp: false });
    // By the first of the two calls.
    expect(objects.reads.filter(({ key }) => key === 'assets/0.weights')).toHaveLength(1);
  });

  it('leaves nothing behind of a load that then fails', async () => {
    const handler = sliceHandler(0);
    const weights = objects.bytes('assets/0.weights') ?? new Uint8Array(0);
    objects.put('assets/0.weights', Buffer.from('damaged'));
    expect((await failure(handler, event({ request: undefined }))).name).toMatch(
      /InvalidInput|WeightsCorrupt/,
    );
    expect((await failure(handler, event())).name).toBe('WeightsCorrupt');
    objects.put('assets/0.weights', weights);
    expect((await handler(event())).timing.cold).toBe(true);
  });

  it('is refused when its object is no safetensors file', async () => {
    objects.put('inputs/a', Buffer.from('a text file'));
    const failed = await failure(
      sliceHandler(0),
      event({ request: { version: 1, inputs: { s3: 'inputs/a' } } }),
    );
    expect(failed.name).toBe('InvalidInput');
    expect(failed.cause.message).toContain('inputs/a is not a safetensors file for this model');
  });

  it('is refused when its object changes while it is read', async () => {
    // More than the first read takes.
    const many = new Array<number>(3 * 800_000).fill(1);
    const content = encodeSafetensors(
      new Map([
        ['x', tensor(many)],
        ['scale', tensor(many)],
      ]),
    );
    objects.put('inputs/a', content);
    let reads = 0;
    objects.onRead = (key) => {
      if (key === 'inputs/a' && ++reads === 2) objects.put('inputs/a', content);
    };
    const failed = await failure(
      sliceHandler(0),
      event({ request: { version: 1, inputs: { s3: 'inputs/a' } } }),
    );
    expect(failed.name).toBe('InvalidInput');
    expect(failed.cause.message).toContain('was replaced while it was read');
  });
});

describe('a slice that cannot run', () => {
  it('answers PlanChanged to a run of another plan, before it loads anything', async () => {
    const failed = await failure(sliceHandler(0), event({ deploymentDigest: 'other' }));
    expect(failed).toMatchObject({
      name: 'PlanChanged',
      cause: { expected: DEPLOYMENT_DIGEST, got: 'other' },
    });
    expect(objects.reads).toEqual([]);
  });

  it.each([[{}], [{ version: 2 }], [event({ run: '' })]])('refuses the event %j', async (given) => {
    const failed = await failure(sliceHandler(0), given);
    expect(failed.name).toBe('SliceFailed');
    expect(failed.cause.message).toContain('start the state machine');
  });

  it('says which environment variable is wrong', async () => {
    const variables = { ...stageSlice(objects, 0), [ENV.threads]: 'many' };
    const failed = await failure(makeHandler(variables, objects, { root, write }), event());
    expect(failed).toMatchObject({ name: 'SliceFailed', cause: { got: 'many' } });
    expect(failed.cause.message).toContain(ENV.threads);
  });

  it('answers WeightsCorrupt to files of another content, and loads again next time', async () => {
    const handler = sliceHandler(0);
    const weights = objects.bytes('assets/0.weights') ?? new Uint8Array(0);
    objects.put('assets/0.weights', Buffer.from('tampered'));
    expect((await failure(handler, event())).name).toBe('WeightsCorrupt');
    objects.put('assets/0.weights', weights);
    expect((await handler(event())).timing.cold).toBe(true);
  });

  it('names the earlier slice whose object is missing', async () => {
    const failed = await failure(sliceHandler(1), event());
    expect(failed).toMatchObject({ name: 'SliceFailed', cause: { slice: 1 } });
    expect(failed.cause.message).toContain('cannot read what slice 0 made');
    expect(failed.cause.message).toContain('missing or not permitted');
  });

  it.each<[string, Map<string, RawTensor>, string]>([
    ['lacks a tensor', new Map([['early', early]]), "it has no tensor 'shifted'"],
    [
      'has one of another type',
      new Map([
        ['early', early],
        ['shifted', { dtype: 'bool', shape: [], bytes: Uint8Array.of(1) }],
      ]),
      "tensor 'shifted' should be float32[...], it is bool[]",
    ],
  ])("names the tensor when an earlier slice's object %s", async (_, content, message) => {
    objects.put('runs/machine/run-1/slice-00.safetensors', encodeSafetensors(content));
    const failed = await failure(sliceHandler(1), event());
    expect(failed.name).toBe('SliceFailed');
    expect(failed.cause.message).toContain(message);
  });

  it('passes on what ONNX Runtime says, as one line', async () => {
    objects.put(
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
    const failed = await failure(sliceHandler(1), two);
    expect(failed).toMatchObject({ name: 'SliceFailed', cause: { slice: 1 } });
    expect(failed.cause.message).toContain('Mul');
    expect(failed.cause.message).not.toContain('\n');
  });
});

describe('the log', () => {
  const CALL = {
    level: 'INFO',
    message: 'slice ran',
    FunctionName: 'the-function',
    run: RUN,
    slice: 0,
    cold: true,
    warmedUp: false,
    coldStarts: 1,
    bytesRead: 12,
  };
  const named = (more: object = {}) =>
    makeHandler({ ...stageSlice(objects, 0), AWS_LAMBDA_FUNCTION_NAME: 'the-function', ...more }, objects, {
      root,
      write,
    });

  it('has a line for each call: what it did, when, and how long that took', async () => {
    const handler = named();
    await handler(event());
    await handler(event({ run: 'machine/run-2' }));
    expect(lines).toMatchObject([
      CALL,
      { ...CALL, run: 'machine/run-2', cold: false, coldStarts: 0, loadMs: 0 },
    ]);
    expect(Object.keys(lines[0])).not.toContain('_aws');
    expect(lines[0].startedAt).toBeGreaterThan(1e12);
  });

  it('has metrics for CloudWatch in that line where there is a namespace for them', async () => {
    await named({ [ENV.metricsNamespace]: 'Mine' })(event());
    const [{ _aws, ...fields }] = lines as { _aws: Record<string, unknown> }[];
    expect(_aws).toMatchObject({
      Timestamp: expect.any(Number) as number,
      CloudWatchMetrics: [
        {
          Namespace: 'Mine',
          Dimensions: [['FunctionName']],
          Metrics: expect.arrayContaining([
            { Name: 'coldStarts', Unit: 'Count' },
            { Name: 'loadMs', Unit: 'Milliseconds' },
            { Name: 'peakMemoryBytes', Unit: 'Bytes' },
          ]) as object[],
        },
      ],
    });
    const [{ Metrics }] = _aws.CloudWatchMetrics as { Metrics: { Name: string }[] }[];
    // Each metric's value is a number of the same line.
    for (const { Name } of Metrics) expect(typeof (fields as Record<string, unknown>)[Name]).toBe('number');
  });

  it('tells of warm-ups, and of failures without the data of the request', async () => {
    const handler = named();
    await handler(event({ request: undefined, warmUp: true }));
    await expect(handler(event({ request: { version: 1, inputs: { tensors: {} } } }))).rejects.toThrow();
    expect(lines).toMatchObject([
      { level: 'INFO', message: 'slice is warm', run: RUN, slice: 0, cold: true },
      { level: 'ERROR', message: 'slice failed', run: RUN, slice: 0, error: 'InvalidInput' },
    ]);
    await expect(handler(event({ warmUp: true, deploymentDigest: 'other' }))).rejects.toThrow();
    expect(lines.at(-1)).toMatchObject({
      level: 'WARN',
      message: 'warm-up failed',
      slice: 0,
      error: 'PlanChanged',
    });
    await expect(handler(undefined as never)).rejects.toThrow('start the state machine');
  });
});
