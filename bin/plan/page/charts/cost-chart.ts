/** The price of a million runs by line item, for warm, mixed and cold runs. */
import type { LineItem, PlanReport } from '../../plan-report';
import { quantity } from '../../figures';
import { TEMPERATURES } from '../tables';
import { colorOf } from '../theme';
import { type Chart, WHOLE_GRID, axisStyle, baseOption, dollarTick, nameBelow } from './chart';

export function costChart(items: readonly LineItem[], run: PlanReport['run']): Chart {
  return {
    label: 'The price of a million warm, mixed and cold runs, by line item.',
    height: 208,
    legend: items.map(({ item }, series) => ({ label: item, mark: 'area', series })),
    trigger: 'item',
    option: (theme, width) => ({
      ...baseOption(theme),
      grid: { ...WHOLE_GRID, left: 56, right: 20, top: 12, bottom: 50 },
      xAxis: {
        ...axisStyle(theme),
        type: 'value',
        min: 0,
        splitNumber: width < 480 ? 3 : 6,
        ...nameBelow('dollars for a million runs'),
        axisLabel: { ...axisStyle(theme).axisLabel, formatter: dollarTick },
      },
      yAxis: {
        ...axisStyle(theme),
        type: 'category',
        inverse: true,
        data: [...TEMPERATURES],
        axisTick: { show: false },
        axisLabel: { color: theme.ink, fontSize: 13 },
      },
      series: items.map((item, index) => ({
        type: 'bar',
        name: item.item,
        stack: 'price',
        barWidth: 28,
        itemStyle: { color: colorOf(theme, index), borderColor: theme.surface, borderWidth: 1 },
        data: TEMPERATURES.map((temperature) => item[temperature]),
      })),
    }),
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
  };
}
