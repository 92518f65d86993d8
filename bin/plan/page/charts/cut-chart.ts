/** The bytes that a cut would move, over the order of the nodes, and the cuts of the plan. */
import type { LineSeriesOption, ScatterSeriesOption } from 'echarts/charts';
import { BYTE_UNITS, maybe, quantity, unitFor } from '../../figures';
import type { PlanReport, ProfilePoint } from '../../plan-report';
import { type Theme, colorOf } from '../theme';
import {
  type Chart,
  type Facts,
  cutLines,
  gridChart,
  largest,
  linearAxis,
  nameAbove,
  nameBelow,
  nodeAxis,
} from './chart';
import { nodesOf, sliceAt } from './profile-chart';

/** Names of tensors in a tooltip; the table has all. */
const NAMED_TENSORS = 4;

const POSSIBLE = 0;
const CHOSEN = 1;

export function cutChart(report: PlanReport): Chart {
  const { profile, cuts } = report;
  const possible = profile.slice(0, -1);
  const max = largest(
    [...possible, ...cuts.map(({ bytes }) => ({ crossingBytes: bytes }))].map(
      (cut) => cut.crossingBytes ?? 0,
    ),
  );
  const unit = unitFor(max, BYTE_UNITS);
  return gridChart({
    label: `The bytes that a cut after each node would move, and the ${cuts.length} cuts of this plan.`,
    height: 240,
    legend: [
      { label: 'a cut after this node', mark: 'line', series: POSSIBLE },
      { label: 'a cut of this plan', mark: 'point', series: 'accent' },
    ],
    margins: (isNarrow) => ({ left: isNarrow ? 46 : 60, right: 18, top: 34, bottom: 46 }),
    xAxis: (theme) => ({ ...nodeAxis(theme, nodesOf(profile)), ...nameBelow('nodes before the cut') }),
    yAxis: (theme, { left }) => ({
      ...linearAxis(theme, max, unit),
      ...nameAbove(theme, `bytes moved, ${unit.name}`, left),
    }),
    series: (theme, width) => [possibleCuts(possible, theme, width), chosenCuts(report, theme, width)],
    facts: ({ seriesIndex, dataIndex }) =>
      seriesIndex === CHOSEN ? chosenFacts(report, dataIndex) : possibleFacts(report, dataIndex),
    stops: cuts.map((_, dataIndex) => ({ seriesIndex: CHOSEN, dataIndex })),
  });
}

function possibleCuts(possible: readonly ProfilePoint[], theme: Theme, width: number): LineSeriesOption {
  const color = colorOf(theme, POSSIBLE);
  return {
    ...{ type: 'line', connectNulls: false, symbol: 'circle' },
    // Otherwise a cut between two places where none is legal would show nothing.
    ...{ showSymbol: true, showAllSymbol: true },
    symbolSize: possible.length > width / 6 ? 2 : 4,
    lineStyle: { width: 1.2, color },
    itemStyle: { color },
    data: possible.map(({ last, crossingBytes }) => [last + 1, crossingBytes ?? '-']),
  };
}

function chosenCuts(report: PlanReport, theme: Theme, width: number): ScatterSeriesOption {
  const { cuts } = report;
  return {
    ...{ type: 'scatter', symbol: 'diamond', symbolSize: cuts.length > width / 24 ? 8 : 13, z: 4 },
    itemStyle: { color: theme.accent, borderColor: theme.surface, borderWidth: 1, opacity: 1 },
    data: cuts.map(({ position, bytes }) => [position, bytes]),
    markLine: cutLines(theme, report),
  };
}

function chosenFacts({ cuts }: PlanReport, dataIndex: number): Facts | undefined {
  const cut = cuts.at(dataIndex);
  return (
    cut && {
      title: `The cut after slice ${cut.slice}`,
      rows: [
        ['before node', quantity('count', cut.position)],
        ['moves', quantity('bytes', cut.bytes)],
        ['tensors', quantity('count', cut.tensors.length)],
        ...cut.tensors
          .slice(0, NAMED_TENSORS)
          .map(({ name, bytes }) => [name, quantity('bytes', bytes)] as const),
      ],
    }
  );
}

function possibleFacts({ profile, slices }: PlanReport, dataIndex: number): Facts | undefined {
  const point = profile.at(dataIndex);
  return (
    point && {
      title: `A cut after ${point.node}`,
      rows: [
        ['operator', point.operator],
        ['node', quantity('count', point.last)],
        ['in slice', maybe('count', sliceAt(slices, point.last)?.slice)],
        ['would move', maybe('bytes', point.crossingBytes)],
      ],
    }
  );
}
