import { event, SliceHandlers } from '../support/slice-handler';

/** Another bucket for the tensors between slices. */
const RUNS = { SLICE_RUNS_BUCKET: 'runs-bucket' };

let slices: SliceHandlers;
beforeEach(() => (slices = new SliceHandlers()));
afterEach(() => {
  slices.remove();
});

describe('the connection of a write', () => {
  it('is prepared to the bucket of the outputs before ONNX Runtime runs, and closed after the call', async () => {
    const prepared: string[] = [];
    slices.objects.onPrepare = (bucket) => {
      // The write has not begun, and nothing is closed.
      expect(slices.objects.preparedClosed).toBe(0);
      expect(slices.objects.keys().filter((key) => key.startsWith('runs/'))).toEqual([]);
      prepared.push(bucket);
    };
    await slices.handler(0, RUNS)(event());
    // When the call begins to read, and once more in case that it was used or lost meanwhile.
    expect(prepared).toEqual(['runs-bucket', 'runs-bucket']);
    expect(slices.objects.preparedClosed).toBe(1);
  });

  it('is closed if the call fails', async () => {
    const call = slices.handler(0)(event({ request: { version: 1, inputs: { tensors: {} } } }));
    await expect(call).rejects.toMatchObject({ name: 'InvalidInput' });
    expect(slices.objects.preparedClosed).toBe(1);
  });

  const refusesToPrepare = (): void => {
    slices.objects.onPrepare = () => {
      throw new Error('prepared');
    };
  };

  it('is not prepared if the outputs are to travel in the state', async () => {
    refusesToPrepare();
    const answer = await slices.sliceHandler(0)(event({ maxTensors: 10_000 }));
    expect(answer.tensors).toEqual(expect.any(String));
  });

  it('is not prepared if the results are wanted inline only', async () => {
    const { tensors } = await slices.sliceHandler(0)(event({ maxTensors: 10_000 }));
    refusesToPrepare();
    const request = { ...(event().request as object), output: { inline: 'only' } };
    const answer = await slices.sliceHandler(1)(event({ request, tensors: { 0: tensors } }));
    expect(answer.outputs?.tensors).toBeDefined();
  });

  it('is not prepared by a warm-up', async () => {
    refusesToPrepare();
    await slices.handler(0)(event({ warmUp: true }));
  });
});
