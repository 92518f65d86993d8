import * as fc from 'fast-check';
import { graphProfile } from '../../../bin/plan/graph-profile';
import { planCosts } from '../../../lib/compile/cuttable-graph';
import { analyzeDataflow } from '../../../lib/dataflow/dataflow';
import { type CutSpace, findCuts } from '../../../lib/plan/cuts/cuts';
import { parseModel } from '../../../lib/onnx/parse';
import { UNKNOWN_TYPE, givenType } from '../../../lib/shapes/value-types';
import { type ModelInit, mlp, saveModel } from '../../support/model-builder';
import { manyOutputs } from '../../support/command-models';
import { randomModel } from '../../support/random-graph';
import { readFreshFilesAtOnce } from '../../support/inference/fast-analysis';

readFreshFilesAtOnce();

/** Every value has 10 bytes, and every value may cross a cut. */
function cutsOf(init: ModelInit): CutSpace {
  const model = parseModel(saveModel(init));
  const bytes = model.graph.values.map(() => 10);
  const dataflow = analyzeDataflow(model);
  const types = model.graph.values.map((_, value) => givenType(model.graph, value) ?? UNKNOWN_TYPE);
  return findCuts(dataflow, () => undefined, bytes, planCosts(model, { types, planned: types }));
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);

const workOf = (nodes: number): number[] => Array.from({ length: nodes }, (_, node) => node + 1);

describe('graphProfile', () => {
  it('keeps outputs of the model alive until its end', () => {
    const profile = graphProfile({ cuts: cutsOf(manyOutputs()), starts: [], work: workOf(4) });
    // `early` and `places` are outputs; `best` and `negated` end at their only user.
    expect(profile.map(({ liveBytes }) => liveBytes)).toEqual([10, 30, 40, 40]);
  });

  it('covers each node once and knows which cuts are legal', () => {
    fc.assert(
      fc.property(randomModel, (init) => {
        const cuts = cutsOf(init);
        const profile = graphProfile({ cuts, starts: [], work: cuts.costs.work });
        expect(profile.flatMap(({ first, last }) => [first, last])).toEqual(
          cuts.dataflow.order.flatMap((_, position) => [position, position]),
        );
        for (const { last, crossingBytes, liveBytes } of profile) {
          expect(crossingBytes !== null).toBe(cuts.legal.includes(last + 1));
          expect(crossingBytes ?? 0).toBeLessThanOrEqual(liveBytes);
        }
      }),
      { numRuns: 50 },
    );
  });

  it('joins the nodes of a large graph to at most 400 stretches, and one more for each start', () => {
    const cuts = cutsOf(mlp(400));
    const starts = [1, 500, 1_199];
    const profile = graphProfile({ cuts, starts, work: cuts.costs.work });
    expect(profile.length).toBeLessThanOrEqual(403);
    expect(profile[0]).toMatchObject({ first: 0, last: 0 });
    expect(profile.map(({ first }) => first)).toEqual(expect.arrayContaining(starts));
    expect(profile.slice(1).every(({ first }, index) => first === profile[index].last + 1)).toBe(true);
    expect(profile.at(-1)?.last).toBe(1_199);
    expect(sum(profile.map(({ weightBytes }) => weightBytes))).toBe(400 * (1_024 + 64));
  });
});
