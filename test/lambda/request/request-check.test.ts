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

describe('a request', () => {
  it.each<[string, Changes]>([
    ['any number as a symbolic or unknown size', {}],
    ['any rank where the rank is unknown', { any: { dtype: 'int64', shape: [4, 5] } }],
    [
      'two sizes of one name, which exporters give to unrelated sizes',
      { mask: { dtype: 'bool', shape: [3, 9] } },
    ],
  ])('may have %s', (_, changes) => {
    expect(failure({ ...fitting, ...changes })).toBeUndefined();
  });

  it.each<[Changes, object, string]>([
    [
      { ...fitting, x: { dtype: 'int64', shape: [1, 3, 48, 320] } },
      { tensor: 'x', expected: 'float32[N,3,48,W]', got: 'int64[1,3,48,320]' },
      "input 'x' expects float32[N,3,48,W], got int64[1,3,48,320]: convert it or check the input's name",
    ],
    [
      { ...fitting, mask: { dtype: 'bool', shape: [2] } },
      { tensor: 'mask' },
      'expects bool[N,?], got bool[2]',
    ],
    [{ ...fitting, x: { dtype: 'float32', shape: [2, 1, 48, 3] } }, { tensor: 'x' }, 'got float32[2,1,48,3]'],
    [
      { ...fitting, mask: undefined },
      { tensor: 'mask', expected: 'bool[N,?]', got: "'x', 'any'" },
      "input 'mask' bool[N,?] is missing: the request has 'x', 'any'",
    ],
    [
      { ...fitting, y: { dtype: 'bool', shape: [] } },
      { tensor: 'y', expected: "'x', 'mask', 'any'" },
      "the model has no input 'y': it takes 'x', 'mask', 'any'",
    ],
    [{ ...fitting, epsilon: fitting.any }, { tensor: 'epsilon' }, 'has a default that cannot be overridden'],
  ])('is refused as InvalidInput with the tensors %j', (tensors, details, words) => {
    expect(failure(tensors)).toMatchObject({ name: 'InvalidInput', details });
    expect(failure(tensors)?.message).toContain(words);
  });

  it('must have no tensors if the model has no inputs', () => {
    const none = { request: [], fixed: [] };
    expect(failure({}, none)).toBeUndefined();
    expect(failure({ y: fitting.any }, none)?.message).toBe(
      "the model has no input 'y': it takes no tensors",
    );
  });
});
