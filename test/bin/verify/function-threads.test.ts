/** The threads of `verify --function` are those of the memory that the construct deploys, which may be more than the least one. */
import { verify } from '../../../bin/verify/run-both';
import type * as planned from '../../../lib/compile/plan-estimates';
import { count } from '../../../lib/plan/slicers';
import { mlp, saveModel } from '../../support/model-builder';

jest.mock('../../../lib/compile/plan-estimates', () => {
  const actual = jest.requireActual<typeof planned>('../../../lib/compile/plan-estimates');
  const planEstimates: typeof planned.planEstimates = (...args) => {
    const own = actual.planEstimates(...args);
    return { ...own, oneFunction: { ...own.oneFunction, memoryMb: 3008 } };
  };
  return { ...actual, planEstimates };
});

// 3,008 MB have 1.7 vCPUs.
it.each([
  [true, 2],
  [false, 1],
])('with isFunction %s, a model whose function gets 3,008 MB has %d threads', async (isFunction, threads) => {
  const result = await verify(saveModel(mlp(2)), {
    ...{ slicer: count(1), dimensions: {}, optimization: 'none', isFunction, seed: 0 },
    onStep: () => undefined,
  });
  expect(result).toMatchObject({ identical: true, threads });
});
