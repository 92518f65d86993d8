/** Sets of partial plans: which ones a search keeps, and which may replace others that are a little better. */
import { type Label, LabelSet, START } from '../../../../lib/plan/search/label';

/** Compares the dollars of warm runs and their time. */
const BY = [({ warmDollars }: Label) => warmDollars, ({ warmMs }: Label) => warmMs];

const SHARE = 1.002;

// Plans are written as slices, dollars and milliseconds.
test.each<[what: string, slack: number, added: string, kept: number[]]>([
  ['keeps those of which none is as good as another one in everything', 1, '2 1 3, 2 3 1', [0, 1]],
  ['drops one that is no better in anything', 1, '2 1 3, 2 3 1, 2 1 3, 3 2 3', [0, 1]],
  ['replaces earlier ones by one that is as good in everything', 1, '2 1 3, 2 3 1, 2 1 1', [2]],
  ['keeps one that is better by a hundred thousandth', 1, '2 1 3, 2 1 2.99997', [1]],
  ['drops a later one that is better by less in money', SHARE, '2 1 1, 2 0.9985 1', [0]],
  ['drops a later one that is better by less in time', SHARE, '2 1 1, 2 1 0.9985', [0]],
  ['drops a later one that is better by less in both', SHARE, '2 1 1, 2 0.9985 0.9985', [0]],
  ['drops one that is better by less and has more slices', SHARE, '2 1 1, 3 0.9985 1', [0]],
  ['keeps a later one that is better by more in money', SHARE, '2 1 1, 2 0.997 1', [1]],
  ['keeps one better by more in time, and worse in money', SHARE, '2 1 1, 2 5 0.997', [0, 1]],
  ['keeps a later one that has fewer slices', SHARE, '2 1 1, 1 1.001 1.001', [0, 1]],
  ['does not drop an earlier one that is better by less', SHARE, '2 1 1, 2 0.9 1.001', [0, 1]],
])('a set of partial plans %s', (_, slack, added, kept) => {
  const set = new LabelSet(BY, slack);
  const labels = added.split(', ').map((plan) => {
    const [slices, warmDollars, warmMs] = plan.split(' ').map(Number);
    return { ...START, slices, warmDollars, warmMs };
  });
  for (const label of labels) set.add(label);
  expect(set.labels).toEqual(kept.map((index) => labels[index]));
});
