import type { SliceAnswer, SliceEvent, WarmUpAnswer } from '../../contract/slice-event';
import type { SliceHandler } from '../../lambda/handler';
import {
  early,
  event,
  failure,
  file,
  named,
  RESULTS,
  scale,
  sliceHandlers,
  tensor,
  x,
} from '../support/slice-handler';
import { BUCKET, float32Bytes } from '../support/tiny-slice';

const slices = sliceHandlers();
const SLICE_0 = 'runs/machine/run-1/slice-00.safetensors';
const OUTPUTS = 'outputs/machine/run-1.safetensors';
const shifted = tensor([11, 22, 33]);
const fromS3 = { version: 1, inputs: { s3: 'inputs/a' } };

describe('a run of two slices', () => {
  it('writes all results to one object and returns them inline', async () => {
    const first = await slices.sliceHandler(0)(event());
    expect(first.object).toEqual({ bucket: BUCKET, key: SLICE_0 });
    expect(first.outputs).toBeUndefined();
    expect(slices.stored(SLICE_0)).toEqual(named({ shifted, early }));

    const last = await slices.sliceHandler(1)(event());
    expect(last.object).toEqual({ bucket: BUCKET, key: OUTPUTS });
    expect(last.outputs?.s3).toEqual(last.object);
    expect(slices.stored(OUTPUTS)).toEqual(RESULTS);
    const inlined = (values: readonly number[]) => {
      const base64 = Buffer.from(float32Bytes(values)).toString('base64');
      return { dtype: 'float32', shape: [1, 3], base64 };
    };
    expect(Object.entries(last.outputs?.tensors ?? {})).toEqual([
      ['late', inlined([22, 44, 66])],
      ['early', inlined([-1, -2, -3])],
      ['x', inlined([1, 2, 3])],
    ]);
  });

  it('reports whether the slice was cold, and the bytes read and written', async () => {
    const handler = slices.sliceHandler(0);
    const { timing: cold } = await handler(event());
    const { timing: warm } = await handler(event({ run: 'machine/run-2' }));
    const size = (key: string) => slices.objects.bytes(key)?.byteLength ?? 0;
    const bytesWritten = size(SLICE_0);
    expect(cold).toMatchObject({ slice: 0, cold: true, bytesRead: 12, bytesWritten, memoryMb: 128 });
    expect(cold.peakMemoryBytes).toBeGreaterThan(2 ** 20);
    const weightBytes = size('assets/0.onnx') + size('assets/0.weights');
    expect(warm).toMatchObject({ cold: false, loadMs: 0, weightBytes });
  });

  it('has measurements for which 400 bytes are enough, also with the longest numbers and processor', async () => {
    const { timing } = await slices.sliceHandler(0)(event());
    const longest = Object.entries(timing).map(([name, value]: [string, unknown]) => [
      name,
      typeof value === 'number' ? 1_234_567_890_123.5 : value,
    ]);
    const processor = 'x86_64 AVX-512 VNNI VNNI-INT8 AMX';
    const text = JSON.stringify({ ...Object.fromEntries(longest), processor });
    expect(text.length).toBeLessThanOrEqual(400);
  });

  it('keeps the object that the first attempt of a slice wrote', async () => {
    const handler = slices.sliceHandler(0);
    const first = await handler(event());
    const before = slices.objects.bytes(SLICE_0);
    expect(await handler(event())).toMatchObject({ object: first.object, timing: { bytesWritten: 0 } });
    expect(slices.objects.bytes(SLICE_0)).toBe(before);
  });

  it('returns inline the results that an earlier attempt wrote to S3', async () => {
    await slices.sliceHandler(0)(event());
    slices.objects.put(OUTPUTS, file({ late: tensor([9, 9, 9]) }));
    const last = await slices.sliceHandler(1)(event());
    expect(Object.keys(last.outputs?.tensors ?? {})).toEqual(['late']);
  });
});

describe('tensors in the state', () => {
  const answered = async () => (await slices.sliceHandler(0)(event({ maxTensors: 10_000 }))).tensors;

  it('are answered instead of written', async () => {
    const answer = await slices.sliceHandler(0)(event({ maxTensors: 10_000 }));
    expect(answer).toMatchObject({ timing: { bytesWritten: 0, bytesRead: 12 } });
    expect(answer.object).toBeUndefined();
    slices.objects.put('sent', Buffer.from(answer.tensors ?? '', 'base64'));
    expect(slices.stored('sent')).toEqual(named({ shifted, early }));
    expect(slices.written()).toEqual(['sent']);
    expect(slices.lines.at(-1)).toMatchObject({ s3Puts: 0 });
  });

  it('are read from the event and not from an object of another attempt', async () => {
    slices.objects.put(SLICE_0, file({ shifted: tensor([0, 0, 0]) }));
    const last = await slices.sliceHandler(1)(event({ tensors: { 0: await answered() } }));
    expect(slices.stored(last.object?.key)).toEqual(RESULTS);
    expect(slices.objects.reads.filter(({ key }) => key === SLICE_0)).toEqual([]);
  });

  it.each([{ tensors: { 0: 's3' } }, { tensors: { 7: 'AAAA' } }, {}])(
    'are read from S3 with %j',
    async (changes) => {
      await slices.sliceHandler(0)(event());
      const last = await slices.sliceHandler(1)(event(changes));
      expect(slices.stored(last.object?.key)).toEqual(RESULTS);
    },
  );

  it('are refused if they are damaged, or were computed from another request', async () => {
    expect(await failure(slices.handler(1), event({ tensors: { 0: 'AAAA' } }))).toMatchObject({
      name: 'CorruptTensor',
      cause: { slice: 1, message: expect.stringContaining('slice 0 in the event') as string },
    });
    slices.objects.put('inputs/a', file({ x, scale }));
    const { tensors } = await slices.sliceHandler(0)(event({ request: fromS3, maxTensors: 10_000 }));
    slices.objects.put('inputs/a', file({ x: tensor([4, 5, 6]), scale }));
    const other = event({ request: fromS3, tensors: { 0: tensors } });
    expect(await failure(slices.handler(1), other)).toMatchObject({
      name: 'InvalidInput',
      cause: { message: expect.stringContaining('object was replaced during the run') as string },
    });
  });

  it('are refused if they are not those that the slice needs', async () => {
    const int32 = { dtype: 'int32', shape: [1, 3], bytes: new Uint8Array(12) } as const;
    for (const [sent, reason] of [
      [{ early }, "there is no tensor 'shifted'"],
      [{ early, shifted: int32 }, "tensor 'shifted' must be float32"],
    ] as const) {
      const text = Buffer.from(file(sent)).toString('base64');
      const { name, cause } = await failure(slices.handler(1), event({ tensors: { 0: text } }));
      expect(name).toBe('SliceFailed');
      expect(cause.message).toContain(`cannot read the tensors of slice 0 from the event: ${reason}`);
    }
  });
});

it('the connection of a write is prepared to the bucket of the outputs before ONNX Runtime runs', async () => {
  const prepared: string[] = [];
  slices.objects.onPrepare = (bucket) => {
    expect(slices.written()).toEqual([]);
    prepared.push(bucket);
  };
  await slices.handler(0, { SLICE_RUNS_BUCKET: 'runs--use1-az4--x-s3' })(event());
  // When the call begins to read, and once more in case that it was used or lost meanwhile.
  expect(prepared).toEqual(['runs--use1-az4--x-s3', 'runs--use1-az4--x-s3']);
  expect(slices.lines[0]).toMatchObject({ s3Puts: 0, expressGets: 0, expressPuts: 1 });
});

it('the connection of a write is not prepared if nothing is to be written', async () => {
  slices.objects.onPrepare = () => {
    throw new Error('prepared');
  };
  await slices.handler(0)(event({ warmUp: true }));
  const { tensors } = await slices.sliceHandler(0)(event({ maxTensors: 10_000 }));
  const request = { ...(event().request as object), output: { inline: 'only' } };
  const answer = await slices.sliceHandler(1)(event({ request, tensors: { 0: tensors } }));
  expect(answer.outputs?.tensors).toBeDefined();
});

describe('a warm-up', () => {
  const warmUp = event({ request: undefined, warmUp: true });
  let handler: SliceHandler;
  beforeEach(() => (handler = slices.handler(0)));
  const timing = async (sliceEvent: SliceEvent) => ((await handler(sliceEvent)) as SliceAnswer).timing;

  it('closes the connections to the files when they have arrived, and reads nothing the next time', async () => {
    expect(slices.objects.idleClosed).toBe(0);
    await handler(warmUp);
    const before = slices.objects.reads.length;
    expect(await handler(warmUp)).toEqual({ slice: 0, cold: false, loadMs: 0 });
    expect(slices.objects.reads).toHaveLength(before);
    expect(slices.objects.idleClosed).toBe(1);
  });

  it("is reported as the load of the same run's next call, and of no later call", async () => {
    const { loadMs } = (await handler(warmUp)) as WarmUpAnswer;
    expect(await timing(event())).toMatchObject({ cold: true, warmedUp: true, loadMs });
    expect(await timing(event())).toMatchObject({ cold: false, warmedUp: false, loadMs: 0 });
  });
});
