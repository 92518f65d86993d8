import type { SliceAnswer, SliceEvent, WarmUpAnswer } from '../../contract/slice-event';
import type { SliceHandler } from '../../lambda/handler';
import { event, failure, SliceHandlers } from '../support/slice-handler';

let slices: SliceHandlers;
beforeEach(() => (slices = new SliceHandlers()));
afterEach(() => {
  slices.remove();
});

describe('a warm-up', () => {
  const warmUp = event({ request: undefined, warmUp: true });
  let handler: SliceHandler;
  beforeEach(() => {
    handler = slices.handler(0);
  });
  const timing = async (sliceEvent: SliceEvent) => ((await handler(sliceEvent)) as SliceAnswer).timing;

  it('loads the slice and neither reads nor writes tensors', async () => {
    const answer = (await handler(warmUp)) as WarmUpAnswer;
    expect(answer).toEqual({ slice: 0, cold: true, loadMs: expect.any(Number) as number });
    expect(slices.objects.keys().filter((key) => !key.startsWith('assets/'))).toEqual([]);
    expect(slices.objects.reads.filter(({ key }) => !key.startsWith('assets/'))).toEqual([]);
  });

  it('closes the connections to the files when they have arrived', async () => {
    expect(slices.objects.idleClosed).toBe(0);
    await handler(warmUp);
    expect(slices.objects.idleClosed).toBe(1);
    await handler(warmUp);
    expect(slices.objects.idleClosed).toBe(1);
  });

  it('reads nothing if the slice is loaded already', async () => {
    await handler(event());
    const before = slices.objects.reads.length;
    expect(await handler(warmUp)).toEqual({ slice: 0, cold: false, loadMs: 0 });
    expect(slices.objects.reads).toHaveLength(before);
  });

  it("is reported as the load of the same run's next call, and of no later call", async () => {
    const { loadMs } = (await handler(warmUp)) as WarmUpAnswer;
    expect(await timing(event())).toMatchObject({ cold: true, warmedUp: true, loadMs });
    expect(await timing(event())).toMatchObject({ cold: false, warmedUp: false, loadMs: 0 });
  });

  it('is not reported as the load of another run', async () => {
    await handler(warmUp);
    expect(await timing(event({ run: 'machine/run-2' }))).toMatchObject({ cold: false, warmedUp: false });
    expect(await timing(event())).toMatchObject({ cold: false, warmedUp: false });
  });

  it('leaves the load to the next call if it fails', async () => {
    const weights = slices.objects.bytes('assets/0.weights') ?? new Uint8Array(0);
    slices.objects.put('assets/0.weights', Buffer.from('tampered'));
    expect((await failure(handler, warmUp)).name).toBe('WeightsCorrupt');
    slices.objects.put('assets/0.weights', weights);
    expect(await timing(event())).toMatchObject({ cold: true, warmedUp: false });
  });

  it('fails with PlanChanged if it belongs to another deployment', async () => {
    expect((await failure(handler, { ...warmUp, deploymentDigest: 'other' })).name).toBe('PlanChanged');
  });
});
