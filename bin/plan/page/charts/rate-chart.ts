/** The price of a month of every service that can run the model, by requests per hour, with logarithmic axes. */
import { quantity } from '../../figures';
import type { Alternative } from '../../plan-report';
import { lineStyle } from '../theme';
import { type Chart, BASE_OPTION, compactStyle, legendAbove, nameAbove, nameBelow } from './chart';

export function rateChart(alternatives: readonly Alternative[]): Chart {
  const priced = alternatives.filter(({ monthly }) => monthly.length > 0);
  const names = priced.map(({ service }) => service);
  return {
    label: `The price of a month of ${priced.length} services, by requests per hour.`,
    height: 400,
    trigger: 'item',
    option: (width) => ({
      ...BASE_OPTION,
      ...legendAbove(names, width),
      xAxis: { ...compactStyle(''), ...nameBelow('requests per hour'), type: 'log' },
      yAxis: { ...compactStyle('$'), ...nameAbove('dollars a month', width), type: 'log' },
      series: priced.map(({ service, monthly }, index) => ({
        ...{ type: 'line', name: service, symbolSize: 5, ...lineStyle(index, 1.8) },
        // A logarithmic axis has no place for 0.
        data: monthly.map(({ requestsPerHour, dollars }) =>
          requestsPerHour > 0 && dollars > 0 ? [requestsPerHour, dollars] : '-',
        ),
      })),
    }),
    facts: priced.map(({ service, monthly }) =>
      monthly.map(({ requestsPerHour, dollars, size }) => ({
        title: service,
        rows: [
          ['requests per hour', quantity('rate', requestsPerHour)],
          ['a month', quantity('dollars', dollars)],
          ['size', size],
        ],
      })),
    ),
  };
}
