import { outputSummary } from '../../../bin/outputs/output-summary';
import { float16Bits } from '../../../lambda/tensors/float16';
import { bytesOf, type RawTensor } from '../../../lambda/tensors/tensor';
import { float32 } from '../../support/tensors';

const MIN = '-9223372036854775808';

function float16(shape: readonly number[], values: readonly number[]): RawTensor {
  return { dtype: 'float16', shape, bytes: bytesOf(Uint16Array.from(values, float16Bits)) };
}

test.each<[string, RawTensor, string]>([
  [
    'float32[5]',
    float32([5], [0.1, 2e-5, -3.25, 1 / 3, 9]),
    '0.1 2e-5 -3.25 0.333333 …\n  min -3.25   max 9 at [4]',
  ],
  [
    'int64[1]',
    { dtype: 'int64', shape: [1], bytes: bytesOf(BigInt64Array.of(-(2n ** 63n))) },
    `${MIN}\n  min ${MIN}   max ${MIN}`,
  ],
  [
    'float16[2]',
    float16([2], [-2, Infinity]),
    '-2 Infinity\n  min -2   max -2 at [0]\n  1 Infinity of 2 values',
  ],
  ['float32[2,3,1]', float32([2, 3, 1], [0, 5, 1, 0, 7, 7]), '0 5 1 0 …\n  min 0   max 7 at [1,1,0]'],
  ['bool[2]', { dtype: 'bool', shape: [2], bytes: Uint8Array.of(0, 1) }, 'false true'],
  ['string[1]', { dtype: 'string', shape: [1], strings: ['a\u001b[2Jb'] }, "'a\\x1b[2Jb'"],
  ['float32[0]', float32([0], []), 'no values'],
  ['float32[3]', float32([3], [NaN, NaN, -Infinity]), 'NaN NaN -Infinity\n  2 NaN, 1 -Infinity of 3 values'],
])('the summary of %s shows the first and the extreme values', (head, tensor, values) => {
  expect(outputSummary(new Map([['y', tensor]]))).toBe(`y  ${head}\n  ${values}`);
});
