import type { Chart } from '../../../../bin/plan/page/charts/chart';
import { headlines, sectionsOf } from '../../../../bin/plan/page/sections';
import type { Table } from '../../../../bin/plan/page/tables';
import { DARK, LIGHT } from '../../../../bin/plan/page/theme';
import type { PlanReport } from '../../../../bin/plan/plan-report';
import {
  BESIDE_FRONT_REPORT,
  CONSOLIDATED_REPORT,
  FORTY_SLICES_REPORT,
  HOSTILE_REPORT,
  ONE_SLICE_REPORT,
  TRANSFORMER_REPORT,
} from '../../../support/sample-report';

const REPORTS: readonly [string, PlanReport][] = [
  ['a transformer in eight slices', TRANSFORMER_REPORT],
  ['one slice', ONE_SLICE_REPORT],
  ['forty slices', FORTY_SLICES_REPORT],
  ['hostile names', HOSTILE_REPORT],
  ['a plan beside the front', BESIDE_FRONT_REPORT],
  ['a plan with consolidation', CONSOLIDATED_REPORT],
];

const chartsOf = (report: PlanReport): Chart[] =>
  sectionsOf(report).flatMap(({ charts }) => charts.map(({ chart }) => chart));

const tablesOf = (report: PlanReport): Table[] =>
  sectionsOf(report).flatMap(({ tables, folded }) => [...tables, ...folded]);

/** All numbers of the report as `--json` prints it. */
function numbersIn(report: PlanReport): Set<number> {
  const numbers = new Set<number>();
  JSON.parse(JSON.stringify(report), (_, value: unknown) => {
    if (typeof value === 'number') numbers.add(value);
    return value;
  });
  return numbers;
}

describe.each(REPORTS)('the page of %s', (_, report) => {
  const known = numbersIn(report);

  it('shows no number in its tables, headline and tooltips that --json does not have', () => {
    // Points of the front, slices and the tensors of a cut are counted, which is no estimate.
    const { front, slices, cuts } = report;
    const counts = [front.points, slices, ...cuts.map(({ tensors }) => tensors)].flatMap((list) =>
      list.map((_one, index) => index + 1),
    );
    const facts = chartsOf(report).flatMap((chart) => chart.stops.map((stop) => chart.facts(stop)));
    expect(facts).not.toContain(undefined);
    const figures = [
      ...tablesOf(report).flatMap(({ rows, foot = [] }) => [...rows, ...foot].flat()),
      ...headlines(report).map(({ figure }) => figure),
      ...facts.flatMap((fact) => fact?.rows.map(([, figure]) => figure) ?? []),
    ];
    const all = new Set([...known, ...counts]);
    expect(figures.filter((figure) => typeof figure === 'object' && !all.has(figure.value))).toEqual([]);
  });

  it('draws heights and prices that --json has', () => {
    for (const chart of chartsOf(report)) {
      const { series } = chart.option(LIGHT, 1_000);
      const places = new Set([...report.profile.map(({ last }) => last + 1), ...report.slices.keys(), 0, 1]);
      const middles = report.profile.map(({ first, last }) => (first + last + 1) / 2);
      const rows = report.timelines.cold.keys();
      const drawn = new Set([...known, ...places, ...middles, ...rows]);
      expect(numbersOfData(series).filter((number) => !drawn.has(number))).toEqual([]);
    }
  });

  it('has an option for wide and for narrow windows in both themes', () => {
    for (const chart of chartsOf(report)) {
      for (const theme of [LIGHT, DARK])
        for (const width of [280, 335, 1_080]) expect(chart.option(theme, width).series).toBeDefined();
      expect(chart.label).not.toBe('');
      expect(chart.height).toBeGreaterThan(100);
    }
  });

  it('has rows as long as the heads of its tables', () => {
    for (const { head, rows, foot = [] } of tablesOf(report))
      for (const row of [...rows, ...foot]) expect(row).toHaveLength(head.length);
  });
});

/** The numbers in the data of series. */
function numbersOfData(series: unknown): number[] {
  return [series].flat().flatMap((each) => {
    const numbers: number[] = [];
    JSON.parse(JSON.stringify((each as { data?: unknown }).data ?? []), (key, value: unknown) => {
      if (typeof value === 'number' && !['symbolSize', 'borderWidth'].includes(key)) numbers.push(value);
      return value;
    });
    return numbers;
  });
}

test('a whole report has a section for each part; one slice has no cuts, and a service that is out a reason', () => {
  const ids = (report: PlanReport): string[] => sectionsOf(report).map(({ id }) => id);
  const all = ['slices', 'cuts', 'cost', 'front', 'services', 'timelines', 'assumptions'];
  expect(ids(TRANSFORMER_REPORT)).toEqual(all);
  expect(ids(ONE_SLICE_REPORT)).toEqual(all.filter((id) => id !== 'cuts'));
  const services = sectionsOf(TRANSFORMER_REPORT).find(({ id }) => id === 'services');
  expect(services?.notes).toContainEqual({
    name: 'SageMaker Serverless is out',
    sentences: ['A request may have at most 4 MB.', 'A run may take at most 60 s.'],
  });
});

test('a plan with consolidation shows its runs before those of the slices alone, and in the headline', () => {
  const cost = sectionsOf(CONSOLIDATED_REPORT).find(({ id }) => id === 'cost');
  const { consolidation, run } = CONSOLIDATED_REPORT;
  const prices = cost?.tables.slice(0, 2).map(({ caption, rows }) => [caption, rows[0][1]]);
  expect(prices).toEqual([
    ['A run, consolidated', { kind: 'dollars', value: consolidation?.run.warm.dollarsPerMillion }],
    ['A run of the slices alone', { kind: 'dollars', value: run.warm.dollarsPerMillion }],
  ]);
  expect(cost?.text).toContain('with the whole model');
  const figure = (label: string) =>
    headlines(CONSOLIDATED_REPORT).find((each) => each.label === label)?.figure;
  expect(figure('warm run, p50')).toMatchObject({ value: consolidation?.run.warm.p50 });
  expect(figure('largest function')).toMatchObject({ value: consolidation?.memoryMb });
});

describe('the section of the front', () => {
  const front = (report: PlanReport) => {
    const found = sectionsOf(report).find(({ id }) => id === 'front');
    if (found === undefined) throw new Error('no front');
    return found;
  };

  it('marks the plan among the points of the front', () => {
    const { folded, charts } = front(TRANSFORMER_REPORT);
    const { points, chosen } = TRANSFORMER_REPORT.front;
    expect(folded[0].rows.map(([name]) => name).indexOf('this plan')).toBe(chosen);
    expect(charts[0].chart.stops).toHaveLength(points.length);
  });

  it('has the plan as a point of its own if it is beside the front', () => {
    const { text, folded, charts } = front(BESIDE_FRONT_REPORT);
    expect(text).toContain('This plan is beside the front');
    expect(folded[0].foot?.map(([name]) => name)).toEqual(['this plan']);
    const { chart } = charts[0];
    expect(chart.stops.map((stop) => chart.facts(stop)?.title).at(-1)).toBe('This plan');
  });
});
