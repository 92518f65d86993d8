/** Four digits: more than a measurement repeats. */
const DIGITS = 4;

/** Rounds a measured figure, so that a file of figures stays small. */
export function rounded(figure: number): number {
  return Number(figure.toPrecision(DIGITS));
}
