/** A figure of two plans, its difference, and the sentence about the two most important ones. */
import { type QuantityKind, inPercent, quantityText } from '../figures';

export interface ComparedFigure {
  readonly name: string;
  readonly kind: QuantityKind;
  /** `null`: there is none. */
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

/** `+1.2 MB (+30 %)`, `same`, or nothing if a side has none. */
export function differenceText(figure: ComparedFigure): string {
  const { kind, difference } = figure;
  if (difference === null) return '';
  if (difference === 0) return 'same';
  const sign = difference < 0 ? '−' : '+';
  return `${sign}${quantityText(kind, Math.abs(difference))}${kind === 'count' ? '' : shareText(figure)}`;
}

/** The model of cost cannot tell a smaller share, and a larger one says no more than the two figures. */
const [LEAST_SHARE, MOST_SHARE] = [0.001, 10];

function shareText({ share }: ComparedFigure): string {
  if (share === null || Math.abs(share) < LEAST_SHARE || share > MOST_SHARE) return '';
  return ` (${share < 0 ? '−' : '+'}${inPercent(Math.abs(share))})`;
}

/** `$33.01 with A and $34.05 with B (+3.2 %)`. */
function sidesText(figure: ComparedFigure): string {
  const { kind, a, b } = figure;
  return `${quantityText(kind, a)} with A and ${quantityText(kind, b)} with B${shareText(figure)}`;
}

export function verdictOf(figures: readonly ComparedFigure[]): string {
  const sides = (name: string): string =>
    figures
      .filter((figure) => figure.name === name)
      .map(sidesText)
      .join('');
  return `By the model of cost, a million mixed runs cost ${sides('price of a million runs, mixed')}, and the p50 of a run is ${sides('p50, mixed')}.`;
}
