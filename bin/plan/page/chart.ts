/** The chart of the page: the slices on the profile of the graph, with weights, compute, live tensors, and what a cut would move. */
import type { CustomSeriesOption, LineSeriesOption } from 'echarts/charts';
import type { GridComponentOption } from 'echarts/components';
import type { ComposeOption } from 'echarts/core';
import { type Figure, type Unit, BYTE_UNITS, TIME_UNITS, grouped, quantity, unitFor } from '../figures';
import type { PlanReport, ProfilePoint } from '../plan-report';
import { THEME } from './theme';

type ChartOption = ComposeOption<CustomSeriesOption | LineSeriesOption | GridComponentOption>;

export interface Chart {
  /** Describes the chart in words, for screen readers. */
  readonly label: string;
  /** CSS pixels. */
  readonly height: number;
  /** @param width CSS pixels */
  readonly option: (width: number) => ChartOption;
  /** By item of each panel: what a tooltip says. A table below the chart has the same. */
  readonly facts: readonly Facts[];
}

export interface Facts {
  readonly title: string;
  readonly rows: readonly (readonly [label: string, figure: Figure])[];
}

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

const FONT = 'system-ui, sans-serif';

const [PANEL_HEIGHT, PANEL_GAP, TOP, BOTTOM] = [100, 44, 46, 46];
/** Pixels to the right of a plot. */
const RIGHT = 18;
/** Pixels that the number of a slice needs beside another one: upright, and turned by a quarter. */
const [UPRIGHT, TURNED] = [22, 10];
/** More dashed lines would hide the graph. */
const MOST_LINES = 16;

export function profileChart(report: PlanReport): Chart {
  const { profile, slices } = report;
  const nodes = nodesOf(profile);
  const last = PANELS.length - 1;
  return {
    label: `The ${slices.length} slices on the weights, the compute and the live tensors of the nodes, in the order in which the nodes run, and the bytes that a cut after each node would move.`,
    height: TOP + PANELS.length * PANEL_HEIGHT + last * PANEL_GAP + BOTTOM,
    option: (width) => ({
      // Nothing moves: pages are printed, and movement disturbs some people.
      animation: false,
      textStyle: { color: THEME.ink, fontFamily: FONT, fontSize: 12 },
      axisPointer: { link: [{ xAxisIndex: 'all' }], lineStyle: { color: THEME.ink } },
      grid: PANELS.map((_, panel) => ({
        // Equally wide: by default, ECharts shrinks a grid whose labels reach over its end.
        outerBoundsMode: 'none',
        left: leftOf(width),
        right: RIGHT,
        top: TOP + panel * (PANEL_HEIGHT + PANEL_GAP),
        height: PANEL_HEIGHT,
      })),
      xAxis: PANELS.map((_, panel) => ({
        ...AXIS_STYLE,
        type: 'value',
        min: 0,
        max: nodes,
        gridIndex: panel,
        splitLine: { show: false },
        axisLabel: { ...AXIS_STYLE.axisLabel, show: panel === last },
        ...(panel === last && { name: 'nodes', nameLocation: 'middle', nameGap: 28 }),
      })),
      yAxis: PANELS.map((panel, index) => valueAxis(profile, panel, index, width)),
      series: [
        ...PANELS.map((panel, index) => columns(profile, panel, index, THEME.series[index])),
        ...PANELS.map((_, index) => sliceBands(report, index, width)),
      ],
    }),
    facts: profile.map((point) => factsOf(point, report)),
  };
}

function nodesOf(profile: readonly ProfilePoint[]): number {
  return (profile.at(-1)?.last ?? -1) + 1;
}

/** Pixels for the labels of a vertical axis. */
function leftOf(width: number): number {
  return width < 560 ? 56 : 70;
}

/** Lines and labels of an axis. */
const AXIS_STYLE = {
  axisLine: { show: true, lineStyle: { color: THEME.muted } },
  axisTick: { lineStyle: { color: THEME.muted } },
  axisLabel: { color: THEME.muted, fontSize: 12, hideOverlap: true },
  splitLine: { lineStyle: { color: THEME.line } },
  nameTextStyle: { color: THEME.ink, fontSize: 12 },
} as const;

/** A linear axis from 0 on with ticks at round numbers of a unit, and its name above it, from the left end of the chart on. */
function valueAxis(
  profile: readonly ProfilePoint[],
  { name, units, value }: Panel,
  index: number,
  width: number,
) {
  const max = Math.max(0, ...profile.map(value));
  const unit = unitFor(max, units);
  const interval = roundInterval(max, unit);
  const { axisLabel, nameTextStyle, ...style } = AXIS_STYLE;
  const padding = [0, 0, 0, 4 - leftOf(width)];
  return {
    ...style,
    type: 'value',
    min: 0,
    max: Math.max(interval, Math.ceil(max / interval - 1e-9) * interval),
    interval,
    axisLabel: { ...axisLabel, formatter: (tick: number) => grouped(tick / unit.size, 3) },
    name: `${name}, ${unit.name}`,
    nameTextStyle: { ...nameTextStyle, align: 'left', padding },
    nameGap: index === 0 ? 26 : 12,
    gridIndex: index,
  } as const;
}

/** Ticks at round numbers of the unit, about four of them. */
function roundInterval(max: number, unit: Unit): number {
  const raw = max / unit.size / 4;
  if (raw <= 0) return unit.size;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].find((factor) => factor * power >= raw) ?? 10;
  return step * power * unit.size;
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
function sliceBands({ profile, slices, cuts }: PlanReport, index: number, width: number): LineSeriesOption {
  const plot = width - leftOf(width) - RIGHT;
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
        ...{ show: index === 0, position: 'top', distance: 4, color: THEME.ink, fontSize: 12 },
        ...(isTurned && { rotate: 90, align: 'left', verticalAlign: 'middle', fontSize: 10 }),
      },
      data: slices.map(({ slice, first, last }) => {
        const itemStyle = { color: slice % 2 === 1 ? THEME.band : 'transparent', opacity: 1 };
        const name = labeled.has(slice) ? String(slice) : '';
        return [{ name, xAxis: first, itemStyle }, { xAxis: last + 1 }];
      }),
    },
    markLine: {
      ...{ silent: true, symbol: 'none', label: { show: false } },
      lineStyle: { color: THEME.muted, type: 'dashed', width: 1 },
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
): Facts {
  const own = slices.find((slice) => slice.first <= first && first <= slice.last);
  return {
    title: node,
    rows: [
      ['operator', operator],
      ['from node', quantity('count', first)],
      ['to node', quantity('count', last)],
      ['slice', quantity('count', own?.slice)],
      ['weights', quantity('bytes', weightBytes)],
      ['compute', quantity('seconds', coreSeconds)],
      ['live tensors', quantity('bytes', liveBytes)],
      ['a cut after it moves', crossingBytes === null ? 'no cut here' : quantity('bytes', crossingBytes)],
    ],
  };
}
