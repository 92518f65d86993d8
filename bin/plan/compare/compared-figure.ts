/** A figure of two plans, its difference, and the sentence about the two most important ones. */
import { type QuantityKind, inPercent, quantityText } from '../figures';

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

export function comparedFigure(name: string, kind: QuantityKind, a?: number, b?: number): ComparedFigure {
  const difference = a === undefined || b === undefined ? null : b - a;
  const share = difference === null || !a ? null : difference / a;
  return { name, kind, a: a ?? null, b: b ?? null, difference, share };
}

/** `+1.2 MB (+30 %)`, `same`, or nothing if a side is not known. */
export function differenceText(figure: ComparedFigure): string {
  const { kind, difference } = figure;
  if (difference === null) return '';
  if (difference === 0) return 'same';
  const sign = difference < 0 ? '−' : '+';
  return `${sign}${quantityText(kind, Math.abs(difference))}${kind === 'count' ? '' : shareText(figure)}`;
}

/** A smaller share is less than the model of cost can tell. */
const LEAST_SHARE = 0.0005;

function shareText({ share }: ComparedFigure): string {
  if (share === null || Math.abs(share) < LEAST_SHARE) return '';
  return ` (${share < 0 ? '−' : '+'}${inPercent(Math.abs(share))})`;
}

/** Prices and times of mixed runs; without them, slices and memory. */
export function verdictOf(figures: readonly ComparedFigure[]): string {
  const named = (name: string): ComparedFigure | undefined =>
    figures.find((figure) => figure.name === name && figure.difference !== null);
  const [price, time] = [named('price of a million runs, mixed'), named('p50, mixed')];
  if (price && time) {
    const costs = changeText(price, ['costs the same', 'costs', 'more', 'less']);
    const takes = changeText(time, ['takes as long', 'takes', 'longer', 'less']);
    return `By the model of cost, B ${costs} for a million mixed runs${shareText(price)} and ${takes} at p50${shareText(time)}.`;
  }
  const both = (name: string): string => {
    const { kind = 'count', a, b } = named(name) ?? {};
    return `${quantityText(kind, a)} in A and ${quantityText(kind, b)} in B`;
  };
  return `The slices are ${both('slices')}, and the memory of the largest function is ${both('memory of the largest function')}. Prices and times need both models.`;
}

function changeText(
  { kind, difference, share }: ComparedFigure,
  [same, verb, more, less]: readonly [same: string, verb: string, more: string, less: string],
): string {
  if (difference === null || Math.abs(share ?? 0) < LEAST_SHARE) return same;
  return `${verb} ${quantityText(kind, Math.abs(difference))} ${difference > 0 ? more : less}`;
}
