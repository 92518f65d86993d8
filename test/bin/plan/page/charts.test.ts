import { costChart } from '../../../../bin/plan/page/charts/cost-chart';
import { frontChart } from '../../../../bin/plan/page/charts/front-chart';
import { nodesOf, profileChart, sliceAt } from '../../../../bin/plan/page/charts/profile-chart';
import { rateChart } from '../../../../bin/plan/page/charts/rate-chart';
import { timelineChart } from '../../../../bin/plan/page/charts/timeline-chart';
import { memoryText } from '../../../../bin/plan/page/tables';
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

describe.each([
  ['light', LIGHT],
  ['dark', DARK],
])('the %s theme', (_, theme) => {
  it('has a contrast of 4.5 for text', () => {
    for (const text of [theme.ink, theme.muted])
      for (const ground of [theme.surface, theme.band]) expect(contrast(text, ground)).toBeGreaterThan(4.5);
  });

  it('has a contrast of 3 for what is drawn', () => {
    for (const color of [...theme.series, theme.accent])
      expect(contrast(color, theme.surface)).toBeGreaterThan(3);
  });
});

describe('the chart of the profile', () => {
  it('names as many slices as there is room for', () => {
    const names = (width: number): string[] => {
      const { series } = profileChart(FORTY_SLICES_REPORT).option(LIGHT, width);
      const [, , , bands] = series as { markArea: { data: [{ name: string }, unknown][] } }[];
      return bands.markArea.data.map(([{ name }]) => name).filter((name) => name !== '');
    };
    expect(names(1_040)).toHaveLength(40);
    expect(names(335)).toEqual(Array.from({ length: 14 }, (_, index) => String(index * 3)));
  });

  it('knows the slice of each position', () => {
    const { slices, profile } = TRANSFORMER_REPORT;
    expect([0, 38, 39, 311, 312].map((position) => sliceAt(slices, position)?.slice)).toEqual([
      0,
      0,
      1,
      7,
      undefined,
    ]);
    expect(nodesOf(profile)).toBe(312);
  });

  it('draws an empty graph', () => {
    const empty = { ...TRANSFORMER_REPORT, profile: [], slices: [], cuts: [] };
    const chart = profileChart(empty);
    expect(chart.stops).toEqual([]);
    expect(chart.facts({ seriesIndex: 0, dataIndex: 0 })).toBeUndefined();
    expect(chart.option(DARK, 400).series).toHaveLength(6);
  });
});

describe('the chart of the front', () => {
  const { front } = TRANSFORMER_REPORT;

  it('marks the chosen plan', () => {
    const { series } = frontChart(front).option(LIGHT, 800);
    const marked = (series as { data: { symbol?: string }[] }[]).map(({ data }) =>
      data.flatMap(({ symbol }, index) => (symbol === 'diamond' ? [index] : [])),
    );
    expect(marked).toEqual([[front.chosen], [front.chosen]]);
  });

  it('draws a plan beside the front at both quantiles', () => {
    const { plan } = BESIDE_FRONT_REPORT.front;
    const { series } = frontChart(BESIDE_FRONT_REPORT.front).option(LIGHT, 800);
    const drawn = (series as { name: string; data: unknown }[]).find(({ name }) => name === 'this plan');
    expect(drawn?.data).toEqual([
      [plan.p50, plan.dollarsPerMillion],
      [plan.p95, plan.dollarsPerMillion],
    ]);
  });

  it('starts ticks at 0 and ends them at a round number of seconds', () => {
    expect(frontChart(front).option(LIGHT, 800).xAxis).toMatchObject({ min: 0, max: 6_000, interval: 2_000 });
  });
});

describe('the chart of request rates', () => {
  const { alternatives, cheapest } = TRANSFORMER_REPORT;

  it('draws the services that can run the model, without zeros', () => {
    const free = { ...alternatives[0], monthly: [{ requestsPerHour: 0, size: '', dollars: 0 }] };
    const chart = rateChart([free, ...alternatives.slice(1)], cheapest);
    const { series } = chart.option(LIGHT, 800);
    expect((series as { name: string }[]).map(({ name }) => name)).toEqual(
      alternatives.filter(({ isFeasible }) => isFeasible).map(({ service }) => service),
    );
    expect((series as { data: unknown }[])[0].data).toEqual(['-']);
  });

  it('marks the rates at which each service is the cheapest, and names them if there is room', () => {
    const shown = (width: number): (readonly [string, boolean])[] => {
      const { series } = rateChart(alternatives, cheapest).option(LIGHT, width);
      const [{ markArea }] = series as {
        markArea: { data: [{ name: string; label: { show: boolean } }, unknown][] };
      }[];
      return markArea.data.map(([{ name, label }]) => [name, label.show] as const);
    };
    const names = ['slices: 8 functions', 'one Lambda function, weights from S3', 'Fargate, always on'];
    expect(shown(1_000)).toEqual(names.map((name) => [name, true]));
    expect(shown(335).map(([, show]) => show)).toEqual([false, true, true]);
  });

  it('has decades around all rates and prices', () => {
    expect(rateChart(alternatives, cheapest).option(LIGHT, 800)).toMatchObject({
      xAxis: { type: 'log', min: 1, max: 100_000 },
      yAxis: { type: 'log', min: 0.1, max: 10_000 },
    });
    expect(rateChart([], []).option(LIGHT, 800)).toMatchObject({ xAxis: { min: 1, max: 10 } });
  });
});

describe('the chart of costs', () => {
  it('stacks one bar for each item', () => {
    const { costPerMillion, run } = TRANSFORMER_REPORT;
    const { series } = costChart(costPerMillion, run).option(LIGHT, 800);
    expect((series as { data: number[] }[]).map(({ data }) => data)).toEqual(
      costPerMillion.map(({ warm, mixed, cold }) => [warm, mixed, cold]),
    );
  });
});

describe('the timeline of a run', () => {
  it('has a row for each slice and a legend of what happens', () => {
    const { timelines } = TRANSFORMER_REPORT;
    const warm = timelineChart('warm', timelines.warm);
    expect(warm.legend.map(({ label }) => label)).not.toContain('loads weights');
    const cold = timelineChart('cold', timelines.cold);
    expect(cold.legend.map(({ label }) => label)).toContain('loads weights');
    const rows = ['state machine', ...Array.from({ length: 8 }, (_, slice) => `slice ${slice}`)];
    expect(cold.option(LIGHT, 800).yAxis).toMatchObject({ data: rows });
  });
});

describe('memoryText', () => {
  it('writes runs of equal sizes once', () => {
    expect(memoryText([512, 512, 1_024, 512])).toBe('2 × 512 MB, 1,024 MB, 512 MB');
  });
});
