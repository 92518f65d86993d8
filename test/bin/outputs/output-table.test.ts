import { outputTable } from '../../../bin/outputs/output-table';
import type { TypedTensor } from '../../../client';

const MIN = '-9223372036854775808';

test.each<[TypedTensor, readonly string[]]>([
  [
    { dtype: 'float32', shape: [5], data: Float32Array.of(0.1, 2, -3.25, 1 / 3, 9) },
    ['float32[5]', '0.1 2 -3.25 0.333333 …', '-3.25', '9'],
  ],
  [{ dtype: 'int64', shape: [1], data: BigInt64Array.of(-(2n ** 63n)) }, ['int64[1]', MIN, MIN, MIN]],
  [{ dtype: 'float16', shape: [2], data: Uint16Array.of(0x3c00, 0xc000) }, ['float16[2]', '1 -2', '-2', '1']],
  [{ dtype: 'bool', shape: [2], data: Uint8Array.of(0, 1) }, ['bool[2]', 'false true']],
  [{ dtype: 'string', shape: [1], data: ['a\u001b[2Jb'] }, ['string[1]', "'a\\x1b[2Jb'"]],
  [{ dtype: 'string', shape: [1], data: ['x'.repeat(100)] }, ['string[1]', `'${'x'.repeat(21)}...'`]],
  [{ dtype: 'float64', shape: [2], data: Float64Array.of(NaN, 1) }, ['float64[2]', 'NaN 1', '1', '1']],
])('a row shows the first values and the range: case %#', (tensor, expected) => {
  const [, line = ''] = outputTable(new Map([['y', tensor]])).split('\n');
  expect(line.trim().split(/ {2,}/)).toEqual(['y', ...expected]);
});
