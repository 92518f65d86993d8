/** The price of a month of every service that can run the model, by requests per hour, with logarithmic axes. */
import { quantity } from '../../figures';
import type { Alternative, PlanReport } from '../../plan-report';
import type { Theme } from '../theme';
import { type Chart, axisStyle, dollarStyle, gridChart, lineSeries, nameAbove, nameBelow } from './chart';

type Cheapest = PlanReport['cheapest'];

/** Pixels that a name needs, in several lines. */
const SMALLEST_LABEL = 72;

/** The lowest decade of a logarithmic axis when all prices are 0. */
const SMALLEST_DOLLARS = 0.01;

export function rateChart(alternatives: readonly Alternative[], cheapest: Cheapest): Chart {
  const priced = alternatives.filter(({ monthly }) => monthly.length > 0);
  const points = priced.flatMap(({ monthly }) => monthly);
  const rates = points.map((point) => point.requestsPerHour).filter(isPositive);
  const prices = points.map((point) => point.dollars).filter(isPositive);
  return gridChart({
    label: `The price of a month of ${priced.length} services, by requests per hour.`,
    height: 400,
    legend: priced.map(({ service }, series) => ({ label: service, mark: 'line', series })),
    // Room above the lines, for the names of the cheapest services, and at the right for half of the last label.
    margins: (isNarrow) => ({ left: isNarrow ? 62 : 76, right: 32, top: isNarrow ? 92 : 64, bottom: 50 }),
    xAxis: (theme) => ({
      ...axisStyle(theme, rateTick),
      ...nameBelow('requests per hour'),
      ...{ type: 'log', ...decades(rates, 1) },
    }),
    yAxis: (theme, { left, top }) => ({
      ...dollarStyle(theme),
      ...nameAbove(theme, 'dollars a month', left),
      ...{ type: 'log', ...decades(prices, SMALLEST_DOLLARS), nameGap: top - 20 },
    }),
    series: (theme, width, { left, right }) => {
      const bands = cheapestBands(cheapest, rates, theme, width - left - right);
      return priced.map(({ service, monthly }, index) => ({
        ...lineSeries(
          theme,
          index,
          service,
          [1.8, 5],
          // A logarithmic axis has no place for 0.
          monthly.map(({ requestsPerHour, dollars }) =>
            isPositive(requestsPerHour) && isPositive(dollars) ? [requestsPerHour, dollars] : '-',
          ),
        ),
        ...(index === 0 && { markArea: bands }),
      }));
    },
    facts: ({ seriesIndex, dataIndex }) => {
      const alternative = priced.at(seriesIndex);
      const point = alternative?.monthly.at(dataIndex);
      return (
        alternative &&
        point && {
          title: alternative.service,
          rows: [
            ['requests per hour', quantity('rate', point.requestsPerHour)],
            ['a month', quantity('dollars', point.dollars)],
            ['size', point.size],
          ],
        }
      );
    },
    stops: priced.flatMap(({ monthly }, seriesIndex) =>
      monthly.map((_, dataIndex) => ({ seriesIndex, dataIndex })),
    ),
  });
}

/** Bands over the rates at which each service is the cheapest, with its name above if there is room. */
function cheapestBands(cheapest: Cheapest, rates: readonly number[], theme: Theme, width: number): object {
  const { min, max } = decades(rates, 1);
  const inside = cheapest
    .map(({ from, to, service }) => ({ service, from: Math.max(min, from), to: Math.min(max, to) }))
    .filter(({ from, to }) => from < to);
  return {
    silent: true,
    data: inside.map(({ service, from, to }, index) => {
      const room = (width * Math.log(to / from)) / Math.log(max / min) - 8;
      const label = {
        show: room >= SMALLEST_LABEL,
        ...{ position: 'top', distance: 5, width: room, overflow: 'break', lineHeight: 14 },
        ...{ color: theme.ink, fontSize: 12 },
      };
      const itemStyle = { color: index % 2 === 0 ? theme.band : 'transparent', opacity: 1 };
      return [{ name: service, xAxis: from, label, itemStyle }, { xAxis: to }];
    }),
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

function rateTick(value: number): string {
  const notation = value >= 1_000_000 ? 'compact' : 'standard';
  return value.toLocaleString('en-US', { maximumSignificantDigits: 3, notation });
}
