/** Columns of a row become tensors of the inputs with their names. */
import type { TensorSpec } from '../../../contract/tensors';
import { inputOfRow } from '../../../lambda/batch/row-tensors';
import { typedView, type RawTensor } from '../../../lambda/tensors/tensor';

function spec(shape: TensorSpec['shape'], dtype: TensorSpec['dtype'] = 'float32', name = 'x'): TensorSpec {
  return { name, dtype, shape };
}

const parquet = (row: unknown, ...specs: readonly TensorSpec[]) => inputOfRow(row, specs, 'parquet');

function tensorsOf(row: unknown, ...specs: readonly TensorSpec[]): ReadonlyMap<string, RawTensor> {
  const { tensors, inline } = parquet(row, ...specs);
  expect(inline).toBe('never');
  return tensors.kind === 'inline' ? tensors.tensors : new Map();
}

function elements(tensor: RawTensor | undefined): unknown {
  if (tensor === undefined) return undefined;
  return [tensor.shape, tensor.dtype === 'string' ? tensor.strings : [...typedView(tensor)]];
}

const nested = [
  [
    [1, 2, 3],
    [4, 5, 6],
  ],
];

it.each<[string, TensorSpec['shape'], unknown, unknown]>([
  ['a number', [], 7, [[], [7]]],
  ['a number for a list', [null], 7, [[1], [7]]],
  ['a number for a matrix', ['N', 'S'], 7, [[1, 1], [7]]],
  ['a list', [3], [1, 2, 3], [[3], [1, 2, 3]]],
  [
    'a list for a matrix',
    ['N', 3],
    [1, 2, 3],
    [
      [1, 3],
      [1, 2, 3],
    ],
  ],
  ['a list for an input whose rank is not known', null, [1, 2, 3], [[3], [1, 2, 3]]],
  [
    'lists of lists',
    [1, 2, 3],
    nested,
    [
      [1, 2, 3],
      [1, 2, 3, 4, 5, 6],
    ],
  ],
  [
    'lists of lists for a higher rank',
    [null, 1, 2, 3],
    nested,
    [
      [1, 1, 2, 3],
      [1, 2, 3, 4, 5, 6],
    ],
  ],
  [
    'more lists than the input has dimensions',
    [3],
    [[1, 2, 3]],
    [
      [1, 3],
      [1, 2, 3],
    ],
  ],
  ['an empty list', ['N'], [], [[0], []]],
  ['empty lists', ['N', 'S'], [[], []], [[2, 0], []]],
])('%s becomes a tensor for the shape %j', (_, shape, value, expected) => {
  expect(elements(tensorsOf({ x: value }, spec(shape)).get('x'))).toEqual(expected);
});

it('lists of texts and of whole numbers have the type of the input', () => {
  const row = { words: ['ü', ''], ids: [1, -2], mask: [true, false] };
  const specs = [
    spec(['N', 'S'], 'string', 'words'),
    spec([1, 2], 'int64', 'ids'),
    spec([2], 'bool', 'mask'),
  ];
  const found = [...tensorsOf(row, ...specs)].map(([name, tensor]) => [name, elements(tensor)]);
  expect(found).toEqual([
    [
      'words',
      [
        [1, 2],
        ['ü', ''],
      ],
    ],
    [
      'ids',
      [
        [1, 2],
        [1n, -2n],
      ],
    ],
    ['mask', [[2], [1, 0]]],
  ]);
});

it('other columns do not matter, and missing ones are left to the check of the request', () => {
  expect([
    ...tensorsOf({ id: 'a', x: [1], note: null }, spec([1]), spec([1], 'float32', 'y')).keys(),
  ]).toEqual(['x']);
});

it.each([null, {}, { input: { s3: 'inputs/a' } }])('refuses %j, which has no input of the model', (row) => {
  const message = "an item must have 'inputs' or a field for each input, got none of 'constructor', 'y'";
  const specs = [spec([1], 'float32', 'constructor'), spec([1], 'float32', 'y')];
  expect(() => parquet(row, ...specs)).toThrow(message);
});

it('a cell of CSV is JSON, unless the tensor has texts', () => {
  const row = { x: '[[1, 2]]', y: '3', name: '[4]' };
  const specs = [spec([1, 2]), spec([1], 'int64', 'y'), spec([1], 'string', 'name')];
  const { tensors } = inputOfRow(row, specs, 'csv');
  const read = tensors.kind === 'inline' ? tensors.tensors : undefined;
  expect(['x', 'y', 'name'].map((name) => elements(read?.get(name)))).toEqual([
    [
      [1, 2],
      [1, 2],
    ],
    [[1], [3n]],
    [[1], ['[4]']],
  ]);
  for (const cell of ['True', '', '[1'])
    expect(() => inputOfRow({ x: cell }, specs, 'csv')).toThrow(/^'data' of tensor 'x' must be numbers/);
});

it.each<[string, TensorSpec['dtype'], unknown, RegExp]>([
  [
    'lists of several lengths',
    'float32',
    [[1, 2], [3]],
    /^the column 'x' must hold lists of one length at each depth, got a list of length 2$/,
  ],
  [
    'a number among lists',
    'float32',
    [[1], 2],
    /^the column 'x' must hold lists of one length at each depth, got a number$/,
  ],
  [
    'a list among numbers',
    'float32',
    [1, [2]],
    /^'data' of tensor 'x' must be numbers .*, got a list of length 1 at position 1$/,
  ],
  [
    'a text',
    'float32',
    ['1'],
    /^'data' of tensor 'x' must be numbers .*, got a string of length 1 at position 0$/,
  ],
  ['nothing', 'float32', null, /^'data' of tensor 'x' must be numbers .*, got null at position 0$/],
  [
    'a number that int64 holds and JSON does not',
    'int64',
    [2 ** 53],
    /^'data' of tensor 'x' must be whole numbers/,
  ],
  ['a number for texts', 'string', [1], /^'data' of tensor 'x' must be strings, got a number at position 0$/],
])('%s is refused', (_, dtype, value, message) => {
  expect(() => parquet({ x: value }, spec([null], dtype))).toThrow(
    expect.objectContaining({
      name: 'InvalidInput',
      message: expect.stringMatching(message) as string,
      details: expect.objectContaining({ tensor: 'x' }) as object,
    }) as Error,
  );
});

it('lists that are nested deeper than any tensor are refused, and not followed', () => {
  const deep: unknown = JSON.parse('['.repeat(100_000) + ']'.repeat(100_000));
  expect(() => parquet({ x: deep }, spec([1]))).toThrow(/must be numbers .*, got a list of length 1 at pos/);
});
