/** Sets of partial plans: which ones a search keeps, and which may replace others that are a little better. */
import { type Label, LabelSet, START } from '../../../../lib/plan/search/label';

/** Compares the dollars of warm runs and their time. */
const BY = [({ warmDollars }: Label) => warmDollars, ({ warmMs }: Label) => warmMs];

function plan(slices: number, warmDollars: number, warmMs: number): Label {
  return { ...START, slices, warmDollars, warmMs };
}

/** What is left of the plans after they were added one after the other. */
function kept(plans: readonly Label[], slack: number): readonly Label[] {
  const set = new LabelSet(BY, slack);
  for (const each of plans) set.add(each);
  return set.labels;
}

describe('without a share, a set of partial plans', () => {
  const [cheap, fast] = [plan(2, 1, 3), plan(2, 3, 1)];

  it('keeps those of which none is at least as good as another one in everything', () => {
    expect(kept([cheap, fast], 1)).toEqual([cheap, fast]);
  });

  it('drops one that is no better than an earlier one in anything', () => {
    expect(kept([cheap, fast, plan(2, 1, 3), plan(3, 2, 3)], 1)).toEqual([cheap, fast]);
  });

  it('replaces earlier ones by one that is at least as good in everything', () => {
    const better = plan(2, 1, 1);
    expect(kept([cheap, fast, better], 1)).toEqual([better]);
  });

  it('keeps one that is better by a hundred thousandth', () => {
    const better = plan(2, 1, 3 * (1 - 1e-5));
    expect(kept([cheap, better], 1)).toEqual([better]);
  });
});

describe('with a share of 2 per mille, a set of partial plans', () => {
  const SLACK = 1.002;
  const first = plan(2, 1, 1);

  test.each([
    ['in money', plan(2, 0.9985, 1)],
    ['in time', plan(2, 1, 0.9985)],
    ['in both', plan(2, 0.9985, 0.9985)],
    ['in money, and has more slices', plan(3, 0.9985, 1)],
  ])('drops a later one that is better by less %s', (_, better) => {
    expect(kept([first, better], SLACK)).toEqual([first]);
  });

  test.each([
    ['is better by more in money', plan(2, 0.997, 1), []],
    ['is better by more in time, and worse in money', plan(2, 5, 0.997), [first]],
    ['has fewer slices', plan(1, 1.001, 1.001), [first]],
  ])('keeps a later one that %s', (_, better, others) => {
    expect(kept([first, better], SLACK)).toEqual([...others, better]);
  });

  it('does not drop an earlier one that is better by less', () => {
    const later = plan(2, 0.9, 1.001);
    expect(kept([first, later], SLACK)).toEqual([first, later]);
  });
});
