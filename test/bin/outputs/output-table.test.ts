import { outputTable } from '../../../bin/outputs/output-table';
import { sortedByModel } from '../../../bin/outputs/sorted-by-model';
import type { TypedTensor } from '../../../client';

/** The cells of the row of one tensor, without those that are empty. */
function row(tensor: TypedTensor): string[] {
  const [, line = ''] = outputTable(new Map([['y', tensor]])).split('\n');
  return line.trim().split(/ {2,}/);
}

describe('the table of outputs', () => {
  it('has a head, and a row for each tensor in order', () => {
    const y: TypedTensor = { dtype: 'float32', shape: [2], data: Float32Array.of(0.1, -3) };
    const [head, ...rows] = outputTable(
      new Map([
        ['b', y],
        ['a', y],
      ]),
    ).split('\n');
    expect(head).toMatch(/^output +type +first values +min +max$/);
    expect(rows.map((line) => line.split(' ')[0])).toEqual(['b', 'a']);
  });

  it('shows the first values and the range', () => {
    const data = Float32Array.of(0.1, 2, -3.25, 1 / 3, 9);
    expect(row({ dtype: 'float32', shape: [5], data })).toEqual([
      'y',
      'float32[5]',
      '0.1 2 -3.25 0.333333 …',
      '-3.25',
      '9',
    ]);
  });

  it('keeps all digits of large whole numbers', () => {
    const data = BigInt64Array.of(-(2n ** 63n), 7n);
    expect(row({ dtype: 'int64', shape: [2], data }).slice(2)).toEqual([
      '-9223372036854775808 7',
      '-9223372036854775808',
      '7',
    ]);
  });

  it('decodes float16 and bool', () => {
    expect(row({ dtype: 'float16', shape: [2], data: Uint16Array.of(0x3c00, 0xc000) }).slice(2)).toEqual([
      '1 -2',
      '-2',
      '1',
    ]);
    expect(row({ dtype: 'bool', shape: [2], data: Uint8Array.of(0, 1) }).slice(2)).toEqual(['false true']);
  });

  it('shortens texts and escapes what would garble the terminal', () => {
    const data = ['a\u001b[2Jb', 'x'.repeat(100)];
    expect(row({ dtype: 'string', shape: [2], data })[2]).toBe(`'a\\x1b[2Jb' '${'x'.repeat(21)}...'`);
  });

  it('leaves NaN out of the range, and has none without numbers', () => {
    expect(row({ dtype: 'float64', shape: [2], data: Float64Array.of(NaN, 1) }).slice(2)).toEqual([
      'NaN 1',
      '1',
      '1',
    ]);
    expect(row({ dtype: 'float64', shape: [0], data: Float64Array.of() }).slice(1)).toEqual([
      'float64[0]',
      'none',
    ]);
    expect(row({ dtype: 'float64', shape: [1], data: Float64Array.of(NaN) }).slice(2)).toEqual(['NaN']);
  });
});

test('outputs are sorted in the order of the model', () => {
  const specs = ['late', '1', 'early'].map((name) => ({ name, dtype: 'float32', shape: null }) as const);
  const sorted = sortedByModel(
    specs,
    new Map([
      ['1', 1],
      ['early', 2],
      ['late', 3],
    ]),
  );
  expect([...sorted.keys()]).toEqual(['late', '1', 'early']);
});
