import { encodeSafetensors } from '../../lambda/tensors/safetensors';
import { comparable } from '../support/arbitrary-tensors';
import { early, event, inline, late, scale, SliceHandlers, tensor, x } from '../support/slice-handler';
import { BUCKET, float32Bytes, MANIFESTS } from '../support/tiny-slice';

let slices: SliceHandlers;
beforeEach(() => (slices = new SliceHandlers()));
afterEach(() => {
  slices.remove();
});

describe('a run of two slices', () => {
  it('writes all results to one object and returns them inline', async () => {
    const first = await slices.sliceHandler(0)(event());
    expect(first.object).toEqual({ bucket: BUCKET, key: 'runs/machine/run-1/slice-00.safetensors' });
    expect(first.outputs).toBeUndefined();
    expect(slices.stored(first.object?.key)).toEqual(
      comparable(
        new Map([
          ['shifted', tensor([11, 22, 33])],
          ['early', early],
        ]),
      ),
    );

    const last = await slices.sliceHandler(1)(event());
    expect(last.object).toEqual({ bucket: BUCKET, key: 'outputs/machine/run-1.safetensors' });
    expect(last.outputs?.s3).toEqual(last.object);
    expect(slices.stored(last.object?.key)).toEqual(
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

  it('reads its inputs from S3', async () => {
    slices.objects.put(
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
    await slices.sliceHandler(0)(fromS3);
    const last = await slices.sliceHandler(1)(fromS3);
    expect(slices.stored(last.object?.key)).toEqual(
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

  it('reports whether the slice was cold, and the bytes read and written', async () => {
    const handler = slices.sliceHandler(0);
    const cold = await handler(event());
    const warm = await handler(event({ run: 'machine/run-2' }));
    expect(cold.timing).toMatchObject({ slice: 0, cold: true, bytesRead: 12 });
    expect(cold.timing.bytesWritten).toBe(slices.objects.bytes(cold.object?.key ?? '')?.byteLength);
    expect(cold.timing.memoryMb).toBe(128);
    expect(cold.timing.peakMemoryBytes).toBeGreaterThan(2 ** 20);
    expect(warm.timing).toMatchObject({ cold: false, loadMs: 0 });
    const files = ['assets/0.onnx', 'assets/0.weights'].map(
      (key) => slices.objects.bytes(key)?.byteLength ?? 0,
    );
    expect(warm.timing.weightBytes).toBe(files[0] + files[1]);
  });

  it('returns large results only in S3', async () => {
    const values = new Array<number>(15_360).fill(1);
    const large = event({
      request: { version: 1, inputs: { tensors: { x: inline(values), scale: inline(values) } } },
    });
    await slices.sliceHandler(0)(large);
    expect((await slices.sliceHandler(1)(large)).outputs?.tensors).toBeUndefined();
  });
});

describe('a run of one slice', () => {
  it('writes only the results', async () => {
    const only = {
      ...MANIFESTS[0],
      slices: 1,
      result: MANIFESTS[0].outputs.map((spec) => ({ ...spec, source: { from: 'slice' as const, slice: 0 } })),
    };
    await slices.sliceHandler(0, only)(event());
    expect(slices.objects.keys().filter((key) => !key.startsWith('assets/'))).toEqual([
      'outputs/machine/run-1.safetensors',
    ]);
  });
});

describe('a slice that runs twice in a run', () => {
  it('keeps the object that the first attempt wrote', async () => {
    const handler = slices.sliceHandler(0);
    const first = await handler(event());
    const before = slices.objects.bytes(first.object?.key ?? '');
    const again = await handler(event());
    expect(again.object).toEqual(first.object);
    expect(again.timing.bytesWritten).toBe(0);
    expect(slices.objects.bytes(first.object?.key ?? '')).toBe(before);
  });

  it('returns inline the results that an earlier attempt wrote to S3', async () => {
    await slices.sliceHandler(0)(event());
    const earlier = new Map([['late', tensor([9, 9, 9])]]);
    slices.objects.put('outputs/machine/run-1.safetensors', encodeSafetensors(earlier));
    const last = await slices.sliceHandler(1)(event());
    expect(Object.keys(last.outputs?.tensors ?? {})).toEqual(['late']);
  });
});
