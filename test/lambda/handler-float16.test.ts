import { ENV } from '../../contract/environment';
import type { SliceAnswer } from '../../contract/slice-event';
import { decodeSafetensors } from '../../lambda/tensors/safetensors';
import { comparable } from '../support/arbitrary-tensors';
import { early, event, inline, late, SliceHandlers, x } from '../support/slice-handler';

let slices: SliceHandlers;
beforeEach(() => (slices = new SliceHandlers()));
afterEach(() => {
  slices.remove();
});

describe('float16 transport', () => {
  const float16Handler = (slice: number) => slices.handler(slice, { [ENV.transport]: 'float16' });

  it('sends float32 tensors as float16 and reads them as float32', async () => {
    await float16Handler(0)(event());
    const sent = decodeSafetensors(
      slices.objects.bytes('runs/machine/run-1/slice-00.safetensors') ?? new Uint8Array(),
    );
    expect([...sent].map(([name, { dtype }]) => [name, dtype])).toEqual([
      ['shifted', 'float16'],
      ['early', 'float16'],
    ]);
    const last = await float16Handler(1)(event());
    // float16 holds small whole numbers exactly.
    expect(slices.stored((last as SliceAnswer).object?.key)).toEqual(
      comparable(
        new Map([
          ['late', late],
          ['early', early],
          ['x', x],
        ]),
      ),
    );
  });

  it('sends a tensor as float32 if float16 cannot hold one of its values', async () => {
    const large = event({
      request: { version: 1, inputs: { tensors: { x: inline([1e6, 2, 3]), scale: inline([2, 2, 2]) } } },
    });
    await float16Handler(0)(large);
    const sent = decodeSafetensors(
      slices.objects.bytes('runs/machine/run-1/slice-00.safetensors') ?? new Uint8Array(),
    );
    expect(new Set([...sent.values()].map(({ dtype }) => dtype))).toEqual(new Set(['float32']));
  });
});
