/** The slices on the profile of the graph: weights, compute, live tensors, and what a cut would move, over the order of the nodes. */
import type { CustomSeriesOption, LineSeriesOption } from 'echarts/charts';
import { type Unit, BYTE_UNITS, TIME_UNITS, maybe, quantity, unitFor } from '../../figures';
import type { PlanReport, ProfilePoint } from '../../plan-report';
import type { Theme } from '../theme';
import * as charts from './chart';

interface Panel {
  readonly name: string;
  readonly units: readonly Unit[];
  readonly value: (point: ProfilePoint) => number;
}

const SECOND_UNITS: readonly Unit[] = TIME_UNITS.map(({ name, size }) => ({ name, size: size / 1_000 }));

const PANELS: readonly Panel[] = [
  { name: 'weights', units: BYTE_UNITS, value: ({ weightBytes }) => weightBytes },
  { name: 'compute on one vCPU', units: SECOND_UNITS, value: ({ coreSeconds }) => coreSeconds },
  { name: 'live tensors', units: BYTE_UNITS, value: ({ liveBytes }) => liveBytes },
  { name: 'moved by a cut', units: BYTE_UNITS, value: ({ crossingBytes }) => crossingBytes ?? 0 },
];

const [PANEL_HEIGHT, PANEL_GAP, TOP, BOTTOM] = [100, 44, 46, 46];
/** Pixels that the number of a slice needs beside another one: upright, and turned by a quarter. */
const [UPRIGHT, TURNED] = [22, 10];
/** More dashed lines would hide the graph. */
const MOST_LINES = 16;

export function profileChart(report: PlanReport): charts.Chart {
  const { profile, slices } = report;
  const nodes = nodesOf(profile);
  const last = PANELS.length - 1;
  const facts = profile.map((point) => factsOf(point, report));
  return {
    label: `The ${slices.length} slices on the weights, the compute and the live tensors of the nodes, in the order in which the nodes run, and the bytes that a cut after each node would move.`,
    height: TOP + PANELS.length * PANEL_HEIGHT + last * PANEL_GAP + BOTTOM,
    option: (width, theme) => ({
      ...charts.baseOption(theme),
      axisPointer: { link: [{ xAxisIndex: 'all' }], lineStyle: { color: theme.ink } },
      grid: PANELS.map((_, panel) => ({
        ...{ ...charts.WHOLE_GRID, left: charts.leftOf(width), right: charts.RIGHT, height: PANEL_HEIGHT },
        top: TOP + panel * (PANEL_HEIGHT + PANEL_GAP),
      })),
      xAxis: PANELS.map((_, panel) => ({
        ...{
          ...charts.axisStyle(theme),
          type: 'value',
          min: 0,
          max: nodes,
          gridIndex: panel,
          splitLine: { show: false },
        },
        axisLabel: { ...charts.axisStyle(theme).axisLabel, show: panel === last },
        ...(panel === last && charts.nameBelow('nodes')),
      })),
      yAxis: PANELS.map(({ name, units, value }, panel) => {
        const max = charts.largest(profile.map(value));
        const unit = unitFor(max, units);
        return {
          ...{
            ...charts.linearAxis(max, unit, theme),
            ...charts.nameAbove(`${name}, ${unit.name}`, width, theme),
          },
          ...{ nameGap: panel === 0 ? 26 : 12, gridIndex: panel },
        };
      }),
      series: [
        ...PANELS.map((panel, index) => columns(profile, panel, index, theme.series[index])),
        ...PANELS.map((_, index) => sliceBands(report, index, { width, theme })),
      ],
    }),
    facts: PANELS.map(() => facts),
  };
}

function nodesOf(profile: readonly ProfilePoint[]): number {
  return (profile.at(-1)?.last ?? -1) + 1;
}

/** One column for each stretch, as wide as the stretch. */
function columns(
  profile: readonly ProfilePoint[],
  { name, value }: Panel,
  index: number,
  fill: string,
): CustomSeriesOption {
  return {
    ...{ type: 'custom', name, xAxisIndex: index, yAxisIndex: index, z: 3, encode: { x: 0, y: 1 } },
    data: profile.map((point) => {
      const { first, last } = point;
      return [(first + last + 1) / 2, value(point), first, last + 1];
    }),
    renderItem: (_, api) => {
      const [left, y] = api.coord([api.value(2), api.value(1)]);
      const [right, bottom] = api.coord([api.value(3), 0]);
      // Whole pixels, so that neighbors touch.
      const x = Math.round(left);
      const width = Math.max(1, Math.round(right) - x);
      return { type: 'rect', shape: { x, y, width, height: bottom - y }, style: { fill } };
    },
  };
}

/** A series without data that marks the slices behind the columns, with their numbers above them, and the cuts. */
function sliceBands(
  { profile, slices, cuts }: PlanReport,
  index: number,
  { width, theme }: { readonly width: number; readonly theme: Theme },
): LineSeriesOption {
  const plot = width - charts.leftOf(width) - charts.RIGHT;
  const middles = slices.map(
    ({ first, last }) => ((first + last + 1) / 2 / Math.max(1, nodesOf(profile))) * plot,
  );
  const upright = withRoom(middles, UPRIGHT);
  const isTurned = upright.size < slices.length;
  const labeled = isTurned ? withRoom(middles, TURNED) : upright;
  return {
    ...{ type: 'line', xAxisIndex: index, yAxisIndex: index, data: [] },
    markArea: {
      silent: true,
      label: {
        ...{ show: index === 0, position: 'top', distance: 4, color: theme.ink, fontSize: 12 },
        ...(isTurned && { rotate: 90, align: 'left', verticalAlign: 'middle', fontSize: 10 }),
      },
      data: slices.map(({ slice, first, last }) => {
        const itemStyle = { color: slice % 2 === 1 ? theme.band : 'transparent', opacity: 1 };
        const name = labeled.has(slice) ? String(slice) : '';
        return [{ name, xAxis: first, itemStyle }, { xAxis: last + 1 }];
      }),
    },
    markLine: {
      ...{ silent: true, symbol: 'none', label: { show: false } },
      lineStyle: { color: theme.muted, type: 'dashed', width: 1 },
      data: cuts.length > MOST_LINES ? [] : cuts.map(({ position }) => ({ xAxis: position })),
    },
  };
}

/** The slices whose middles are at least `pixels` behind that of the one before. */
function withRoom(middles: readonly number[], pixels: number): ReadonlySet<number> {
  let free = -Infinity;
  const found = new Set<number>();
  middles.forEach((middle, slice) => {
    if (middle < free) return;
    free = middle + pixels;
    found.add(slice);
  });
  return found;
}

function factsOf(
  { first, last, node, operator, weightBytes, coreSeconds, liveBytes, crossingBytes }: ProfilePoint,
  { slices }: PlanReport,
): charts.Facts {
  const own = slices.find((slice) => slice.first <= first && first <= slice.last);
  return {
    title: node,
    rows: [
      ['operator', operator],
      ['from node', quantity('count', first)],
      ['to node', quantity('count', last)],
      ['slice', maybe('count', own?.slice)],
      ['weights', quantity('bytes', weightBytes)],
      ['compute', quantity('seconds', coreSeconds)],
      ['live tensors', quantity('bytes', liveBytes)],
      ['a cut after it moves', crossingBytes === null ? 'no cut here' : quantity('bytes', crossingBytes)],
    ],
  };
}
