/**
 * The colors of the charts. The series have the colors of Okabe and Ito, which people with any kind of color blindness tell
 * apart (https://jfly.uni-koeln.de/color/), made darker until each has a contrast of 3:1 to the background, as WCAG 2.2 asks of
 * graphics.
 */

export const INK = '#16191d';
export const MUTED = '#565d66';
export const LINE = '#d9dde2';
export const SURFACE = '#ffffff';
/** The background of every second slice. */
export const BAND = '#eef2f6';

export const SERIES = ['#0072b2', '#d55e00', '#008f68', '#b0538a'];
