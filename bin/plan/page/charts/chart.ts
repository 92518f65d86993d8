/** What a chart of the page is before it is drawn, and what the charts share. */
import type {
  BarSeriesOption,
  CustomSeriesOption,
  LineSeriesOption,
  ScatterSeriesOption,
} from 'echarts/charts';
import type { GridComponentOption } from 'echarts/components';
import type { ComposeOption } from 'echarts/core';
import { type Figure, type Unit, grouped } from '../../figures';
import type { PlanReport } from '../../plan-report';
import { type Theme, colorOf, dashOf, symbolOf } from '../theme';

export type ChartOption = ComposeOption<
  BarSeriesOption | CustomSeriesOption | LineSeriesOption | ScatterSeriesOption | GridComponentOption
>;

export interface Chart {
  /** Describes the chart in words, for screen readers. */
  readonly label: string;
  /** CSS pixels. */
  readonly height: number;
  readonly legend: readonly LegendEntry[];
  /** @param width CSS pixels */
  option(theme: Theme, width: number): ChartOption;
  /** Whether a tooltip is about the item below the pointer, or about the nearest one in the direction of x. */
  readonly trigger: 'item' | 'axis';
  /** What a tooltip says about an item; `undefined` for an item without one. */
  facts(item: ChartItem): Facts | undefined;
  /** The items that the arrow keys reach, in order. */
  readonly stops: readonly ChartItem[];
}

export interface ChartItem {
  readonly seriesIndex: number;
  readonly dataIndex: number;
}

export interface Facts {
  readonly title: string;
  readonly rows: readonly (readonly [label: string, figure: Figure])[];
}

export interface LegendEntry {
  readonly label: string;
  readonly mark: 'area' | 'outline' | 'line' | 'point';
  /** Index of the color, the symbol and the dashes; `accent` for what is marked. */
  readonly series: number | 'accent';
}

/** Pixels around the grid. */
interface Margins {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/** A chart with one grid. */
interface GridChart extends Omit<Chart, 'option' | 'trigger'> {
  /** @param isNarrow whether there is less room for labels */
  readonly margins: (isNarrow: boolean) => Margins;
  readonly xAxis: (theme: Theme, width: number) => ChartOption['xAxis'];
  readonly yAxis: (theme: Theme, margins: Margins) => ChartOption['yAxis'];
  readonly series: (theme: Theme, width: number, margins: Margins) => ChartOption['series'];
}

export function gridChart({ margins: marginsOf, xAxis, yAxis, series, ...chart }: GridChart): Chart {
  return {
    ...chart,
    trigger: 'item',
    option: (theme, width) => {
      const margins = marginsOf(isNarrow(width));
      return {
        ...baseOption(theme),
        grid: { ...WHOLE_GRID, ...margins },
        xAxis: xAxis(theme, width),
        yAxis: yAxis(theme, margins),
        series: series(theme, width, margins),
      };
    },
  };
}

export function isNarrow(width: number): boolean {
  return width < 560;
}

const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif';

/** What all options share. Nothing moves: pages are printed, and movement disturbs some people. */
export function baseOption(theme: Theme): ChartOption {
  return {
    animation: false,
    backgroundColor: 'transparent',
    textStyle: { color: theme.ink, fontFamily: FONT, fontSize: 12 },
  };
}

/** Keeps grids of the same margins equally wide: by default, ECharts shrinks a grid whose labels reach over its end. */
export const WHOLE_GRID = { outerBoundsMode: 'none' } as const;

/** Lines and labels of an axis. @param formatter writes the label of a tick */
export function axisStyle(theme: Theme, formatter?: (value: number) => string) {
  return {
    axisLine: { show: true, lineStyle: { color: theme.muted } },
    axisTick: { lineStyle: { color: theme.muted } },
    axisLabel: { color: theme.muted, fontSize: 12, hideOverlap: true, ...(formatter && { formatter }) },
    splitLine: { lineStyle: { color: theme.line } },
    nameTextStyle: { color: theme.ink, fontSize: 12 },
  } as const;
}

/** The name of a horizontal axis, below it. */
export function nameBelow(name: string) {
  return { name, nameLocation: 'middle', nameGap: 28 } as const;
}

/** The name of a vertical axis, above it, from the left end of the chart on. */
export function nameAbove(theme: Theme, name: string, left: number) {
  return {
    name,
    nameTextStyle: { color: theme.ink, fontSize: 12, align: 'left' as const, padding: [0, 0, 0, 4 - left] },
  };
}

/** A linear axis from 0 on with ticks at round numbers of a unit. The data is in base units, such as bytes. */
export function linearAxis(theme: Theme, max: number, unit: Unit) {
  const interval = roundInterval(max, unit);
  return {
    ...axisStyle(theme, (value) => grouped(value / unit.size, 3)),
    type: 'value',
    min: 0,
    max: Math.max(interval, Math.ceil(max / interval - 1e-9) * interval),
    interval,
  } as const;
}

/** Lines and labels of an axis of dollars. */
export function dollarStyle(theme: Theme) {
  return axisStyle(theme, (value) => {
    const notation = value >= 10_000 ? 'compact' : 'standard';
    return `$${value.toLocaleString('en-US', { maximumSignificantDigits: 3, notation })}`;
  });
}

/** The axis of the nodes. */
export function nodeAxis(theme: Theme, nodes: number) {
  return { ...axisStyle(theme), type: 'value', min: 0, max: nodes, splitLine: { show: false } } as const;
}

/** An axis with a row for each name, from above. */
export function rowAxis(theme: Theme, rows: readonly string[], label: object) {
  return {
    ...axisStyle(theme),
    type: 'category' as const,
    inverse: true,
    data: [...rows],
    axisTick: { show: false },
    axisLabel: { color: theme.ink, ...label },
  };
}

/** A line whose color, dashes and markers are those of a series. */
export function lineSeries(
  theme: Theme,
  series: number,
  name: string,
  [width, symbolSize]: readonly [number, number],
  data: LineSeriesOption['data'],
): LineSeriesOption {
  const color = colorOf(theme, series);
  return {
    ...{ type: 'line', name, data, symbolSize, symbol: symbolOf(series), showAllSymbol: true },
    lineStyle: { color, width, type: [...dashOf(series)] },
    itemStyle: { color },
  };
}

/** More dashed lines would hide the graph. */
const MOST_LINES = 16;

/** Dashed lines at the cuts of the plan. */
export function cutLines(theme: Theme, { cuts }: PlanReport): LineSeriesOption['markLine'] {
  return {
    silent: true,
    symbol: 'none',
    label: { show: false },
    lineStyle: { color: theme.muted, type: 'dashed', width: 1 },
    data: cuts.length > MOST_LINES ? [] : cuts.map(({ position }) => ({ xAxis: position })),
  };
}

/** 0 for an empty list. */
export function largest(values: readonly number[]): number {
  return values.reduce((most, value) => Math.max(most, value), 0);
}

/** Ticks at round numbers of the unit, about four of them. */
function roundInterval(max: number, unit: Unit): number {
  const raw = max / unit.size / 4;
  if (raw <= 0) return unit.size;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].find((factor) => factor * power >= raw) ?? 10;
  return step * power * unit.size;
}
