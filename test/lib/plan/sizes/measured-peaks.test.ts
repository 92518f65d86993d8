/** Measured activations replace the estimate of the same slice, and limit those of slices inside and around it. */
import fc from 'fast-check';
import { analyzeModel } from '../../../../lib/compile/analyze';
import { compileAnalyzed } from '../../../../lib/compile/compile';
import { count } from '../../../../lib/plan/slicers';
import type { SliceSize } from '../../../../lib/plan/sizes/estimate';
import { MeasuredPeaks } from '../../../../lib/plan/sizes/slice-sizes';
import { mlp, saveModel } from '../../../support/model-builder';
import { profileOf } from '../../../support/model-profile';

const ORDER = [10, 11, 12, 13, 14, 15];

const sized = (activationBytes: number): SliceSize => ({
  ...{ weightBytes: 1, mappedBytes: 1, bodyBytes: 0, largestBytes: 1, readBytes: 1, writeBytes: 1 },
  ...{ copiedBytes: 0, computedBytes: 1, readTensors: 1, coreSeconds: 1, nodes: 1 },
  activationBytes,
});

describe('the activations of a slice', () => {
  const peaks = new MeasuredPeaks(ORDER, [
    { nodes: [11, 12, 13], activationBytes: 100 },
    { nodes: [10, 14], activationBytes: 1 },
  ]);
  const limited = (estimate: number, start: number, end: number): number =>
    peaks.limited(sized(estimate), start, end).activationBytes;

  it('are those that were measured for the same nodes', () => {
    expect([50, 100, 200].map((estimate) => limited(estimate, 1, 4))).toEqual([100, 100, 100]);
  });

  it('are at most those of a slice that contains it', () => {
    expect([50, 200].map((estimate) => limited(estimate, 2, 4))).toEqual([50, 100]);
  });

  it('are at least those of a slice that it contains', () => {
    expect([50, 200].map((estimate) => limited(estimate, 0, 4))).toEqual([100, 200]);
  });

  it('are estimated beside measured slices, and where these are no stretch', () => {
    expect([limited(50, 3, 6), limited(500, 3, 6), limited(7, 0, 1)]).toEqual([50, 500, 7]);
  });

  it('grow with the slice if the estimates do', () => {
    const measured = fc.array(fc.tuple(fc.nat(5), fc.nat(5)), { maxLength: 4 }).map((ranges) =>
      ranges.map(([a, b]) => {
        const nodes = ORDER.slice(Math.min(a, b), Math.max(a, b) + 1);
        return { nodes, activationBytes: nodes.length * 10 };
      }),
    );
    fc.assert(
      fc.property(measured, fc.nat(4), fc.nat(100), (all, start, estimate) => {
        const own = new MeasuredPeaks(ORDER, all);
        const sizes = [1, 2, 3, 4, 5, 6]
          .filter((end) => end > start)
          .map((end) => own.limited(sized(estimate), start, end).activationBytes);
        expect(sizes).toEqual([...sizes].sort((a, b) => a - b));
      }),
    );
  });
});

test('a plan has the activations of its profile, if the sizes of dimensions are the same', () => {
  const file = saveModel(mlp(3));
  const profile = profileOf(analyzeModel(file, { dimensions: { batch: 1 } }));
  const planned = (batch: number): number => {
    const analyzed = analyzeModel(file, { dimensions: { batch }, profile: { profile, path: 'p.json' } });
    return compileAnalyzed(analyzed, count(1)).plan.slices[0].activationBytes;
  };
  expect(planned(1)).toBe(4096);
  expect(planned(2)).not.toBe(4096);
});
