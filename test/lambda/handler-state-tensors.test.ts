/** Slices that hand on their tensors in answers, and read them from events. */
import { ENV } from '../../contract/environment';
import type { SliceAnswer } from '../../contract/slice-event';
import { decodeSafetensors, encodeSafetensors } from '../../lambda/tensors/safetensors';
import { comparable } from '../support/arbitrary-tensors';
import { early, event, failure, late, scale, SliceHandlers, tensor, x } from '../support/slice-handler';

let slices: SliceHandlers;
beforeEach(() => (slices = new SliceHandlers()));
afterEach(() => {
  slices.remove();
});

const LIMIT = 10_000;
const tensorsOf = (text = '') => comparable(decodeSafetensors(Buffer.from(text, 'base64')));
const written = () => slices.objects.keys().filter((key) => !key.startsWith('assets/'));

describe('a slice that may answer its tensors', () => {
  it('answers them and writes no object', async () => {
    const answer = await slices.sliceHandler(0)(event({ maxTensors: LIMIT }));
    expect(answer.object).toBeUndefined();
    expect(tensorsOf(answer.tensors)).toEqual(
      comparable(
        new Map([
          ['shifted', tensor([11, 22, 33])],
          ['early', early],
        ]),
      ),
    );
    expect(answer.timing).toMatchObject({ bytesWritten: 0, bytesRead: 12 });
    expect(written()).toEqual([]);
    expect(slices.lines.at(-1)).toMatchObject({ s3Puts: 0 });
  });

  it('writes them to S3 if they have more characters than allowed', async () => {
    const answer = await slices.sliceHandler(0)(event({ maxTensors: 100 }));
    expect(answer.tensors).toBe('s3');
    expect(answer.object?.key).toBe('runs/machine/run-1/slice-00.safetensors');
    expect(written()).toEqual(['runs/machine/run-1/slice-00.safetensors']);
  });

  it('sends them as float16 if the transport is', async () => {
    const handler = slices.handler(0, { [ENV.transport]: 'float16' });
    const { tensors } = (await handler(event({ maxTensors: LIMIT }))) as SliceAnswer;
    const sent = decodeSafetensors(Buffer.from(tensors ?? '', 'base64'));
    expect([...sent.values()].map(({ dtype }) => dtype)).toEqual(['float16', 'float16']);
    const last = await slices.sliceHandler(1)(event({ tensors: { 0: tensors } }));
    expect(last.outputs?.tensors?.early).toMatchObject({ dtype: 'float32', shape: [1, 3] });
  });
});

describe('a slice that reads tensors', () => {
  const results = new Map([
    ['late', late],
    ['early', early],
    ['x', x],
  ]);

  it('takes them from the event, without a request to S3', async () => {
    const { tensors } = await slices.sliceHandler(0)(event({ maxTensors: LIMIT }));
    const handler = slices.sliceHandler(1);
    const last = await handler(event({ tensors: { 0: tensors } }));
    expect(slices.stored(last.object?.key)).toEqual(comparable(results));
    expect(slices.objects.reads.filter(({ key }) => key.startsWith('runs/'))).toEqual([]);
  });

  it.each([
    ['says that they are in S3', { tensors: { 0: 's3' } }],
    ['has none of this slice', { tensors: { 7: 'AAAA' } }],
    ['has none', {}],
  ])('takes them from S3 if the event %s', async (_, changes) => {
    await slices.sliceHandler(0)(event());
    const last = await slices.sliceHandler(1)(event(changes));
    expect(slices.stored(last.object?.key)).toEqual(comparable(results));
  });

  it('believes the event, and not an object of another attempt', async () => {
    slices.objects.put(
      'runs/machine/run-1/slice-00.safetensors',
      encodeSafetensors(new Map([['shifted', tensor([0, 0, 0])]])),
    );
    const { tensors } = await slices.sliceHandler(0)(event({ maxTensors: LIMIT }));
    const last = await slices.sliceHandler(1)(event({ tensors: { 0: tensors } }));
    expect(slices.stored(last.object?.key)).toEqual(comparable(results));
  });

  const text = (tensors: Parameters<typeof encodeSafetensors>[0]) =>
    Buffer.from(encodeSafetensors(tensors)).toString('base64');

  it.each([
    ['lack a tensor', text(new Map([['early', early]])), "there is no tensor 'shifted'"],
    [
      'have another element type',
      text(
        new Map([
          ['early', early],
          ['shifted', { dtype: 'int32', shape: [1, 3], bytes: new Uint8Array(12) }],
        ]),
      ),
      "tensor 'shifted' must be float32",
    ],
  ])('refuses tensors that %s', async (_, tensors, reason) => {
    const { name, cause } = await failure(slices.handler(1), event({ tensors: { 0: tensors } }));
    expect(name).toBe('SliceFailed');
    expect(cause.message).toContain('cannot read the tensors of slice 0 from the event: ');
    expect(cause.message).toContain(reason);
  });

  it('refuses damaged tensors as it refuses a damaged object', async () => {
    const { name, cause } = await failure(slices.handler(1), event({ tensors: { 0: 'AAAA' } }));
    expect(name).toBe('CorruptTensor');
    expect(cause).toMatchObject({
      slice: 1,
      message: expect.stringContaining('slice 0 in the event') as string,
    });
  });

  it('refuses tensors that were computed from another request', async () => {
    const put = (values: readonly number[]) => {
      const file = encodeSafetensors(
        new Map([
          ['x', tensor(values)],
          ['scale', scale],
        ]),
      );
      slices.objects.put('inputs/a', file);
    };
    put([1, 2, 3]);
    const request = { version: 1, inputs: { s3: 'inputs/a' } };
    const { tensors } = await slices.sliceHandler(0)(event({ request, maxTensors: LIMIT }));
    put([4, 5, 6]);
    const { name, cause } = await failure(slices.handler(1), event({ request, tensors: { 0: tensors } }));
    expect(name).toBe('InvalidInput');
    expect(cause.message).toContain("the request's object was replaced during the run");
  });
});
