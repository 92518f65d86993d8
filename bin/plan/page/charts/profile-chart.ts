/** The slices on the profile of the graph: weights, compute and live tensors over the order of the nodes. */
import type { CustomSeriesOption, LineSeriesOption } from 'echarts/charts';
import type { PlanReport, ProfilePoint, ReportedSlice } from '../../plan-report';
import {
  type QuantityKind,
  type Unit,
  BYTE_UNITS,
  TIME_UNITS,
  maybe,
  quantity,
  unitFor,
} from '../../figures';
import { type Theme, colorOf } from '../theme';
import {
  type Chart,
  WHOLE_GRID,
  axisStyle,
  baseOption,
  isNarrow,
  linearAxis,
  nameAbove,
  nameBelow,
  nodeAxis,
} from './chart';

interface Panel {
  readonly name: string;
  /** Its color, the same in every report. */
  readonly series: number;
  readonly unit: Unit;
  readonly max: number;
  readonly value: (point: ProfilePoint) => number;
}

const PANEL_HEIGHT = 116;
const PANEL_GAP = 44;
const TOP = 46;
const BOTTOM = 46;
/** With more slices, dashed lines hide the graph, and the bands suffice. */
export const MOST_LINES = 16;
/** Pixels that the number of a slice needs. */
const SLICE_LABEL_WIDTH = 22;

export function profileChart(report: PlanReport): Chart {
  const { profile } = report;
  const panels = panelsOf(profile);
  const last = panels.length - 1;
  return {
    label: `The ${report.slices.length} slices on the weights, the compute and the live tensors of the nodes, in the order in which the nodes run.`,
    height: TOP + panels.length * PANEL_HEIGHT + last * PANEL_GAP + BOTTOM,
    legend: [],
    trigger: 'axis',
    option: (theme, width) => {
      const left = isNarrow(width) ? 46 : 60;
      return {
        ...baseOption(theme),
        axisPointer: { link: [{ xAxisIndex: 'all' }], lineStyle: { color: theme.ink } },
        grid: panels.map((_, panel) => ({
          ...WHOLE_GRID,
          left,
          right: 18,
          top: TOP + panel * (PANEL_HEIGHT + PANEL_GAP),
          height: PANEL_HEIGHT,
        })),
        xAxis: panels.map((_, panel) => ({
          ...nodeAxis(theme, nodesOf(profile)),
          gridIndex: panel,
          axisLabel: { ...axisStyle(theme).axisLabel, show: panel === last },
          ...(panel === last && nameBelow('nodes')),
        })),
        yAxis: panels.map(({ name, unit, max }, panel) => ({
          ...linearAxis(theme, max, unit),
          ...nameAbove(theme, `${name}, ${unit.name}`, left),
          nameGap: panel === 0 ? 26 : 12,
          gridIndex: panel,
        })),
        series: [
          ...panels.map((panel, index) => columns(profile, panel, index, theme)),
          ...panels.map((_, index) => sliceBands(report, index, theme, width)),
        ],
      };
    },
    facts: ({ dataIndex }) => factsOf(report, dataIndex),
    stops: profile.map((_, dataIndex) => ({ seriesIndex: 0, dataIndex })),
  };
}

/** The slice with a position in it. */
export function sliceAt(slices: readonly ReportedSlice[], position: number): ReportedSlice | undefined {
  return slices.find(({ first, last }) => first <= position && position <= last);
}

export function nodesOf(profile: readonly ProfilePoint[]): number {
  return (profile.at(-1)?.last ?? -1) + 1;
}

function panelsOf(profile: readonly ProfilePoint[]): Panel[] {
  const panel = (
    series: number,
    name: string,
    units: readonly Unit[],
    value: (point: ProfilePoint) => number,
  ): Panel => {
    const max = profile.reduce((largest, point) => Math.max(largest, value(point)), 0);
    return { name, series, unit: unitFor(max, units), max, value };
  };
  const seconds: readonly Unit[] = TIME_UNITS.map(({ name, size }) => ({ name, size: size / 1_000 }));
  return [
    panel(0, 'weights', BYTE_UNITS, ({ weightBytes }) => weightBytes),
    panel(1, 'compute on one vCPU', seconds, ({ coreSeconds }) => coreSeconds),
    panel(2, 'live tensors', BYTE_UNITS, ({ liveBytes }) => liveBytes),
  ];
}

/** One column for each stretch, as wide as the stretch. */
function columns(
  profile: readonly ProfilePoint[],
  { name, series, value }: Panel,
  index: number,
  theme: Theme,
): CustomSeriesOption {
  return {
    type: 'custom',
    name,
    xAxisIndex: index,
    yAxisIndex: index,
    encode: { x: 0, y: 1 },
    z: 3,
    color: colorOf(theme, series),
    data: profile.map((point) => [
      (point.first + point.last + 1) / 2,
      value(point),
      point.first,
      point.last + 1,
    ]),
    renderItem: (_, api) => {
      const [left, top] = api.coord([api.value(2), api.value(1)]);
      const [right, bottom] = api.coord([api.value(3), 0]);
      // Whole pixels, so that neighbors touch.
      const x = Math.round(left);
      const width = Math.max(1, Math.round(right) - x);
      return {
        type: 'rect',
        shape: { x, y: top, width, height: bottom - top },
        style: { fill: api.visual('color') },
      };
    },
  };
}

/** A series without data that marks the slices behind the columns, and the cuts. */
function sliceBands(
  { profile, slices }: PlanReport,
  index: number,
  theme: Theme,
  width: number,
): LineSeriesOption {
  return {
    type: 'line',
    xAxisIndex: index,
    yAxisIndex: index,
    data: [],
    markArea: {
      silent: true,
      label: { show: index === 0, position: 'top', distance: 4, color: theme.ink, fontSize: 12 },
      data: bands(slices, nodesOf(profile), width).map(({ slice, name, isShaded }) => [
        { name, xAxis: slice.first, itemStyle: { color: isShaded ? theme.band : 'transparent', opacity: 1 } },
        { xAxis: slice.last + 1 },
      ]),
    },
    markLine: {
      silent: true,
      symbol: 'none',
      label: { show: false },
      lineStyle: { color: theme.muted, type: 'dashed', width: 1 },
      data: slices.length > MOST_LINES ? [] : slices.slice(0, -1).map(({ last }) => ({ xAxis: last + 1 })),
    },
  };
}

/** The slices with their names, as far as there is room for these. */
function bands(
  slices: readonly ReportedSlice[],
  nodes: number,
  width: number,
): { slice: ReportedSlice; name: string; isShaded: boolean }[] {
  let free = -Infinity;
  return slices.map((slice, index) => {
    const middle = (((slice.first + slice.last + 1) / 2) * width) / Math.max(1, nodes);
    const hasRoom = middle - SLICE_LABEL_WIDTH / 2 >= free;
    if (hasRoom) free = middle + SLICE_LABEL_WIDTH / 2;
    return { slice, name: hasRoom ? String(slice.slice) : '', isShaded: index % 2 === 1 };
  });
}

function factsOf({ profile, slices }: PlanReport, dataIndex: number): ReturnType<Chart['facts']> {
  const point = profile.at(dataIndex);
  if (point === undefined) return undefined;
  const { first, last, node, operator, weightBytes, coreSeconds, liveBytes, crossingBytes } = point;
  const fact = (label: string, kind: QuantityKind, value: number | null | undefined) =>
    [label, maybe(kind, value)] as const;
  return {
    title: node,
    rows: [
      ['operator', operator],
      first === last ? fact('node', 'count', first) : ['nodes', `${first} to ${last}`],
      fact('slice', 'count', sliceAt(slices, first)?.slice),
      fact('weights', 'bytes', weightBytes),
      fact('compute', 'seconds', coreSeconds),
      fact('live tensors', 'bytes', liveBytes),
      ['a cut after it moves', crossingBytes === null ? 'no cut here' : quantity('bytes', crossingBytes)],
    ],
  };
}
