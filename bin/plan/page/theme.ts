/**
 * The colors of the charts, for light and dark pages. The series have the colors of Okabe and Ito, which people with any kind of
 * color blindness tell apart (https://jfly.uni-koeln.de/color/), darker on a light page until each has a contrast of 3:1 to the
 * background, as WCAG 2.2 asks of graphics.
 */

export interface Theme {
  readonly ink: string;
  readonly muted: string;
  readonly line: string;
  readonly surface: string;
  /** The background of every second slice. */
  readonly band: string;
  readonly series: readonly string[];
}

export const LIGHT: Theme = {
  ...{ ink: '#16191d', muted: '#565d66', line: '#d9dde2', surface: '#ffffff', band: '#eef2f6' },
  series: ['#0072b2', '#d55e00', '#008f68', '#b0538a'],
};

export const DARK: Theme = {
  ...{ ink: '#e8eaed', muted: '#a3abb5', line: '#3a4149', surface: '#1c2127', band: '#272e36' },
  series: ['#56b4e9', '#e69f00', '#2bb98f', '#cc79a7'],
};
