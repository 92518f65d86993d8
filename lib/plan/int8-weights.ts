/** The 8-bit weights of a plan, and what users should know of them: sentences without a full stop. */

export interface PlannedInt8Weights {
  /** How many constant weights of the model such a processor would multiply wrongly. */
  readonly count: number;
  /** Whether the slices have them as numbers of the other type, with the same products on every processor. Slices for arm64 have not. */
  readonly isRewritten: boolean;
  /** Operators that stay wrong on such a processor, and why, the first ones in the graph: sentences without a full stop. */
  readonly inexact: readonly string[];
}

export const MAX_INEXACT = 1000;
export const MAX_INEXACT_LENGTH = 400;

/** If the weight is computed from constants. */
const FOLDED = 'let graph optimization (basic) fold constants, ';

/** Operators that a sentence names. */
const NAMED = 2;

/** @returns how the slices differ from the model, if they do */
export function rewrittenNote({ count, isRewritten }: PlannedInt8Weights): string | undefined {
  if (!isRewritten) return undefined;
  const weights = count === 1 ? '1 constant 8-bit weight has' : `${count} constant 8-bit weights have`;
  return `${weights} the other 8-bit type in the slices, with the zero point moved by 128: products stay the same, and x86 processors without VNNI, such as Lambda's, compute them exactly`;
}

/** @returns what the x86 processors of Lambda compute wrongly in these slices, and the remedies */
export function inexactNote({ count, isRewritten, inexact }: PlannedInt8Weights): string | undefined {
  const stored =
    count > 0 && !isRewritten
      ? `x86 processors without VNNI, such as Lambda's, multiply ${count} of the 8-bit weights of these slices wrongly, because the slices are for arm64: slice the model for x86_64, or set the architecture to arm64`
      : undefined;
  if (inexact.length === 0) return stored;
  const more = inexact.length - NAMED;
  const operators = [...inexact.slice(0, NAMED), ...(more > 0 ? [`${more} more`] : [])].join('; ');
  const folded = inexact.some((each) => each.endsWith('is computed')) ? FOLDED : '';
  const computed = `x86 processors without VNNI, such as Lambda's, may compute 8-bit products wrongly (${operators}): set the architecture to arm64, ${folded}or quantize the model with reduce_range or with uint8 weights`;
  return stored === undefined ? computed : `${stored}; ${computed}`;
}
