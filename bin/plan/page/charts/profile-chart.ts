/** The slices on the profile of the graph: weights, compute and live tensors over the order of the nodes. */
import type { CustomSeriesOption, LineSeriesOption } from 'echarts/charts';
import { type Unit, BYTE_UNITS, TIME_UNITS, maybe, quantity, unitFor } from '../../figures';
import type { PlanReport, ProfilePoint, ReportedSlice } from '../../plan-report';
import { type Theme, colorOf } from '../theme';
import {
  type Chart,
  type Facts,
  WHOLE_GRID,
  axisStyle,
  baseOption,
  cutLines,
  isNarrow,
  largest,
  linearAxis,
  nameAbove,
  nameBelow,
  nodeAxis,
} from './chart';

interface Panel {
  readonly name: string;
  readonly unit: Unit;
  readonly max: number;
  readonly value: (point: ProfilePoint) => number;
}

const PANEL_HEIGHT = 116;
const PANEL_GAP = 44;
const TOP = 46;
const BOTTOM = 46;
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
      const { axisLabel } = axisStyle(theme);
      return {
        ...baseOption(theme),
        axisPointer: { link: [{ xAxisIndex: 'all' }], lineStyle: { color: theme.ink } },
        grid: panels.map((_, panel) => ({
          ...{ ...WHOLE_GRID, left, right: 18, height: PANEL_HEIGHT },
          top: TOP + panel * (PANEL_HEIGHT + PANEL_GAP),
        })),
        xAxis: panels.map((_, panel) => ({
          ...nodeAxis(theme, nodesOf(profile)),
          gridIndex: panel,
          axisLabel: { ...axisLabel, show: panel === last },
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
  const panel = (name: string, units: readonly Unit[], value: Panel['value']): Panel => {
    const max = largest(profile.map(value));
    return { name, unit: unitFor(max, units), max, value };
  };
  const seconds: readonly Unit[] = TIME_UNITS.map(({ name, size }) => ({ name, size: size / 1_000 }));
  return [
    panel('weights', BYTE_UNITS, ({ weightBytes }) => weightBytes),
    panel('compute on one vCPU', seconds, ({ coreSeconds }) => coreSeconds),
    panel('live tensors', BYTE_UNITS, ({ liveBytes }) => liveBytes),
  ];
}

/** One column for each stretch, as wide as the stretch. */
function columns(
  profile: readonly ProfilePoint[],
  { name, value }: Panel,
  index: number,
  theme: Theme,
): CustomSeriesOption {
  return {
    ...{ type: 'custom', name, xAxisIndex: index, yAxisIndex: index, z: 3 },
    encode: { x: 0, y: 1 },
    color: colorOf(theme, index),
    data: profile.map((point) => [
      (point.first + point.last + 1) / 2,
      value(point),
      point.first,
      point.last + 1,
    ]),
    renderItem: (_, api) => {
      const [left, y] = api.coord([api.value(2), api.value(1)]);
      const [right, bottom] = api.coord([api.value(3), 0]);
      // Whole pixels, so that neighbors touch.
      const x = Math.round(left);
      const width = Math.max(1, Math.round(right) - x);
      const shape = { x, y, width, height: bottom - y };
      return { type: 'rect', shape, style: { fill: api.visual('color') } };
    },
  };
}

/** A series without data that marks the slices behind the columns, with their names as far as there is room, and the cuts. */
function sliceBands(report: PlanReport, index: number, theme: Theme, width: number): LineSeriesOption {
  const nodes = Math.max(1, nodesOf(report.profile));
  let free = -Infinity;
  return {
    ...{ type: 'line', xAxisIndex: index, yAxisIndex: index, data: [] },
    markArea: {
      silent: true,
      label: { show: index === 0, position: 'top', distance: 4, color: theme.ink, fontSize: 12 },
      data: report.slices.map(({ slice, first, last }, band) => {
        const middle = (((first + last + 1) / 2) * width) / nodes;
        const hasRoom = middle - SLICE_LABEL_WIDTH / 2 >= free;
        if (hasRoom) free = middle + SLICE_LABEL_WIDTH / 2;
        const itemStyle = { color: band % 2 === 1 ? theme.band : 'transparent', opacity: 1 };
        return [{ name: hasRoom ? String(slice) : '', xAxis: first, itemStyle }, { xAxis: last + 1 }];
      }),
    },
    markLine: cutLines(theme, report),
  };
}

function factsOf({ profile, slices }: PlanReport, dataIndex: number): Facts | undefined {
  const point = profile.at(dataIndex);
  if (point === undefined) return undefined;
  const { first, last, node, operator, weightBytes, coreSeconds, liveBytes, crossingBytes } = point;
  return {
    title: node,
    rows: [
      ['operator', operator],
      first === last ? ['node', quantity('count', first)] : ['nodes', `${first} to ${last}`],
      ['slice', maybe('count', sliceAt(slices, first)?.slice)],
      ['weights', quantity('bytes', weightBytes)],
      ['compute', quantity('seconds', coreSeconds)],
      ['live tensors', quantity('bytes', liveBytes)],
      ['a cut after it moves', crossingBytes === null ? 'no cut here' : quantity('bytes', crossingBytes)],
    ],
  };
}
