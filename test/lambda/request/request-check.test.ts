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

const fitting: Record<string, TensorHead> = {
  x: { dtype: 'float32', shape: [2, 3, 48, 320] },
  mask: { dtype: 'bool', shape: [2, 9] },
  any: { dtype: 'int64', shape: [] },
};

function failure(changes: Record<string, TensorHead | undefined>): NamedFailure | undefined {
  const heads = Object.entries({ ...fitting, ...changes }).filter((entry): entry is [string, TensorHead] => {
    return entry[1] !== undefined;
  });
  try {
    checkRequest(specs, new Map(heads));
    return undefined;
  } catch (error) {
    return error as NamedFailure;
  }
}

describe('a request', () => {
  it('may have any number as a symbolic or unknown size', () => {
    expect(failure({})).toBeUndefined();
    expect(failure({ any: { dtype: 'int64', shape: [4, 5] } })).toBeUndefined();
  });

  it('may have two sizes for one name, because exporters give unrelated sizes the same name', () => {
    expect(failure({ mask: { dtype: 'bool', shape: [3, 9] } })).toBeUndefined();
  });

  it('is refused with the name of the bad tensor, the expected type and the type found', () => {
    expect(failure({ x: { dtype: 'int64', shape: [1, 3, 48, 320] } })).toMatchObject({
      name: 'InvalidInput',
      details: {
        message:
          "input 'x' expects float32[N,3,48,W], got int64[1,3,48,320]: convert it or check the input's name",
        tensor: 'x',
        expected: 'float32[N,3,48,W]',
        got: 'int64[1,3,48,320]',
      },
    });
  });

  it('is refused with the name and the type of a missing tensor, and the names of the others', () => {
    expect(failure({ mask: undefined })).toMatchObject({
      name: 'InvalidInput',
      details: {
        message: "input 'mask' bool[N,?] is missing: the request has 'x', 'any'",
        tensor: 'mask',
        expected: 'bool[N,?]',
        got: "'x', 'any'",
      },
    });
  });

  it('is refused with the name of an unknown tensor and the names that the model takes', () => {
    expect(failure({ y: { dtype: 'bool', shape: [] } })).toMatchObject({
      name: 'InvalidInput',
      details: {
        message: "the model has no input 'y': it takes 'x', 'mask', 'any'",
        tensor: 'y',
        expected: "'x', 'mask', 'any'",
      },
    });
  });

  it('is refused with the name of a tensor that overrides a fixed default', () => {
    expect(failure({ epsilon: { dtype: 'float32', shape: [] } })).toMatchObject({
      name: 'InvalidInput',
      details: {
        message: "input 'epsilon' has a default that cannot be overridden: leave it out",
        tensor: 'epsilon',
      },
    });
  });

  it('is refused with any tensor if the model has no inputs', () => {
    const heads = new Map([['y', { dtype: 'bool', shape: [] } as const]]);
    expect(() => {
      checkRequest({ request: [], fixed: [] }, heads);
    }).toThrow(/^the model has no input 'y': it takes no tensors$/);
    expect(() => {
      checkRequest({ request: [], fixed: [] }, new Map());
    }).not.toThrow();
  });

  it('is refused without tensors if the model has inputs', () => {
    expect(failure({ x: undefined, mask: undefined, any: undefined })?.message).toBe(
      "input 'x' float32[N,3,48,W] is missing: the request has no tensors",
    );
  });

  it.each<[string, Record<string, TensorHead | undefined>, string]>([
    ['another rank', { mask: { dtype: 'bool', shape: [2] } }, 'expects bool[N,?], got bool[2]'],
    ['another fixed size', { x: { dtype: 'float32', shape: [2, 1, 48, 320] } }, 'got float32[2,1,48,320]'],
    [
      'another type where the rank is unknown',
      { any: { dtype: 'int32', shape: [] } },
      'expects int64[...], got int32[]',
    ],
  ])('is refused with %s', (_, changes, message) => {
    expect(failure(changes)?.message).toContain(message);
  });
});
