/** Operators are split if no cut keeps the limit of a slice without it, and never otherwise. */
import { analyzeModel } from '../../../lib/compile/analyze';
import type { SplitOptions } from '../../../lib/compile/splitting';
import { compileAnalyzed } from '../../../lib/compile/compile';
import { automatic, count, maxSliceSize } from '../../../lib/plan/slicers';
import type { Slicer } from '../../../lib/plan/slicers';
import { scheduleSlices } from '../../../lib/plan/schedule/schedule';
import { fromPlan } from '../../../lib/plan/slicers';
import { INT64, floats, modelOf, node, saveModel } from '../../support/model-builder';
import { expectSameBits, runSlices, runWhole } from '../../support/run-slices';
import { int64 } from '../../support/tensors';

const KIB = 1024;

/** An embedding of 1,024 KiB, a layer of 16 KiB, and a projection to the vocabulary of 1,024 KiB with the transposed table. */
const init = modelOf(
  [
    node('Gather', ['table', 'ids'], ['embedded']),
    node('MatMul', ['embedded', 'layer'], ['hidden']),
    node('Relu', ['hidden'], ['active']),
    node('Transpose', ['table'], ['transposed']),
    node('MatMul', ['active', 'transposed'], ['y']),
  ],
  { ids: { type: INT64, dims: [2, 5] } },
  [floats('table', [4096, 64]), floats('layer', [64, 64])],
);
const file = saveModel(init);
const feeds = new Map([['ids', int64([2, 5], [0, 1, 2, 4095, -1, -4096, 7, 8, 9, 10])]]);

const planned = (slicer: Slicer, splits: SplitOptions = {}) =>
  compileAnalyzed(analyzeModel(file, { splits }), slicer);

it('splits the table and the projection, runs their parts side by side, and computes the same bits', async () => {
  const compiled = planned(maxSliceSize(300 * KIB));
  const { plan } = compiled;
  expect(plan.splits).toMatchObject([
    { operator: 'Gather', weight: 'table', axis: 'columns', weightBytes: 1024 * KIB },
    { operator: 'MatMul', weight: 'table', axis: 'columns' },
  ]);
  expect(Math.max(...plan.slices.map(({ weightBytes }) => weightBytes))).toBeLessThanOrEqual(300 * KIB);
  expect(scheduleSlices(plan).some(({ kind }) => kind === 'parallel')).toBe(true);
  expectSameBits(await runSlices(compiled, feeds), await runWhole(file, feeds));
});
