/** What a chart of the page is before it is drawn, and what the charts share. */
import type { CustomSeriesOption, LineSeriesOption } from 'echarts/charts';
import type { GridComponentOption } from 'echarts/components';
import type { ComposeOption } from 'echarts/core';
import { type Figure, type Unit, grouped } from '../../figures';
import type { Theme } from '../theme';

export type ChartOption = ComposeOption<CustomSeriesOption | LineSeriesOption | GridComponentOption>;

export interface Chart {
  /** Describes the chart in words, for screen readers. */
  readonly label: string;
  /** CSS pixels. */
  readonly height: number;
  /** @param width CSS pixels */
  readonly option: (width: number, theme: Theme) => ChartOption;
  /** By series, then by item: what a tooltip says. A table below the chart has the same. */
  readonly facts: readonly (readonly Facts[])[];
}

export interface Facts {
  readonly title: string;
  readonly rows: readonly (readonly [label: string, figure: Figure])[];
}

const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif';

/** What all options share. Nothing moves: pages are printed, and movement disturbs some people. */
export function baseOption({ ink }: Theme): ChartOption {
  return { animation: false, textStyle: { color: ink, fontFamily: FONT, fontSize: 12 } };
}

/** Keeps grids of the same margins equally wide: by default, ECharts shrinks a grid whose labels reach over its end. */
export const WHOLE_GRID = { outerBoundsMode: 'none' } as const;

/** Pixels for the labels of a vertical axis. */
export function leftOf(width: number): number {
  return width < 560 ? 56 : 70;
}

/** Pixels to the right of a plot. */
export const RIGHT = 18;

/** Lines and labels of an axis. @param formatter writes the label of a tick */
export function axisStyle({ ink, muted, line }: Theme, formatter?: (value: number) => string) {
  return {
    axisLine: { show: true, lineStyle: { color: muted } },
    axisTick: { lineStyle: { color: muted } },
    axisLabel: { color: muted, fontSize: 12, hideOverlap: true, ...(formatter && { formatter }) },
    splitLine: { lineStyle: { color: line } },
    nameTextStyle: { color: ink, fontSize: 12 },
  } as const;
}

/** The name of a horizontal axis, below it. */
export function nameBelow(name: string) {
  return { name, nameLocation: 'middle', nameGap: 28 } as const;
}

/** The name of a vertical axis, above it, from the left end of the chart on. */
export function nameAbove(name: string, width: number, { ink }: Theme) {
  const padding = [0, 0, 0, 4 - leftOf(width)];
  return { name, nameTextStyle: { color: ink, fontSize: 12, align: 'left' as const, padding } };
}

/** A linear axis from 0 on with ticks at round numbers of a unit. The data is in base units, such as bytes. */
export function linearAxis(max: number, unit: Unit, theme: Theme) {
  const interval = roundInterval(max, unit);
  return {
    ...axisStyle(theme, (value) => grouped(value / unit.size, 3)),
    type: 'value',
    min: 0,
    max: Math.max(interval, Math.ceil(max / interval - 1e-9) * interval),
    interval,
  } as const;
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
