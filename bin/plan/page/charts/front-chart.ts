/** The Pareto front: plans that no other plan beats in both price and latency. */
import type { LineSeriesOption } from 'echarts/charts';
import { TIME_UNITS, quantity, unitFor } from '../../figures';
import type { FrontPoint, ParetoFront } from '../../plan-report';
import { memoryText } from '../tables';
import type { Theme } from '../theme';
import {
  type Chart,
  type Facts,
  dollarStyle,
  gridChart,
  largest,
  lineSeries,
  linearAxis,
  nameAbove,
  nameBelow,
} from './chart';

const QUANTILES = ['p50', 'p95'] as const;
/** After those of the quantiles: the plans with as many slices as the user asked for. */
const COUNTED_SERIES = QUANTILES.length;
const QUANTILE_LABELS = { p50: 'half of the runs (p50)', p95: '95 of 100 runs (p95)' };

export function frontChart(front: ParetoFront): Chart {
  const { points, plan, chosen, counted, temperature, quantile: ofFront } = front;
  const others = counted?.points ?? [];
  const max = largest([...points, ...others, plan].flatMap(({ p50, p95 }) => [p50, p95]));
  const unit = unitFor(max, TIME_UNITS);
  const isBeside = chosen === undefined;
  return gridChart({
    label: `The price and the latency of ${points.length} plans that no other plan beats in both, and of this plan, for ${temperature} runs.`,
    height: 330,
    legend: [
      ...QUANTILES.map((quantile, series) => ({
        label: QUANTILE_LABELS[quantile],
        mark: quantile === ofFront ? ('line' as const) : ('point' as const),
        series,
      })),
      ...(others.length > 0
        ? [{ label: `${slicesOf(plan)}, ${ofFront}`, mark: 'line' as const, series: COUNTED_SERIES }]
        : []),
      { label: 'this plan', mark: 'point', series: 'accent' },
    ],
    margins: (isNarrow) => ({ left: isNarrow ? 52 : 66, right: 24, top: 34, bottom: 50 }),
    xAxis: (theme) => ({ ...linearAxis(theme, max, unit), ...nameBelow(`time of a run, ${unit.name}`) }),
    yAxis: (theme, { left }) => ({
      ...dollarStyle(theme),
      ...nameAbove(theme, 'dollars for a million runs', left),
      ...{ type: 'value', min: 0 },
    }),
    series: (theme) => seriesOf(front, others, theme),
    facts: ({ seriesIndex, dataIndex }) => {
      if (seriesIndex === COUNTED_SERIES && others.length > 0)
        return factsOf(
          others.at(dataIndex),
          dataIndex === counted?.chosen ? 'This plan' : `A plan with ${slicesOf(plan)}`,
        );
      const isPlan = seriesIndex >= COUNTED_SERIES || dataIndex === chosen;
      return isPlan ? factsOf(plan, 'This plan') : factsOf(points.at(dataIndex), `Plan ${dataIndex + 1}`);
    },
    stops: [
      ...points.map((_, dataIndex) => ({ seriesIndex: 0, dataIndex })),
      ...others.map((_, dataIndex) => ({ seriesIndex: COUNTED_SERIES, dataIndex })),
      ...(isBeside ? [{ seriesIndex: COUNTED_SERIES + (others.length > 0 ? 1 : 0), dataIndex: 0 }] : []),
    ],
  });
}

function seriesOf(
  { points, plan, chosen, quantile: ofFront }: ParetoFront,
  others: readonly FrontPoint[],
  theme: Theme,
): LineSeriesOption[] {
  const place = (point: FrontPoint, quantile: 'p50' | 'p95') => [point[quantile], point.dollarsPerMillion];
  const ofPlan = {
    ...{ symbol: 'diamond', symbolSize: 18 },
    itemStyle: { color: theme.accent, borderColor: theme.surface, borderWidth: 2 },
  };
  // Only the quantile of the front falls with the price, so the points of the other one are not joined.
  const ofQuantiles = QUANTILES.map((quantile, series) =>
    lineSeries(
      theme,
      series,
      quantile,
      [quantile === ofFront ? 1.6 : 0, 8],
      points.map((point, index) => ({ value: place(point, quantile), ...(index === chosen && ofPlan) })),
    ),
  );
  const counted = others.map((point) => place(point, ofFront));
  return [
    ...ofQuantiles,
    ...(counted.length > 0 ? [lineSeries(theme, COUNTED_SERIES, 'as many slices', [1.6, 8], counted)] : []),
    ...(chosen === undefined
      ? [
          {
            ...{ type: 'line' as const, name: 'this plan', ...ofPlan, lineStyle: { width: 0 } },
            data: QUANTILES.map((quantile) => place(plan, quantile)),
          },
        ]
      : []),
  ];
}

function factsOf(point: FrontPoint | undefined, title: string): Facts | undefined {
  return (
    point && {
      title,
      rows: [
        ['slices', quantity('count', point.slices)],
        ['functions', memoryText(point.memoryMb)],
        ['threads', quantity('count', point.threads)],
        ['tensors through', point.transport],
        ['a million runs', quantity('dollars', point.dollarsPerMillion)],
        ['p50', quantity('milliseconds', point.p50)],
        ['p95', quantity('milliseconds', point.p95)],
      ],
    }
  );
}

function slicesOf({ slices }: FrontPoint): string {
  return `${slices} ${slices === 1 ? 'slice' : 'slices'}`;
}
