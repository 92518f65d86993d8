/** Chooses between the weights of the model and weights that x86 processors multiply exactly. */
import { type CostOptions, withDefaults } from '../cost/options';
import { analyzeDataflow } from '../dataflow/dataflow';
import type { Model } from '../onnx/model';
import { type Saturation, exactIntegers } from '../saturation/rewrite';
import { type PlannedInt8Weights, MAX_INEXACT, MAX_INEXACT_LENGTH } from '../plan/int8-weights';
import { printable } from '../errors';
import type { TypedGraph } from './cuttable-graph';

export interface Int8Weights extends Saturation {
  /** Whether the slices have the weights that are exact on all processors. */
  readonly isRewritten: boolean;
  /** The whole graph before splits, with the weights that are exact on all processors. */
  readonly exact: Model;
}

/** For x86_64, the graph whose integer products are exact. arm64 computes the weights of the model exactly, and faster. */
export function withExactIntegers(
  given: TypedGraph,
  costs: CostOptions = {},
): { readonly typed: TypedGraph; readonly int8Weights: Int8Weights } {
  const { model: exact, types, saturation } = exactIntegers(given.model, given.types);
  const isRewritten = saturation.weights > 0 && withDefaults(costs).architecture === 'x86_64';
  const typed = isRewritten
    ? { model: exact, types, dataflow: analyzeDataflow(exact, (value) => types[value]?.dtype === 'float16') }
    : given;
  return { typed, int8Weights: { ...saturation, isRewritten, exact } };
}

export function hasInt8Faults({ weights, remaining }: Saturation): boolean {
  return weights > 0 || remaining.length > 0;
}

export function plannedInt8Weights(int8: Int8Weights): PlannedInt8Weights {
  const { weights: count, remaining, isRewritten } = int8;
  const inexact = remaining
    .slice(0, MAX_INEXACT)
    .map(({ node, reason }) => printable(`${node} ${reason}`, MAX_INEXACT_LENGTH));
  return { count, isRewritten, inexact };
}
