import { labelsFor } from '../../../bin/outputs/labels';
import { outputSummary } from '../../../bin/outputs/output-summary';
import { float16Bits } from '../../../lambda/tensors/float16';
import { bytesOf, type RawTensor } from '../../../lambda/tensors/tensor';
import { fileWith } from '../../support/changed-json';
import { float32 } from '../../support/tensors';

const MIN = '-9223372036854775808';
const NONE = ['no labels: no output has a number for each of 3 labels'];

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

describe('labels', () => {
  function labels(text: string, shape: readonly (number | null)[] = [null, 3], name = 'labels.json') {
    return labelsFor([{ name: 'y', dtype: 'float32', shape }], fileWith(text, name));
  }

  it.each([
    ['["a", "b", "c"]', 'labels.json'],
    ['{"1": "b", "0": "a", "2": "c"}', 'labels.json'],
    ['{"model_type": "resnet", "id2label": {"0": "a", "1": "b", "2": "c"}}', 'config'],
    ['\uFEFFa\r\nb\r\nc\r\n\n', 'labels.txt'],
  ])('are read from %j in %s', (text, name) => {
    expect(labels(text, [2, 3], name)).toEqual(['a', 'b', 'c']);
  });

  it.each<[string, readonly (number | null)[], string]>([
    [
      '["a"',
      [3],
      "labels.json' must have a text for each index from 0 on, got text that is not JSON: pass one label a line,",
    ],
    ['{"0": "a", "2": "c"}', [2], 'from 0 on, got none for index 1: '],
    [
      '["a", "b"]',
      [null, 3],
      "the last dimension of an output of floats, got 2 labels for 'y' float32[?,3]: pass the labels of",
    ],
    ['\n', [1], 'from 0 on, got an empty file: '],
    ['a\0\n\0', [2], "labels.json' must be text in UTF-8, got other bytes: "],
    ['["a"]', [], "got 1 label for 'y' float32[]: "],
  ])('%s are refused for an output of the shape %j', (text, shape, message) => {
    expect(() => labels(text, shape)).toThrow(message);
  });

  it.each<[RawTensor, readonly string[]]>([
    [
      float32([2, 3], [-1, NaN, 1.5, 0, 0, 0]),
      ['  the highest scores, of the first of 2 rows:', '    1.5  c (2)', '     -1  a (0)'],
    ],
    [
      float16([3], [0.25, 0.25, 0.5]),
      ['  the highest scores:', '     0.5  c (2)', '    0.25  a (0)', '    0.25  b (1)'],
    ],
    [float32([0, 3], []), NONE],
    [float32([1, 2], [1, 2]), NONE],
    [float32([3], [NaN, NaN, NaN]), NONE],
  ])('are shown for the highest scores: case %#', (tensor, expected) => {
    const summary = outputSummary(new Map([['y', tensor]]), ['a', 'b', 'c']);
    const [, lines] = /((?:  the highest|no labels)[^]*)$/.exec(summary) ?? [];
    expect(lines).toBe(expected.join('\n'));
  });
});
