/** The bytes that a cut would move, over the order of the nodes, and the cuts of the plan. */
import type { PlanReport } from '../../plan-report';
import { BYTE_UNITS, maybe, quantity, unitFor } from '../../figures';
import { colorOf } from '../theme';
import type { Chart, Facts } from './chart';
import { WHOLE_GRID, axisStyle, baseOption, inUnit, isNarrow, roundEnd, roundInterval } from './chart';
import { MOST_LINES, nodesOf, sliceAt } from './profile-chart';

/** Names of tensors in a tooltip; the table has all. */
const NAMED_TENSORS = 4;

const POSSIBLE = 0;
const CHOSEN = 1;

export function cutChart(report: PlanReport): Chart {
  const { profile, cuts } = report;
  const possible = profile.slice(0, -1);
  const max = [
    ...possible.map(({ crossingBytes }) => crossingBytes ?? 0),
    ...cuts.map(({ bytes }) => bytes),
  ].reduce((largest, bytes) => Math.max(largest, bytes), 0);
  const unit = unitFor(max, BYTE_UNITS);
  return {
    label: `The bytes that a cut after each node would move, and the ${cuts.length} cuts of this plan.`,
    height: 240,
    legend: [
      { label: 'a cut after this node', mark: 'line', series: POSSIBLE },
      { label: 'a cut of this plan', mark: 'point', series: 'accent' },
    ],
    option: (theme, width) => ({
      ...baseOption(theme),
      tooltip: { trigger: 'item' },
      grid: { ...WHOLE_GRID, left: isNarrow(width) ? 46 : 60, right: 18, top: 34, bottom: 46 },
      xAxis: {
        ...axisStyle(theme),
        type: 'value',
        min: 0,
        max: nodesOf(profile),
        splitLine: { show: false },
        name: 'nodes before the cut',
        nameLocation: 'middle',
        nameGap: 26,
      },
      yAxis: {
        ...axisStyle(theme),
        type: 'value',
        name: `bytes moved, ${unit.name}`,
        nameTextStyle: { color: theme.ink, align: 'left', padding: [0, 0, 0, isNarrow(width) ? -42 : -56] },
        min: 0,
        max: roundEnd(max, unit),
        interval: roundInterval(max, unit),
        axisLabel: { ...axisStyle(theme).axisLabel, formatter: inUnit(unit) },
      },
      series: [
        {
          type: 'line',
          name: 'possible',
          connectNulls: false,
          // Otherwise a cut between two places where none is legal would show nothing.
          showSymbol: true,
          showAllSymbol: true,
          symbol: 'circle',
          symbolSize: possible.length > width / 6 ? 2 : 4,
          lineStyle: { width: 1.2, color: colorOf(theme, 0) },
          itemStyle: { color: colorOf(theme, 0) },
          data: possible.map(({ last, crossingBytes }) => [last + 1, crossingBytes ?? '-']),
        },
        {
          type: 'scatter',
          name: 'chosen',
          symbol: 'diamond',
          symbolSize: cuts.length > width / 24 ? 8 : 13,
          itemStyle: { color: theme.accent, borderColor: theme.surface, borderWidth: 1, opacity: 1 },
          z: 4,
          data: cuts.map(({ position, bytes }) => [position, bytes]),
          markLine: {
            silent: true,
            symbol: 'none',
            label: { show: false },
            lineStyle: { color: theme.muted, type: 'dashed', width: 1 },
            data: cuts.length > MOST_LINES ? [] : cuts.map(({ position }) => ({ xAxis: position })),
          },
        },
      ],
    }),
    facts: ({ seriesIndex, dataIndex }) =>
      seriesIndex === CHOSEN ? chosenFacts(report, dataIndex) : possibleFacts(report, dataIndex),
    stops: cuts.map((_, dataIndex) => ({ seriesIndex: CHOSEN, dataIndex })),
  };
}

function chosenFacts({ cuts }: PlanReport, dataIndex: number): Facts | undefined {
  const cut = cuts.at(dataIndex);
  if (cut === undefined) return undefined;
  const named = cut.tensors.slice(0, NAMED_TENSORS);
  return {
    title: `The cut after slice ${cut.slice}`,
    rows: [
      ['before node', quantity('count', cut.position)],
      ['moves', quantity('bytes', cut.bytes)],
      ['tensors', quantity('count', cut.tensors.length)],
      ...named.map(({ name, bytes }) => [name, quantity('bytes', bytes)] as const),
    ],
  };
}

function possibleFacts({ profile, slices }: PlanReport, dataIndex: number): Facts | undefined {
  const point = profile.at(dataIndex);
  if (point === undefined) return undefined;
  return {
    title: `A cut after ${point.node}`,
    rows: [
      ['operator', point.operator],
      ['node', quantity('count', point.last)],
      ['in slice', maybe('count', sliceAt(slices, point.last)?.slice)],
      ['would move', maybe('bytes', point.crossingBytes)],
    ],
  };
}
