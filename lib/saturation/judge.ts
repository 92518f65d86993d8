/** Decides which inputs of an operator must change their type so that its integer products are exact on every processor. */
import type { StoredTensor } from './stored-weight';
import { type ByteType, saturatingOperator } from './operators';

/** What is known of a value. */
export interface Known {
  /** The name of its element type. */
  readonly dtype?: string | undefined;
  /** Absent if it is not a constant of the model. */
  readonly stored?: StoredTensor;
  /** Why it cannot be rewritten, if it is not stored: the end of a sentence that begins with the value. */
  readonly obstacle?: string;
}

export interface Operands {
  /** With its domain, unless it is ai.onnx. */
  readonly operator: string;
  /** Names; empty for omitted ones. */
  readonly inputs: readonly string[];
}

/** An input whose constant gets the other type. */
export interface Change {
  readonly position: number;
  /** Absent for a zero point that the operator does not have. */
  readonly name?: string;
  readonly stored?: StoredTensor;
  /** The type before the change. */
  readonly type: ByteType;
  readonly isWeight: boolean;
}

export interface Verdict {
  readonly changes: readonly Change[];
  /** Why some of its products stay wrong on some processors: the end of a sentence that begins with the operator. */
  readonly obstacle?: string;
}

const EXACT: Verdict = { changes: [] };

export interface Judged {
  readonly find: (name: string) => Known;
  /** Whether the bytes of a weight can saturate. */
  readonly canSaturate: (weight: StoredTensor) => boolean;
}

/** @returns no changes for an operator whose products are exact */
export function judge({ operator, inputs }: Operands, { find, canSaturate }: Judged): Verdict {
  const known = saturatingOperator(operator);
  if (known === undefined) return EXACT;
  const { activations, weights, wrong, takesAnyActivations = false } = known;
  const at = (position: number): string => inputs.at(position) ?? '';
  const typeOf = (position: number): string | undefined =>
    at(position) === '' ? undefined : find(at(position)).dtype;
  const found = weights.map((input) => ({ ...input, ...find(at(input.weight)) }));
  if (found.some(({ dtype }) => dtype === undefined)) return inexact('has a weight of an unknown type');
  const wrongWeights = found.filter(({ dtype }) => dtype === wrong.weights);
  if (activations !== undefined && wrongWeights.length > 0) {
    const type = typeOf(activations.values) ?? typeOf(activations.zeroPoint);
    if (type === undefined && !takesAnyActivations) return inexact('has activations of an unknown type');
    if (type !== undefined && type !== wrong.activations) return EXACT;
  }
  if (wrongWeights.every(({ stored }) => stored !== undefined && !canSaturate(stored))) return EXACT;
  const changes: Change[] = [];
  // An operator with several weights takes them in one type only.
  for (const { weight: position, zeroPoint, stored, obstacle = 'is computed' } of wrongWeights) {
    if (stored === undefined) return inexact(`has a weight that ${obstacle}`);
    const ofZeroPoint = zeroPointAt(zeroPoint);
    if (typeof ofZeroPoint === 'string') return inexact(`has a zero point that ${ofZeroPoint}`);
    changes.push({ position, name: at(position), stored, type: wrong.weights, isWeight: true }, ofZeroPoint);
  }
  return { changes };

  function zeroPointAt(position: number): Change | string {
    const change = { position, type: wrong.weights, isWeight: false };
    const name = at(position);
    if (name === '') return change;
    const { stored, obstacle = 'is computed' } = find(name);
    return stored === undefined ? obstacle : { ...change, name, stored };
  }
}

function inexact(obstacle: string): Verdict {
  return { changes: [], obstacle };
}
