/** The bytes that a cut would move, over the order of the nodes, and the cuts of the plan. */
import type { LineSeriesOption, ScatterSeriesOption } from 'echarts/charts';
import type { PlanReport, ProfilePoint, ReportedCut } from '../../plan-report';
import { BYTE_UNITS, maybe, quantity, unitFor } from '../../figures';
import { type Theme, colorOf } from '../theme';
import {
  type Chart,
  type Facts,
  WHOLE_GRID,
  baseOption,
  isNarrow,
  linearAxis,
  nameAbove,
  nameBelow,
  nodeAxis,
} from './chart';
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
    trigger: 'item',
    option: (theme, width) => {
      const left = isNarrow(width) ? 46 : 60;
      return {
        ...baseOption(theme),
        grid: { ...WHOLE_GRID, left, right: 18, top: 34, bottom: 46 },
        xAxis: { ...nodeAxis(theme, nodesOf(profile)), ...nameBelow('nodes before the cut') },
        yAxis: {
          ...linearAxis(theme, max, unit),
          ...nameAbove(theme, `bytes moved, ${unit.name}`, left),
        },
        series: [possibleCuts(possible, theme, width), chosenCuts(cuts, theme, width)],
      };
    },
    facts: ({ seriesIndex, dataIndex }) =>
      seriesIndex === CHOSEN ? chosenFacts(report, dataIndex) : possibleFacts(report, dataIndex),
    stops: cuts.map((_, dataIndex) => ({ seriesIndex: CHOSEN, dataIndex })),
  };
}

function possibleCuts(possible: readonly ProfilePoint[], theme: Theme, width: number): LineSeriesOption {
  return {
    type: 'line',
    connectNulls: false,
    // Otherwise a cut between two places where none is legal would show nothing.
    showSymbol: true,
    showAllSymbol: true,
    symbol: 'circle',
    symbolSize: possible.length > width / 6 ? 2 : 4,
    lineStyle: { width: 1.2, color: colorOf(theme, 0) },
    itemStyle: { color: colorOf(theme, 0) },
    data: possible.map(({ last, crossingBytes }) => [last + 1, crossingBytes ?? '-']),
  };
}

function chosenCuts(cuts: readonly ReportedCut[], theme: Theme, width: number): ScatterSeriesOption {
  return {
    type: 'scatter',
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
