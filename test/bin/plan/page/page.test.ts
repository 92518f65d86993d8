import type { Chart } from '../../../../bin/plan/page/charts/chart';
import { memoryText } from '../../../../bin/plan/page/charts/front-chart';
import { rateChart } from '../../../../bin/plan/page/charts/rate-chart';
import { type Section, headlines, sectionsOf } from '../../../../bin/plan/page/sections';
import { BAND, INK, MUTED, SERIES, SURFACE } from '../../../../bin/plan/page/theme';
import type { PlanReport } from '../../../../bin/plan/plan-report';
import {
  BESIDE_FRONT_REPORT,
  CONSOLIDATED_REPORT,
  FORTY_SLICES_REPORT,
  HOSTILE_REPORT,
  ONE_SLICE_REPORT,
  TRANSFORMER_REPORT,
} from '../../../support/sample-report';

const section = (report: PlanReport, id: string): Section | undefined =>
  sectionsOf(report).find((each) => each.id === id);

/** The series of a chart, and their data as they are drawn. */
function seriesOf(chart: Chart | undefined, width = 800) {
  return [chart?.option(width).series ?? []].flat() as unknown as readonly {
    readonly name: string;
    readonly data: unknown;
    readonly markArea?: { readonly data: readonly (readonly [{ readonly name: string }, unknown])[] };
  }[];
}

function numbersIn(value: unknown): Set<number> {
  const numbers = new Set<number>();
  JSON.parse(JSON.stringify(value), (_, each: unknown) => {
    if (typeof each === 'number') numbers.add(each);
    return each;
  });
  return numbers;
}

describe.each<[string, PlanReport]>([
  ['a transformer in eight slices', TRANSFORMER_REPORT],
  ['one slice', ONE_SLICE_REPORT],
  ['forty slices', FORTY_SLICES_REPORT],
  ['hostile names', HOSTILE_REPORT],
  ['a plan beside the front', BESIDE_FRONT_REPORT],
  ['a plan with consolidation', CONSOLIDATED_REPORT],
])('the page of %s', (_, report) => {
  const sections = sectionsOf(report);
  const charts = sections.flatMap(({ chart }) => chart ?? []);
  const tables = sections.flatMap((own) => [...own.tables, ...own.folded]);
  const known = numbersIn(report);

  it('shows no number in its tables, headline and tooltips that --json does not have', () => {
    const figures = [
      ...tables.flatMap(({ rows, foot = [] }) => [...rows, ...foot].flat()),
      ...headlines(report).map(([, figure]) => figure),
      ...charts.flatMap(({ facts }) => facts.flat().flatMap(({ rows }) => rows.map(([, figure]) => figure))),
    ];
    expect(figures.length).toBeGreaterThan(100);
    expect(figures.filter((figure) => typeof figure === 'object' && !known.has(figure.value))).toEqual([]);
  });

  it('draws what --json has in windows of any width, with a tooltip for each item', () => {
    const middles = report.profile.map(({ first, last }) => (first + last + 1) / 2);
    const drawn = new Set([...known, ...middles, ...report.profile.map(({ last }) => last + 1), 0]);
    for (const { option, facts } of charts)
      for (const width of [280, 800, 1_080]) {
        const series = [option(width).series ?? []].flat();
        expect([...numbersIn(series.map(({ data }) => data))].filter((number) => !drawn.has(number))).toEqual(
          [],
        );
        facts.forEach((own, index) => {
          expect(series[index].data).toHaveLength(own.length);
        });
      }
  });

  it('has rows as long as the heads of its tables', () => {
    for (const { head, rows, foot = [] } of tables)
      for (const row of [...rows, ...foot]) expect(row).toHaveLength(head.length);
  });
});

test('the colors have a contrast of 4.5 for text, and of 3 for what is drawn', () => {
  /** Relative luminance: https://www.w3.org/TR/WCAG22/#dfn-relative-luminance. */
  const luminance = (color: string): number => {
    const [red, green, blue] = [1, 3, 5].map((start) => {
      const channel = parseInt(color.slice(start, start + 2), 16) / 255;
      return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const contrast = (dark: string, light: string) => (luminance(light) + 0.05) / (luminance(dark) + 0.05);
  for (const text of [INK, MUTED])
    for (const ground of [SURFACE, BAND]) expect(contrast(text, ground)).toBeGreaterThan(4.5);
  for (const color of SERIES) expect(contrast(color, SURFACE)).toBeGreaterThan(3);
});

test('the chart of the profile names as many slices as there is room for', () => {
  const { chart } = section(FORTY_SLICES_REPORT, 'slices') ?? {};
  const names = (width: number) =>
    seriesOf(chart, width)
      .flatMap(({ markArea }) => markArea?.data.map(([{ name }]) => name) ?? [])
      .slice(0, 40)
      .filter((name) => name !== '');
  expect(names(1_040)).toHaveLength(40);
  expect(names(335)).toEqual(Array.from({ length: 14 }, (_, index) => String(index * 3)));
});

test('the chart of request rates has the services that can run the model, without zeros', () => {
  const { alternatives } = TRANSFORMER_REPORT;
  const free = { ...alternatives[0], monthly: [{ requestsPerHour: 0, size: '', dollars: 0 }] };
  const series = seriesOf(rateChart([free, ...alternatives.slice(1)]));
  expect(series.map(({ name }) => name)).toEqual(['slices', 'one Lambda function', 'Fargate']);
  expect(series[0].data).toEqual(['-']);
});

test('services that are out have their reasons, and one slice has no cuts', () => {
  expect(section(TRANSFORMER_REPORT, 'services')?.notes).toContainEqual({
    name: 'a large function is out',
    sentences: ['The model needs 12,400 MB.', 'A call may take at most 900 s.'],
  });
  const folded = [TRANSFORMER_REPORT, ONE_SLICE_REPORT].map(
    (report) => section(report, 'slices')?.folded.length,
  );
  expect(folded).toEqual([2, 1]);
});

test('a plan with consolidation shows its runs before those of the slices alone, and in the headline', () => {
  const { consolidation, run } = CONSOLIDATED_REPORT;
  const cost = section(CONSOLIDATED_REPORT, 'cost');
  expect(cost?.tables.slice(0, 2).map(({ caption, rows }) => [caption, rows[0][1]])).toEqual([
    ['A run, consolidated', { kind: 'dollars', value: consolidation?.run.warm.dollarsPerMillion }],
    ['A run of the slices alone', { kind: 'dollars', value: run.warm.dollarsPerMillion }],
  ]);
  expect(cost?.text).toContain('with the whole model');
  expect(headlines(CONSOLIDATED_REPORT)).toEqual(
    expect.arrayContaining([
      ['warm run, p50', { kind: 'milliseconds', value: consolidation?.run.warm.p50 }],
      ['largest function', { kind: 'megabytes', value: consolidation?.memoryMb }],
    ]),
  );
});

test('the plan is one of the front, or beside it', () => {
  const names = (report: PlanReport) => section(report, 'front')?.folded[0].rows.map(([name]) => name);
  expect(names(TRANSFORMER_REPORT)).toEqual(['plan 1', 'this plan', 'plan 3']);
  expect(names(BESIDE_FRONT_REPORT)).toEqual(['plan 1', 'plan 2', 'this plan']);
  expect(section(BESIDE_FRONT_REPORT, 'front')?.text).toContain('This plan is beside the front');
});

test('the memory of functions has runs of equal sizes once', () => {
  expect(memoryText([512, 512, 1_024, 512])).toBe('2 × 512 MB, 1,024 MB, 512 MB');
});
