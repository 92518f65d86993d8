import { type SizedInput, isState, isTokens, layoutOf } from '../../../lib/shapes/input-layout';

function layout(dtype: string, shape: SizedInput['shape'], name = 'x'): string {
  return layoutOf({ name, dtype, shape }).join(' ');
}

describe('the layout of an input', () => {
  test('is channels before or after height and width, whichever has the number of channels', () => {
    expect(layout('float32', [null, 3, null, null])).toBe('batch channels height width');
    expect(layout('uint8', [null, null, null, 3])).toBe('batch height width channels');
    expect(layout('uint8', [null, null, 3])).toBe('height width channels');
    expect(layout('float32', [3, null, null])).toBe('channels height width');
  });

  test('is tokens for a matrix of integers, and sound for floats of such a name', () => {
    expect(layout('int64', [null, null])).toBe('batch sequence');
    expect(layout('float32', [null, null])).toBe('batch features');
    expect(layout('float32', [null, null], 'audio')).toBe('batch samples');
    expect(layout('float32', [null, 1, null])).toBe('batch channels samples');
  });

  test('is frames for as many features as a spectrogram has bands', () => {
    expect(layout('float32', [null, 80, null])).toBe('batch features frames');
    expect(layout('float32', [null, 768, null])).toBe('batch features sequence');
  });

  test('is past tokens for the cache of a decoder', () => {
    expect(layout('float32', [null, 8, null, 64], 'past_key_values.0.key')).toBe('batch items past features');
  });

  test('has an entry for each axis', () => {
    for (let rank = 0; rank <= 7; rank++) {
      const input = { name: 'x', dtype: 'float32', shape: new Array<null>(rank).fill(null) };
      expect(layoutOf(input)).toHaveLength(rank);
    }
    expect(layoutOf({ name: 'x', shape: null })).toEqual([]);
  });
});

describe('an input', () => {
  test('is a state when only its middle dimension is open', () => {
    expect(isState({ name: 'h', shape: [2, null, 64] })).toBe(true);
    expect(isState({ name: 'h', shape: [null, null, 64] })).toBe(false);
    expect(isState({ name: 'h', shape: null })).toBe(false);
  });

  test('is tokens when it is a matrix of integers', () => {
    expect(isTokens({ name: 'ids', dtype: 'int64', shape: [1, null] })).toBe(true);
    expect(isTokens({ name: 'x', dtype: 'bfloat16', shape: [1, null] })).toBe(false);
  });
});
