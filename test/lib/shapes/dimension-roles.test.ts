import type { SizedInput } from '../../../lib/shapes/input-layout';
import { roleOf } from '../../../lib/shapes/dimension-roles';

const ids: SizedInput = { name: 'input_ids', dtype: 'int64', shape: ['batch', 'sequence'] };

function role(input: SizedInput, axis: number, others: readonly SizedInput[] = []): string {
  const dimension = input.shape?.[axis];
  const name = typeof dimension === 'string' ? dimension : `${input.name}[${axis}]`;
  return roleOf(input, axis, name, [input, ...others]);
}

const floats = (...shape: (string | number | null)[]): SizedInput => ({ name: 'x', dtype: 'float32', shape });

describe('the role of a dimension', () => {
  it('is what its name states', () => {
    expect(role(ids, 0)).toBe('batch');
    expect(role(ids, 1)).toBe('sequence');
    expect(role(floats('n', 3, 'height', 'width'), 2)).toBe('height');
  });

  it('is what its position means if the name states nothing', () => {
    expect(role(floats('unk__1', 3, 'unk__2', 'unk__3'), 0)).toBe('batch');
    expect(role(floats(null, 3, null, null), 3)).toBe('width');
    expect(role({ name: 'ids', dtype: 'int64', shape: [null, null] }, 1)).toBe('sequence');
  });

  it('is the total length in the mask of a decoder with past tokens', () => {
    const mask: SizedInput = { name: 'attention_mask', dtype: 'int64', shape: ['batch', 'all_length'] };
    const past = floats('batch', 8, 'past_sequence_length', 64);
    expect(role(mask, 1, [ids, past])).toBe('total');
    expect(role(mask, 1, [ids])).toBe('sequence');
    const shared: SizedInput = { ...mask, shape: ['batch', 'sequence'] };
    expect(role(shared, 1, [ids, past])).toBe('sequence');
  });

  it('is samples of sound in a matrix of floats, unless another input has the tokens', () => {
    expect(role(floats('batch', 'sequence'), 1)).toBe('samples');
    expect(role(floats('batch', 'time'), 1)).toBe('samples');
    expect(role(floats('batch', 'sequence'), 1, [ids])).toBe('sequence');
  });

  it('is samples in an unnamed matrix of floats beside the state of a recurrent network', () => {
    const state: SizedInput = { name: 'h', dtype: 'float32', shape: [2, 'batch', 64] };
    expect(role(floats(null, null), 1, [state])).toBe('samples');
    expect(role(floats(null, null), 1)).toBe('features');
  });

  it('of time is a frame of floats, and a token of integers', () => {
    expect(role(floats('batch', 80, 'time'), 2)).toBe('frames');
    expect(role({ name: 'x', dtype: 'int64', shape: ['batch', 'time'] }, 1)).toBe('sequence');
  });
});
