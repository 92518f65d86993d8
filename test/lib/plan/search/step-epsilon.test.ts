/** A search that drops partial plans which are better by a share: how much worse its plans are than the best ones. */
import type { RunCost } from '../../../../lib/cost/cost-model';
import { bestPath } from '../../../../lib/plan/search/label-setting';
import type { Minimize } from '../../../../lib/plan/goal';
import { readFreshFilesAtOnce } from '../../../support/inference/fast-analysis';
import { graphOf, randomPlanCases } from '../../../support/random-plan-cases';

readFreshFilesAtOnce();

/** Much larger than the search's own share, so that it drops best plans of small graphs too. */
const SHARE = 0.2;

const cases = randomPlanCases(60, 12, 21).map((each) => ({ ...each, graph: graphOf(each) }));

/** By case that has a plan: how many times worse the plan is than the best one, and the slices of the best one. */
function compareWithBest(minimize: Minimize, figure: (cost: RunCost) => number) {
  return cases.flatMap(({ graph, request }) => {
    const own = { ...request, minimize };
    const [best, near] = [bestPath(graph, own), bestPath(graph, { ...own, stepEpsilon: SHARE })];
    if (best === undefined || near === undefined) {
      expect(near).toEqual(best);
      return [];
    }
    return [{ ratio: figure(near.cost) / figure(best.cost), slices: best.label.slices }];
  });
}

describe('if each slice may be a fifth worse', () => {
  test.each<[Minimize, (cost: RunCost) => number]>([
    ['cost', ({ dollars }) => dollars],
    ['latency', ({ latency }) => latency.p50],
  ])(
    'the plan with the least %s is worse by at most a fifth for each slice of the best plan',
    (...objective) => {
      const compared = compareWithBest(...objective);

      expect(compared.length).toBeGreaterThan(cases.length / 2);
      for (const { ratio, slices } of compared) {
        expect(ratio).toBeGreaterThan(1 - 1e-9);
        expect(ratio).toBeLessThan((1 + SHARE) ** slices);
      }
    },
  );

  test('some plans cost more than the best ones, so the share has an effect', () => {
    const compared = compareWithBest('cost', ({ dollars }) => dollars);

    expect(compared.filter(({ ratio }) => ratio > 1 + 1e-9)).not.toHaveLength(0);
  });
});
