/** The price of a million runs by line item, for warm, mixed and cold runs. */
import { TEMPERATURES, quantity } from '../../figures';
import type { LineItem, PlanReport } from '../../plan-report';
import { colorOf } from '../theme';
import { type Chart, dollarStyle, gridChart, nameBelow, rowAxis } from './chart';

export function costChart(items: readonly LineItem[], run: PlanReport['run']): Chart {
  return gridChart({
    label: 'The price of a million warm, mixed and cold runs, by line item.',
    height: 208,
    legend: items.map(({ item }, series) => ({ label: item, mark: 'area', series })),
    margins: () => ({ left: 56, right: 20, top: 12, bottom: 50 }),
    xAxis: (theme, width) => ({
      ...dollarStyle(theme),
      ...nameBelow('dollars for a million runs'),
      ...{ type: 'value', min: 0, splitNumber: width < 480 ? 3 : 6 },
    }),
    yAxis: (theme) => rowAxis(theme, TEMPERATURES, { fontSize: 13 }),
    series: (theme) =>
      items.map((item, index) => ({
        ...{ type: 'bar', name: item.item, stack: 'price', barWidth: 28 },
        itemStyle: { color: colorOf(theme, index), borderColor: theme.surface, borderWidth: 1 },
        data: TEMPERATURES.map((temperature) => item[temperature]),
      })),
    facts: ({ seriesIndex, dataIndex }) => {
      const item = items.at(seriesIndex);
      const temperature = TEMPERATURES.at(dataIndex);
      if (item === undefined || temperature === undefined) return undefined;
      return {
        title: item.item,
        rows: [
          [`a million ${temperature} runs`, quantity('dollars', item[temperature])],
          ['all items', quantity('dollars', run[temperature].dollarsPerMillion)],
        ],
      };
    },
    stops: TEMPERATURES.flatMap((_, dataIndex) =>
      items.map((_item, seriesIndex) => ({ seriesIndex, dataIndex })),
    ),
  });
}
