/**
 * The colors of the charts. The series begin with the colors of Okabe and Ito, which people with any kind of color blindness tell
 * apart (https://jfly.uni-koeln.de/color/), made darker until each has a contrast of 3:1 to the background, as WCAG 2.2 asks of
 * graphics.
 */

export const INK = '#16191d';
export const MUTED = '#565d66';
export const LINE = '#d9dde2';
export const SURFACE = '#ffffff';
/** The background of every second slice. */
export const BAND = '#eef2f6';

export const SERIES = [
  ...['#0072b2', '#d55e00', '#008f68', '#b0538a'],
  ...['#8a6d00', '#2a93cf', '#5b6470', '#7a3fb0'],
];

/** Markers and dashes by series, so that no series is known by its color alone. */
const SYMBOLS = ['circle', 'rect', 'triangle', 'diamond'];
const DASHES: readonly (readonly number[])[] = [[], [7, 4], [2, 3], [9, 3, 2, 3]];

/** The color, the marker and the dashes of a series of lines or points. @param width of the line; 0 for points alone */
export function lineStyle(series: number, width: number) {
  const color = SERIES[series % SERIES.length];
  return {
    symbol: SYMBOLS[series % SYMBOLS.length],
    showAllSymbol: true,
    lineStyle: { color, width, type: [...DASHES[series % DASHES.length]] },
    itemStyle: { color },
  };
}
