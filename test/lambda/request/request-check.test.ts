import type { NamedFailure } from '../../../lambda/errors';
import { checkRequest, type RequestSpecs } from '../../../lambda/request/request-check';
import type { TensorHead } from '../../../lambda/tensors/tensor';

const specs: RequestSpecs = {
  request: [
    { name: 'x', dtype: 'float32', shape: ['N', 3, 48, 'W'] },
    { name: 'mask', dtype: 'bool', shape: ['N', null] },
    { name: 'any', dtype: 'int64', shape: null },
  ],
  fixed: ['epsilon'],
};

type Changes = Record<string, TensorHead | undefined>;

const fitting: Changes = {
  x: { dtype: 'float32', shape: [2, 3, 48, 320] },
  mask: { dtype: 'bool', shape: [2, 9] },
  any: { dtype: 'int64', shape: [] },
};

function failure(changes: Changes, of = specs): NamedFailure | undefined {
  const heads = Object.entries(changes).filter(
    (entry): entry is [string, TensorHead] => entry[1] !== undefined,
  );
  try {
    checkRequest(of, new Map(heads));
    return undefined;
  } catch (error) {
    return error as NamedFailure;
  }
}

it.each<[string, Changes]>([
  ['any number as a symbolic or unknown size', {}],
  ['any rank where the rank is unknown', { any: { dtype: 'int64', shape: [4, 5] } }],
  ['two sizes of one name, which exporters give to any sizes', { mask: { dtype: 'bool', shape: [3, 9] } }],
])('a request may have %s', (_, changes) => {
  expect(failure({ ...fitting, ...changes })).toBeUndefined();
});

const mask = { dtype: 'bool', shape: [2] } as const;

const wrong = { dtype: 'float32', shape: [2, 1, 48, 3] } as const;

it.each<[Changes, readonly (string | undefined)[], string]>([
  [{ mask }, ['mask', 'bool[N,?]', 'bool[2]'], "input 'mask' expects bool[N,?], got bool[2]: convert it"],
  [{ x: wrong }, ['x', 'float32[N,3,48,W]', 'float32[2,1,48,3]'], 'expects'],
  [{ mask: undefined }, ['mask', 'bool[N,?]', "'x', 'any'"], "is missing: the request has 'x', 'any'"],
  [{ y: mask }, ['y', "'x', 'mask', 'any'", undefined], "no input 'y': it takes 'x', 'mask', 'any'"],
  [{ epsilon: mask }, ['epsilon', undefined, undefined], 'has a default that cannot be overridden'],
])('a request is refused as InvalidInput with the tensors %j', (changes, about, words) => {
  const { name, details, message } = failure({ ...fitting, ...changes }) ?? {};
  expect([name, details?.tensor, details?.expected, details?.got]).toEqual(['InvalidInput', ...about]);
  expect(message).toContain(words);
});

it('a request must have no tensors if the model has no inputs', () => {
  const none = { request: [], fixed: [] };
  expect(failure({}, none)).toBeUndefined();
  expect(failure({ y: fitting.any }, none)?.message).toContain('it takes no tensors');
});
