/** The sentence that compares two plans: first by price and time of mixed runs, without prices by slices and memory. */
import { quantityText } from '../figures';
import { type ComparedFigure, signedPercent } from './compared-figure';

/** A smaller share is less than the model of cost can tell. */
const ABOUT_SAME = 0.0005;

export function verdictOf(figures: readonly ComparedFigure[]): string {
  const of = (name: string): ComparedFigure | undefined => figures.find((figure) => figure.name === name);
  const [price, time] = [of('price of a million runs, mixed'), of('p50, mixed')];
  if (price?.share != null && time?.share != null) {
    const costs = sentencePart('costs', price, ['the same', 'more', 'less']);
    const takes = sentencePart('takes', time, ['as long', 'longer', 'less']);
    return `By the model of cost, B ${costs} for a million mixed runs${percentOf(price)} and ${takes} at p50${percentOf(time)}.`;
  }
  const [slices, memory] = ['slices', 'memory of the largest function'].map((name) => {
    const figure = of(name);
    return [figure?.a, figure?.b].map((value) => quantityText(figure?.kind ?? 'count', value));
  });
  return `A has ${slices[0]} slices and B ${slices[1]}; the largest function has ${memory[0]} in A and ${memory[1]} in B. Prices and times need both models.`;
}

function sentencePart(
  verb: string,
  { kind, difference, share }: ComparedFigure,
  [same, more, less]: readonly [same: string, more: string, less: string],
): string {
  if (difference === null || Math.abs(share ?? 0) < ABOUT_SAME) return `${verb} ${same}`;
  return `${verb} ${quantityText(kind, Math.abs(difference))} ${difference > 0 ? more : less}`;
}

function percentOf({ share }: ComparedFigure): string {
  return Math.abs(share ?? 0) < ABOUT_SAME ? '' : ` (${signedPercent(share ?? 0)})`;
}
