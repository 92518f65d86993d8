/** What a chart of the page is before it is drawn, and what the charts share. */
import type { CustomSeriesOption, LineSeriesOption } from 'echarts/charts';
import type { GridComponentOption, LegendComponentOption } from 'echarts/components';
import type { ComposeOption } from 'echarts/core';
import { type Figure, type Unit, grouped } from '../../figures';
import { INK, LINE, MUTED } from '../theme';

export type ChartOption = ComposeOption<
  CustomSeriesOption | LineSeriesOption | GridComponentOption | LegendComponentOption
>;

export interface Chart {
  /** Describes the chart in words, for screen readers. */
  readonly label: string;
  /** CSS pixels. */
  readonly height: number;
  /** Whether a tooltip is about the item below the pointer, or about the nearest one in the direction of x. */
  readonly trigger: 'item' | 'axis';
  /** @param width CSS pixels */
  readonly option: (width: number) => ChartOption;
  /** By series, then by item: what a tooltip says. A table below the chart has the same. */
  readonly facts: readonly (readonly Facts[])[];
}

export interface Facts {
  readonly title: string;
  readonly rows: readonly (readonly [label: string, figure: Figure])[];
}

const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif';

/** What all options share. Nothing moves: pages are printed, and movement disturbs some people. */
export const BASE_OPTION: ChartOption = {
  animation: false,
  textStyle: { color: INK, fontFamily: FONT, fontSize: 12 },
};

/** Keeps grids of the same margins equally wide: by default, ECharts shrinks a grid whose labels reach over its end. */
export const WHOLE_GRID = { outerBoundsMode: 'none' } as const;

/** Pixels beside the mark of an entry of a legend and of one of its characters. */
const [LEGEND_MARK, LEGEND_CHARACTER, LEGEND_ROW] = [52, 7, 24];

/** A legend above a grid with room for the rows of the legend and for the name of the vertical axis. */
export function legendAbove(names: readonly string[], width: number) {
  let [rows, used] = [1, 0];
  for (const { length } of names) {
    const own = LEGEND_MARK + LEGEND_CHARACTER * length;
    if (used > 0 && used + own > width) [rows, used] = [rows + 1, 0];
    used += own;
  }
  return {
    legend: { left: 0, top: 0, itemGap: 14, data: [...names], textStyle: { color: INK, fontSize: 13 } },
    grid: { ...WHOLE_GRID, left: leftOf(width), right: 32, top: rows * LEGEND_ROW + 30, bottom: 50 },
  };
}

/** Pixels for the labels of a vertical axis. */
export function leftOf(width: number): number {
  return width < 560 ? 56 : 70;
}

/** Lines and labels of an axis. @param formatter writes the label of a tick */
export function axisStyle(formatter?: (value: number) => string) {
  return {
    axisLine: { show: true, lineStyle: { color: MUTED } },
    axisTick: { lineStyle: { color: MUTED } },
    axisLabel: { color: MUTED, fontSize: 12, hideOverlap: true, ...(formatter && { formatter }) },
    splitLine: { lineStyle: { color: LINE } },
    nameTextStyle: { color: INK, fontSize: 12 },
  } as const;
}

/** The name of a horizontal axis, below it. */
export function nameBelow(name: string) {
  return { name, nameLocation: 'middle', nameGap: 28 } as const;
}

/** The name of a vertical axis, above it, from the left end of the chart on. */
export function nameAbove(name: string, width: number) {
  const padding = [0, 0, 0, 4 - leftOf(width)];
  return { name, nameTextStyle: { color: INK, fontSize: 12, align: 'left' as const, padding } };
}

/** A linear axis from 0 on with ticks at round numbers of a unit. The data is in base units, such as bytes. */
export function linearAxis(max: number, unit: Unit) {
  const interval = roundInterval(max, unit);
  return {
    ...axisStyle((value) => grouped(value / unit.size, 3)),
    type: 'value',
    min: 0,
    max: Math.max(interval, Math.ceil(max / interval - 1e-9) * interval),
    interval,
  } as const;
}

/** Lines and labels of an axis of dollars, or of another number. */
export function compactStyle(prefix: string) {
  return axisStyle((value) => {
    const notation = value >= 10_000 ? 'compact' : 'standard';
    return `${prefix}${value.toLocaleString('en-US', { maximumSignificantDigits: 3, notation })}`;
  });
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
