/** The price of a month of every service that can run the model, by requests per hour, with logarithmic axes. */
import type { Alternative, PlanReport } from '../../plan-report';
import { quantity } from '../figures';
import type { Theme } from '../theme';
import { colorOf, dashOf, symbolOf } from '../theme';
import type { Chart } from './chart';
import { axisStyle, baseOption, isNarrow } from './chart';

type Cheapest = NonNullable<PlanReport['cheapest']>;

/** The lowest decade of a logarithmic axis when all prices are 0. */
const SMALLEST_DOLLARS = 0.01;

export function rateChart(alternatives: readonly Alternative[], cheapest: Cheapest): Chart {
  const priced = alternatives.filter(({ isFeasible, monthly }) => isFeasible && monthly.length > 0);
  const rates = priced
    .flatMap(({ monthly }) => monthly.map((point) => point.requestsPerHour))
    .filter(isPositive);
  const prices = priced.flatMap(({ monthly }) => monthly.map((point) => point.dollars)).filter(isPositive);
  return {
    label: `The price of a month of ${priced.length} services, by requests per hour.`,
    height: 360,
    legend: priced.map(({ service }, series) => ({ label: service, mark: 'line', series })),
    option: (theme, width) => ({
      ...baseOption(theme),
      tooltip: { trigger: 'item' },
      grid: { left: isNarrow(width) ? 62 : 76, right: 20, top: 40, bottom: 50 },
      xAxis: {
        ...axisStyle(theme),
        type: 'log',
        ...decades(rates, 1),
        name: 'requests per hour',
        nameLocation: 'middle',
        nameGap: 28,
        axisLabel: { ...axisStyle(theme).axisLabel, formatter: count },
      },
      yAxis: {
        ...axisStyle(theme),
        type: 'log',
        ...decades(prices, SMALLEST_DOLLARS),
        name: 'dollars a month',
        nameTextStyle: { color: theme.ink, align: 'left', padding: [0, 0, 0, isNarrow(width) ? -58 : -72] },
        axisLabel: { ...axisStyle(theme).axisLabel, formatter: (value: number) => `$${count(value)}` },
      },
      series: priced.map(({ service, monthly }, index) => ({
        type: 'line',
        name: service,
        symbol: symbolOf(index),
        symbolSize: 8,
        showAllSymbol: true,
        lineStyle: { color: colorOf(theme, index), width: 1.8, type: [...dashOf(index)] },
        itemStyle: { color: colorOf(theme, index) },
        // A logarithmic axis has no place for 0.
        data: monthly.map(({ requestsPerHour, dollars }) =>
          isPositive(requestsPerHour) && isPositive(dollars) ? [requestsPerHour, dollars] : '-',
        ),
        ...(index === 0 && { markArea: cheapestAreas(cheapest, rates, theme, isNarrow(width)) }),
      })),
    }),
    facts: ({ seriesIndex, dataIndex }) => {
      const alternative = priced.at(seriesIndex);
      const point = alternative?.monthly.at(dataIndex);
      if (alternative === undefined || point === undefined) return undefined;
      return {
        title: alternative.service,
        rows: [
          ['requests per hour', quantity('count', point.requestsPerHour)],
          ['a month', quantity('dollars', point.dollars)],
        ],
      };
    },
    stops: priced.flatMap(({ monthly }, seriesIndex) =>
      monthly.map((_, dataIndex) => ({ seriesIndex, dataIndex })),
    ),
  };
}

/** Bands over the rates at which each service is the cheapest, with its name. */
function cheapestAreas(cheapest: Cheapest, rates: readonly number[], theme: Theme, narrow: boolean): object {
  const { min, max } = decades(rates, 1);
  const inside = cheapest
    .map(({ from, service }, index) => ({
      service,
      from: Math.max(min, from),
      to: Math.min(max, cheapest.at(index + 1)?.from ?? max),
    }))
    .filter(({ from, to }) => from < to);
  return {
    silent: true,
    label: {
      show: !narrow,
      position: 'insideTop',
      distance: 6,
      color: theme.ink,
      fontSize: 12,
      overflow: 'break',
      width: 200,
    },
    data: inside.map(({ service, from, to }, index) => [
      {
        name: `cheapest: ${service}`,
        xAxis: from,
        itemStyle: { color: index % 2 === 0 ? theme.band : 'transparent', opacity: 1 },
      },
      { xAxis: to },
    ]),
  };
}

function decades(values: readonly number[], fallback: number): { min: number; max: number } {
  const least = values.reduce((a, b) => Math.min(a, b), Infinity);
  const most = values.reduce((a, b) => Math.max(a, b), -Infinity);
  if (!Number.isFinite(least)) return { min: fallback, max: fallback * 10 };
  const min = 10 ** Math.floor(Math.log10(least) + 1e-9);
  return { min, max: Math.max(10 * min, 10 ** Math.ceil(Math.log10(most) - 1e-9)) };
}

function isPositive(value: number): boolean {
  return value > 0;
}

function count(value: number): string {
  return value.toLocaleString('en-US', { maximumSignificantDigits: 3 });
}
