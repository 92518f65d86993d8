/** The Pareto front: plans that no other plan beats in both price and latency. */
import type { LineSeriesOption } from 'echarts/charts';
import type { FrontPoint, ParetoFront } from '../../plan-report';
import { TIME_UNITS, quantity, unitFor } from '../../figures';
import { type Theme, colorOf, dashOf, symbolOf } from '../theme';
import { memoryText } from '../tables';
import {
  type Chart,
  type Facts,
  WHOLE_GRID,
  axisStyle,
  baseOption,
  dollarTick,
  isNarrow,
  linearAxis,
  nameAbove,
  nameBelow,
} from './chart';

const QUANTILES = ['p50', 'p95'] as const;
/** After those of the quantiles: the plans with as many slices as the user asked for. */
const COUNTED_SERIES = QUANTILES.length;
const QUANTILE_LABELS = { p50: 'half of the runs (p50)', p95: '95 of 100 runs (p95)' };

export function frontChart(front: ParetoFront): Chart {
  const { points, plan, chosen, counted, temperature } = front;
  const others = counted?.points ?? [];
  const drawn = [...points, ...others, plan];
  const max = drawn.reduce((largest, { p50, p95 }) => Math.max(largest, p50, p95), 0);
  const unit = unitFor(max, TIME_UNITS);
  const beside = chosen === undefined ? plan : undefined;
  return {
    label: `The price and the latency of ${points.length} plans that no other plan beats in both, and of this plan, for ${temperature} runs.`,
    height: 330,
    legend: [
      ...QUANTILES.map((quantile, series) => ({
        label: QUANTILE_LABELS[quantile],
        mark: quantile === front.quantile ? ('line' as const) : ('point' as const),
        series,
      })),
      ...(others.length > 0
        ? [{ label: `${slicesOf(plan)}, ${front.quantile}`, mark: 'line' as const, series: COUNTED_SERIES }]
        : []),
      { label: 'this plan', mark: 'point' as const, series: 'accent' as const },
    ],
    trigger: 'item',
    option: (theme, width) => {
      const left = isNarrow(width) ? 52 : 66;
      return {
        ...baseOption(theme),
        grid: { ...WHOLE_GRID, left, right: 24, top: 34, bottom: 50 },
        xAxis: { ...linearAxis(theme, max, unit), ...nameBelow(`time of a run, ${unit.name}`) },
        yAxis: {
          ...axisStyle(theme),
          ...nameAbove(theme, 'dollars for a million runs', left),
          type: 'value',
          min: 0,
          axisLabel: { ...axisStyle(theme).axisLabel, formatter: dollarTick },
        },
        series: [
          ...QUANTILES.map((quantile) => quantileSeries(front, quantile, theme)),
          ...(others.length > 0 ? [countedSeries(others, front.quantile, theme)] : []),
          ...(beside === undefined ? [] : [planSeries(beside, theme)]),
        ],
      };
    },
    facts: ({ seriesIndex, dataIndex }) => factsAt(front, seriesIndex, dataIndex),
    stops: [
      ...points.map((_, dataIndex) => ({ seriesIndex: 0, dataIndex })),
      ...others.map((_, dataIndex) => ({ seriesIndex: COUNTED_SERIES, dataIndex })),
      ...(beside === undefined
        ? []
        : [{ seriesIndex: COUNTED_SERIES + (others.length > 0 ? 1 : 0), dataIndex: 0 }]),
    ],
  };
}

function factsAt(front: ParetoFront, seriesIndex: number, dataIndex: number): Facts | undefined {
  const { points, plan, chosen, counted } = front;
  const others = counted?.points ?? [];
  if (seriesIndex === COUNTED_SERIES && others.length > 0) {
    const point = others.at(dataIndex);
    const title = dataIndex === counted?.chosen ? 'This plan' : `A plan with ${slicesOf(plan)}`;
    return point && factsOf(point, title);
  }
  const isPlan = seriesIndex >= COUNTED_SERIES || dataIndex === chosen;
  const point = isPlan ? plan : points.at(dataIndex);
  return point && factsOf(point, isPlan ? 'This plan' : `Plan ${dataIndex + 1}`);
}

function factsOf(point: FrontPoint, title: string): Facts {
  return {
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
  };
}

function slicesOf({ slices }: FrontPoint): string {
  return `${slices} ${slices === 1 ? 'slice' : 'slices'}`;
}

/** Plans with the same number of slices, at the quantile of the front. */
function countedSeries(
  points: readonly FrontPoint[],
  quantile: ParetoFront['quantile'],
  theme: Theme,
): LineSeriesOption {
  const color = colorOf(theme, COUNTED_SERIES);
  return {
    type: 'line',
    name: 'as many slices',
    symbol: symbolOf(COUNTED_SERIES),
    symbolSize: 8,
    showAllSymbol: true,
    lineStyle: { color, width: 1.6, type: [...dashOf(COUNTED_SERIES)] },
    itemStyle: { color },
    data: points.map((point) => [point[quantile], point.dollarsPerMillion]),
  };
}

/** The plan beside the front, at both quantiles. */
function planSeries(plan: FrontPoint, theme: Theme): LineSeriesOption {
  return {
    type: 'line',
    name: 'this plan',
    ...PLAN_MARK,
    lineStyle: { width: 0 },
    itemStyle: planStyle(theme),
    data: QUANTILES.map((quantile) => [plan[quantile], plan.dollarsPerMillion]),
  };
}

const PLAN_MARK = { symbol: 'diamond', symbolSize: 18 } as const;

function planStyle(theme: Theme) {
  return { color: theme.accent, borderColor: theme.surface, borderWidth: 2 };
}

/** Only the quantile of the front falls with the price, so the points of the other one are not joined. */
function quantileSeries(
  { points, chosen, quantile: ofFront }: ParetoFront,
  quantile: (typeof QUANTILES)[number],
  theme: Theme,
): LineSeriesOption {
  const index = QUANTILES.indexOf(quantile);
  const color = colorOf(theme, index);
  return {
    type: 'line',
    name: quantile,
    symbol: symbolOf(index),
    symbolSize: 8,
    showAllSymbol: true,
    lineStyle: { color, width: quantile === ofFront ? 1.6 : 0, type: [...dashOf(index)] },
    itemStyle: { color },
    data: points.map((point, place) => ({
      value: [point[quantile], point.dollarsPerMillion],
      ...(place === chosen && {
        ...PLAN_MARK,
        itemStyle: planStyle(theme),
      }),
    })),
  };
}
