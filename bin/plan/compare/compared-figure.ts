/** A figure of two plans, and its difference. */
import { type QuantityKind, percentText, quantityText } from '../figures';

export interface ComparedFigure {
  readonly name: string;
  readonly kind: QuantityKind;
  /** `null`: not known, or there is none. */
  readonly a: number | null;
  readonly b: number | null;
  /** B − A, and its share of A. */
  readonly difference: number | null;
  readonly share: number | null;
}

export function comparedFigure(
  name: string,
  kind: QuantityKind,
  a: number | undefined,
  b: number | undefined,
): ComparedFigure {
  const difference = a === undefined || b === undefined ? null : b - a;
  const share = difference === null || a === undefined || a === 0 ? null : difference / a;
  return { name, kind, a: a ?? null, b: b ?? null, difference, share };
}

/** A share below a thousandth has no sign. */
export function signedPercent(share: number): string {
  const size = percentText(Math.abs(share));
  if (Math.abs(share) < 0.001) return size;
  return `${share < 0 ? '−' : '+'}${size}`;
}

/** `+1.2 MB (+30 %)`, `same`, or nothing if a side is not known. */
export function differenceText({ kind, difference, share }: ComparedFigure): string {
  if (difference === null) return '';
  if (difference === 0) return 'same';
  const sign = difference < 0 ? '−' : '+';
  const percent = share === null || kind === 'count' ? '' : ` (${signedPercent(share)})`;
  return `${sign}${quantityText(kind, Math.abs(difference))}${percent}`;
}
