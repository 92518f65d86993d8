/** The Pareto front: plans that no other plan beats in both price and latency. */
import type { LineSeriesOption } from 'echarts/charts';
import { TIME_UNITS, quantity, unitFor } from '../../figures';
import type { FrontPoint, ParetoFront } from '../../plan-report';
import { INK, SURFACE, lineStyle } from '../theme';
import {
  type Chart,
  type Facts,
  BASE_OPTION,
  compactStyle,
  largest,
  legendAbove,
  linearAxis,
  nameAbove,
  nameBelow,
} from './chart';

const QUANTILES = { p50: 'half of the runs (p50)', p95: '95 of 100 runs (p95)' };
const OWN = 'this plan';

export function frontChart({ points, plan, chosen, temperature, quantile }: ParetoFront): Chart {
  const quantiles = ['p50', 'p95'] as const;
  const max = largest([...points, plan].flatMap(({ p50, p95 }) => [p50, p95]));
  const unit = unitFor(max, TIME_UNITS);
  const own: LineSeriesOption = {
    ...{ type: 'line', name: OWN, symbol: 'diamond', symbolSize: 16, lineStyle: { width: 0 } },
    itemStyle: { color: INK, borderColor: SURFACE, borderWidth: 2 },
    data: quantiles.map((each) => [plan[each], plan.dollarsPerMillion]),
  };
  const facts = points.map((point, index) => factsOf(point, index === chosen ? OWN : `plan ${index + 1}`));
  return {
    label: `The price and the latency of ${points.length} plans that no other plan beats in both, and of this plan, for ${temperature} runs.`,
    height: 330,
    trigger: 'item',
    option: (width) => ({
      ...BASE_OPTION,
      ...legendAbove([...Object.values(QUANTILES), OWN], width),
      xAxis: { ...linearAxis(max, unit), ...nameBelow(`time of a run, ${unit.name}`) },
      yAxis: {
        ...{ ...compactStyle('$'), ...nameAbove('dollars for a million runs', width) },
        ...{ type: 'value', min: 0 },
      },
      series: [
        ...quantiles.map((each, series) => ({
          // Only the quantile of the front falls with the price, so the points of the other one are not joined.
          ...{
            type: 'line' as const,
            name: QUANTILES[each],
            ...lineStyle(series, each === quantile ? 1.6 : 0),
          },
          ...{ symbolSize: 8, data: points.map((point) => [point[each], point.dollarsPerMillion]) },
        })),
        own,
      ],
    }),
    facts: [facts, facts, quantiles.map(() => factsOf(plan, OWN))],
  };
}

function factsOf({ memoryMb, ...point }: FrontPoint, title: string): Facts {
  return {
    title,
    rows: [
      ['slices', quantity('count', point.slices)],
      ['functions', memoryText(memoryMb)],
      ['threads', quantity('count', point.threads)],
      ['tensors through', point.transport],
      ['a million runs', quantity('dollars', point.dollarsPerMillion)],
      ['p50', quantity('milliseconds', point.p50)],
      ['p95', quantity('milliseconds', point.p95)],
    ],
  };
}

/** The memory of a plan's functions: each run of equal sizes once. */
export function memoryText(memoryMb: readonly number[]): string {
  const runs: { mb: number; count: number }[] = [];
  for (const mb of memoryMb) {
    const last = runs.at(-1);
    if (last?.mb === mb) last.count++;
    else runs.push({ mb, count: 1 });
  }
  return runs
    .map(({ mb, count }) => `${count > 1 ? `${count} × ` : ''}${mb.toLocaleString('en-US')} MB`)
    .join(', ');
}
