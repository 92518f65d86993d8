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
import type { Theme } from '../theme';

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

/** Below this width, charts have less room for labels. */
const NARROW = 560;

export function isNarrow(width: number): boolean {
  return width < NARROW;
}

export const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif';

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

/** Lines and labels of an axis. */
export function axisStyle(theme: Theme) {
  return {
    axisLine: { show: true, lineStyle: { color: theme.muted } },
    axisTick: { lineStyle: { color: theme.muted } },
    axisLabel: { color: theme.muted, fontSize: 12, hideOverlap: true },
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
  const style = axisStyle(theme);
  return {
    ...style,
    type: 'value',
    min: 0,
    max: roundEnd(max, unit),
    interval: roundInterval(max, unit),
    axisLabel: { ...style.axisLabel, formatter: (value: number) => grouped(value / unit.size, 3) },
  } as const;
}

/** The label of a tick of an axis of dollars. */
export function dollarTick(value: number): string {
  const notation = value >= 10_000 ? 'compact' : 'standard';
  return `$${value.toLocaleString('en-US', { maximumSignificantDigits: 3, notation })}`;
}

/** The axis of the nodes. */
export function nodeAxis(theme: Theme, nodes: number) {
  return { ...axisStyle(theme), type: 'value', min: 0, max: nodes, splitLine: { show: false } } as const;
}

/** Ticks at round numbers of the unit, about four of them. */
function roundInterval(max: number, unit: Unit): number {
  const raw = max / unit.size / 4;
  if (raw <= 0) return unit.size;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].find((factor) => factor * power >= raw) ?? 10;
  return step * power * unit.size;
}

/** Where an axis with such ticks ends. */
function roundEnd(max: number, unit: Unit): number {
  const interval = roundInterval(max, unit);
  return Math.max(interval, Math.ceil(max / interval - 1e-9) * interval);
}
