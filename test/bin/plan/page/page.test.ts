import { type Section, sectionsOf } from '../../../../bin/plan/page/sections';
import { atRate, figureText, runFigure } from '../../../../bin/plan/figures';
import type { PlanReport } from '../../../../bin/plan/plan-report';
import { count } from '../../../../lib/plan/slicers';
import { analyzeFast } from '../../../support/inference/fast-analysis';
import { mlp, saveModel } from '../../../support/model-builder';
import { hostileReport, realReport } from '../../../support/real-report';

analyzeFast();

const model = saveModel(mlp(40));
const SLICED = realReport(model, count(8));
const ONE_SLICE = realReport(model, count(1));
const CONSOLIDATED = realReport(model, count(4), {}, {}, 'always');

const section = (report: PlanReport, id: string): Section | undefined =>
  sectionsOf(report).find((each) => each.id === id);

function numbersIn(value: unknown): Set<number> {
  const numbers = new Set<number>();
  JSON.parse(JSON.stringify(value), (_, each: unknown) => {
    if (typeof each === 'number') numbers.add(each);
    return each;
  });
  return numbers;
}

describe.each<[string, PlanReport]>([
  ['eight slices', SLICED],
  ['one slice', ONE_SLICE],
  ['hostile names', hostileReport()],
  ['a plan with consolidation', CONSOLIDATED],
])('the page of %s', (_, report) => {
  const sections = sectionsOf(report);
  const tables = sections.flatMap((own) => own.tables);
  const known = numbersIn(report);

  it('shows no number in its tables that --json does not have', () => {
    const figures = tables.flatMap(({ rows, foot = [] }) => [...rows, ...foot].flat());
    expect(figures.length).toBeGreaterThan(100);
    expect(figures.filter((figure) => typeof figure === 'object' && !known.has(figure.value))).toEqual([]);
  });

  it('has every figure of the verdict in the table of services', () => {
    const [alternatives] = section(report, 'services')?.tables ?? [];
    const cells = alternatives.rows.flat().map(figureText).join(' | ');
    const [verdict] = report.verdict;
    const figures: readonly string[] = verdict.match(/\$[\d.,]*\d|[\d.,]+ (?:ms|s|MB)\b/g) ?? [];
    expect(figures.length).toBeGreaterThanOrEqual(8);
    expect(figures.filter((figure) => !cells.includes(figure))).toEqual([]);
    expect(section(report, 'services')?.text).toContain(atRate(report.requests));
    expect(verdict).toContain(atRate(report.requests));
  });

  it('has rows as long as the heads of its tables', () => {
    for (const { head, rows, foot = [] } of tables)
      for (const row of [...rows, ...foot]) expect(row).toHaveLength(head.length);
  });
});

test('services that are out have their reasons, and one slice has no cuts', () => {
  const [first, second, ...others] = ONE_SLICE.alternatives;
  const out = { ...second, breaks: ['A request may have at most 4 MB.'], notes: [] };
  const alternatives = [first, out, ...others];
  expect(section({ ...ONE_SLICE, alternatives }, 'services')?.notes).toContainEqual({
    name: `${second.service} is out`,
    sentences: out.breaks,
  });
  const tables = [SLICED, ONE_SLICE].map((report) => section(report, 'slices')?.tables.length);
  expect(tables).toEqual([2, 1]);
});

test('a plan with consolidation shows its runs before those of the slices alone', () => {
  const { consolidation, run } = CONSOLIDATED;
  const cost = section(CONSOLIDATED, 'cost');
  expect(cost?.tables.slice(0, 2).map(({ caption, rows }) => [caption, rows[0][1]])).toEqual([
    ['A run, consolidated', consolidation && runFigure(consolidation.run.warm, 'dollarsPerMillion')],
    ['A run of the slices alone', runFigure(run.warm, 'dollarsPerMillion')],
  ]);
  expect(cost?.text).toContain('with the whole model');
});
