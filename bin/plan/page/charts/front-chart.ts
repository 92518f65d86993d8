/** The Pareto front: plans that no other plan beats in both price and latency. */
import type { LineSeriesOption } from 'echarts/charts';
import type { FrontPoint, ParetoFront } from '../../plan-report';
import { TIME_UNITS, quantity, unitFor } from '../../figures';
import type { Theme } from '../theme';
import { colorOf, dashOf, symbolOf } from '../theme';
import { memoryText } from '../tables';
import type { Chart } from './chart';
import {
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
const QUANTILE_LABELS = { p50: 'half of the runs (p50)', p95: '95 of 100 runs (p95)' };

export function frontChart({ points, chosen, temperature }: ParetoFront): Chart {
  const max = points.reduce((largest, { p50, p95 }) => Math.max(largest, p50, p95), 0);
  const unit = unitFor(max, TIME_UNITS);
  return {
    label: `The price and the latency of ${points.length} plans that no other plan beats in both, for ${temperature} runs.`,
    height: 330,
    legend: [
      ...QUANTILES.map((quantile, series) => ({
        label: QUANTILE_LABELS[quantile],
        mark: 'line' as const,
        series,
      })),
      ...(chosen === undefined
        ? []
        : [{ label: 'this plan', mark: 'point' as const, series: 'accent' as const }]),
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
        series: QUANTILES.map((quantile, index) =>
          quantileSeries({ points, chosen, quantile, index, theme }),
        ),
      };
    },
    facts: ({ dataIndex }) => {
      const point = points.at(dataIndex);
      if (point === undefined) return undefined;
      return {
        title: dataIndex === chosen ? 'This plan' : `Plan ${dataIndex}`,
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
    },
    stops: points.map((_, dataIndex) => ({ seriesIndex: 0, dataIndex })),
  };
}

function quantileSeries({
  points,
  chosen,
  quantile,
  index,
  theme,
}: {
  points: readonly FrontPoint[];
  chosen: number | undefined;
  quantile: (typeof QUANTILES)[number];
  index: number;
  theme: Theme;
}): LineSeriesOption {
  const color = colorOf(theme, index);
  return {
    type: 'line',
    name: quantile,
    symbol: symbolOf(index),
    symbolSize: 8,
    showAllSymbol: true,
    lineStyle: { color, width: 1.6, type: [...dashOf(index)] },
    itemStyle: { color },
    data: points.map((point, place) => ({
      value: [point[quantile], point.dollarsPerMillion],
      ...(place === chosen && {
        symbol: 'diamond',
        symbolSize: 18,
        itemStyle: { color: theme.accent, borderColor: theme.surface, borderWidth: 2 },
      }),
    })),
  };
}
