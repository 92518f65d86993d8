/**
 * The colors of the charts in light and dark. The series begin with the colors of Okabe and Ito, which people with any kind
 * of color blindness tell apart (https://jfly.uni-koeln.de/color/), made darker or lighter until each has a contrast of 3:1
 * to the background, as WCAG 2.2 asks of graphics.
 */

export interface Theme {
  readonly ink: string;
  readonly muted: string;
  readonly line: string;
  readonly surface: string;
  /** The background of every second slice. */
  readonly band: string;
  /** Cuts, and the chosen plan. */
  readonly accent: string;
  readonly series: readonly string[];
}

export const LIGHT: Theme = {
  ink: '#16191d',
  muted: '#565d66',
  line: '#d9dde2',
  surface: '#ffffff',
  band: '#eef2f6',
  accent: '#16191d',
  series: ['#0072b2', '#d55e00', '#008f68', '#b0538a', '#8a6d00', '#2a93cf', '#5b6470', '#7a3fb0'],
};

export const DARK: Theme = {
  ink: '#eceff3',
  muted: '#a9b2bd',
  line: '#39414b',
  surface: '#171b21',
  band: '#222831',
  accent: '#ffffff',
  series: ['#56b4e9', '#f0803c', '#2fc698', '#e08fc0', '#e6c229', '#8fd3ff', '#aab4c0', '#b99cff'],
};

/** Markers and dashes by series, so that no series is known by its color alone. */
const SYMBOLS = ['circle', 'rect', 'triangle', 'diamond'] as const;
const DASHES: readonly (readonly number[])[] = [[], [7, 4], [2, 3], [9, 3, 2, 3]];

export function colorOf(theme: Theme, series: number): string {
  return theme.series[series % theme.series.length];
}

export function symbolOf(series: number): (typeof SYMBOLS)[number] {
  return SYMBOLS[series % SYMBOLS.length];
}

export function dashOf(series: number): readonly number[] {
  return DASHES[series % DASHES.length];
}
