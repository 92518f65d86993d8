/**
 * The colors of the charts. The series have the colors of Okabe and Ito, which people with any kind of color blindness tell apart
 * (https://jfly.uni-koeln.de/color/), darker until each has a contrast of 3:1 to the background, as WCAG 2.2 asks of graphics.
 */
export const THEME = {
  ...{ ink: '#16191d', muted: '#565d66', line: '#d9dde2', surface: '#ffffff' },
  /** The background of every second slice. */
  band: '#eef2f6',
  series: ['#0072b2', '#d55e00', '#008f68', '#b0538a'],
} as const;
