import { costChart } from '../../../../bin/plan/page/charts/cost-chart';
import { frontChart } from '../../../../bin/plan/page/charts/front-chart';
import { profileChart, sliceAt } from '../../../../bin/plan/page/charts/profile-chart';
import { rateChart } from '../../../../bin/plan/page/charts/rate-chart';
import { timelineChart } from '../../../../bin/plan/page/charts/timeline-chart';
import type { Chart } from '../../../../bin/plan/page/charts/chart';
import { DARK, LIGHT } from '../../../../bin/plan/page/theme';
import { BESIDE_FRONT_REPORT, FORTY_SLICES_REPORT, TRANSFORMER_REPORT } from '../../../support/sample-report';

/** Relative luminance: https://www.w3.org/TR/WCAG22/#dfn-relative-luminance. */
function luminance(color: string): number {
  const [red, green, blue] = [1, 3, 5].map((start) => {
    const channel = parseInt(color.slice(start, start + 2), 16) / 255;
    return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(a: string, b: string): number {
  const [light, dark] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (light + 0.05) / (dark + 0.05);
}

/** What a test looks at of a series. */
interface Series {
  readonly name: string;
  readonly data: readonly { readonly symbol?: string }[];
  readonly markArea: { readonly data: [{ name: string; label: { show: boolean } }, unknown][] };
}

const seriesOf = (chart: Chart, width = 800): Series[] =>
  chart.option(LIGHT, width).series as unknown as Series[];

test.each([
  ['light', LIGHT],
  ['dark', DARK],
])('the %s theme has a contrast of 4.5 for text, and of 3 for what is drawn', (_, theme) => {
  for (const text of [theme.ink, theme.muted])
    for (const ground of [theme.surface, theme.band]) expect(contrast(text, ground)).toBeGreaterThan(4.5);
  for (const color of [...theme.series, theme.accent])
    expect(contrast(color, theme.surface)).toBeGreaterThan(3);
});

describe('the chart of the profile', () => {
  it('names as many slices as there is room for', () => {
    const names = (width: number): string[] => {
      const [, , , bands] = seriesOf(profileChart(FORTY_SLICES_REPORT), width);
      return bands.markArea.data.map(([{ name }]) => name).filter((name) => name !== '');
    };
    expect(names(1_040)).toHaveLength(40);
    expect(names(335)).toEqual(Array.from({ length: 14 }, (_, index) => String(index * 3)));
  });

  it('knows the slice of each position', () => {
    const slices = [0, 38, 39, 311, 312].map((at) => sliceAt(TRANSFORMER_REPORT.slices, at)?.slice);
    expect(slices).toEqual([0, 0, 1, 7, undefined]);
  });

  it('draws an empty graph', () => {
    const chart = profileChart({ ...TRANSFORMER_REPORT, profile: [], slices: [], cuts: [] });
    expect(chart.stops).toEqual([]);
    expect(chart.facts({ seriesIndex: 0, dataIndex: 0 })).toBeUndefined();
    expect(seriesOf(chart)).toHaveLength(6);
  });
});

describe('the chart of the front', () => {
  const { front } = TRANSFORMER_REPORT;

  it('marks the chosen plan, on an axis from 0 to a round number of seconds', () => {
    const marked = seriesOf(frontChart(front)).map(({ data }) =>
      data.flatMap(({ symbol }, index) => (symbol === 'diamond' ? [index] : [])),
    );
    expect(marked).toEqual([[front.chosen], [front.chosen]]);
    expect(frontChart(front).option(LIGHT, 800).xAxis).toMatchObject({ min: 0, max: 4_000, interval: 1_000 });
  });

  it('draws a plan beside the front at both quantiles', () => {
    const { plan } = BESIDE_FRONT_REPORT.front;
    const drawn = seriesOf(frontChart(BESIDE_FRONT_REPORT.front)).find(({ name }) => name === 'this plan');
    expect(drawn?.data).toEqual([plan.p50, plan.p95].map((ms) => [ms, plan.dollarsPerMillion]));
  });
});

describe('the chart of request rates', () => {
  const { alternatives, cheapest } = TRANSFORMER_REPORT;

  it('draws the services that can run the model, without zeros', () => {
    const free = { ...alternatives[0], monthly: [{ requestsPerHour: 0, size: '', dollars: 0 }] };
    const series = seriesOf(rateChart([free, ...alternatives.slice(1)], cheapest));
    expect(series.map(({ name }) => name)).toEqual(['slices', 'one Lambda function', 'Fargate']);
    expect(series[0].data).toEqual(['-']);
  });

  it('marks the rates at which each service is the cheapest, and names them if there is room', () => {
    const shown = (width: number) =>
      seriesOf(rateChart(alternatives, cheapest), width)[0].markArea.data.map(([{ name, label }]) => [
        name,
        label.show,
      ]);
    const names = cheapest.map(({ service }) => service);
    expect(shown(1_000)).toEqual(names.map((name) => [name, true]));
    expect(shown(335)).toEqual(names.map((name, index) => [name, index < 2]));
  });

  it('has decades around all rates and prices', () => {
    expect(rateChart(alternatives, cheapest).option(LIGHT, 800)).toMatchObject({
      xAxis: { type: 'log', min: 1, max: 100_000 },
      yAxis: { type: 'log', min: 0.1, max: 10_000 },
    });
    expect(rateChart([], []).option(LIGHT, 800)).toMatchObject({ xAxis: { min: 1, max: 10 } });
  });
});

test('the chart of costs stacks one bar for each item', () => {
  const { costPerMillion, run } = TRANSFORMER_REPORT;
  expect(seriesOf(costChart(costPerMillion, run)).map(({ data }) => data)).toEqual(
    costPerMillion.map(({ warm, mixed, cold }) => [warm, mixed, cold]),
  );
});

test('the timeline of a run has a row for each slice and a legend of what happens', () => {
  const { timelines } = TRANSFORMER_REPORT;
  const [warm, cold] = [timelineChart('warm', timelines.warm), timelineChart('cold', timelines.cold)];
  expect(warm.legend.map(({ label }) => label)).not.toContain('loads weights');
  expect(cold.legend.map(({ label }) => label)).toContain('loads weights');
  const rows = ['state machine', ...Array.from({ length: 8 }, (_, slice) => `slice ${slice}`)];
  expect(cold.option(LIGHT, 800).yAxis).toMatchObject({ data: rows });
});
