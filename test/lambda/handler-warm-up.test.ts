import type { SliceAnswer, SliceEvent, WarmUpAnswer } from '../../contract/slice-event';
import type { SliceHandler } from '../../lambda/handler';
import { event, failure, sliceHandlers } from '../support/slice-handler';

const slices = sliceHandlers();
const warmUp = event({ request: undefined, warmUp: true });
let handler: SliceHandler;
beforeEach(() => (handler = slices.handler(0)));
const timing = async (sliceEvent: SliceEvent) => ((await handler(sliceEvent)) as SliceAnswer).timing;

describe('a warm-up', () => {
  it('loads the slice and neither reads nor writes tensors', async () => {
    const answer = (await handler(warmUp)) as WarmUpAnswer;
    expect(answer).toEqual({ slice: 0, cold: true, loadMs: expect.any(Number) as number });
    expect(slices.written()).toEqual([]);
    expect(slices.objects.reads.filter(({ key }) => !key.startsWith('assets/'))).toEqual([]);
  });

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

  it('is not reported as the load of another run', async () => {
    await handler(warmUp);
    expect(await timing(event({ run: 'machine/run-2' }))).toMatchObject({ cold: false, warmedUp: false });
    expect(await timing(event())).toMatchObject({ cold: false, warmedUp: false });
  });

  it('fails with PlanChanged if it belongs to another deployment', async () => {
    expect((await failure(handler, { ...warmUp, deploymentDigest: 'other' })).name).toBe('PlanChanged');
  });
});
