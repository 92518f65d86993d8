/** Says which of the planned sizes ONNX Runtime refuses. */
import { printable } from '../errors';
import type { PlannedTypes } from '../shapes/planned-types';
import { type DimensionSizes, givenSize } from '../shapes/value-types';

/** Dimensions that a sentence lists. */
const NAMED = 4;

/** One sentence each, without a full stop. */
export interface SizeNotes {
  /** Present if ONNX Runtime does not load the model with the planned sizes. */
  readonly refused?: string;
  /** Present if the plan assumes other sizes than the usual ones, because ONNX Runtime refuses these. */
  readonly replaced?: string;
}

type Planned = Pick<PlannedTypes, 'dimensions' | 'refusal' | 'replaced'>;

export function sizeNotes({ dimensions, refusal, replaced }: Planned): SizeNotes {
  return {
    ...(refusal !== undefined && {
      refused: `ONNX Runtime refuses the model with ${listed(dimensions)}, so most sizes are estimates: ${refusal}`,
    }),
    ...(replaced && { replaced: replacedNote(replaced, dimensions) }),
  };
}

function replacedNote(
  { usual, reason }: NonNullable<Planned['replaced']>,
  dimensions: DimensionSizes,
): string {
  const chosen = Object.keys(usual).map((name) => [name, givenSize(dimensions, name) ?? NaN] as const);
  return `ONNX Runtime refuses the model with the usual ${listed(usual)}, so the plan assumes ${listed(Object.fromEntries(chosen))}: ${reason}`;
}

function listed(sizes: DimensionSizes): string {
  const all = Object.entries(sizes).map(([name, size]) => `${printable(name)}=${size}`);
  const more = all.length - NAMED;
  return more > 0 ? `${all.slice(0, NAMED).join(', ')} and ${more} more` : all.join(', ');
}
