/** Decides which values can cross a cut without changing the results of the model. */
import { isBindable } from '../onnx/data-type';
import type { Model, ValueIndex } from '../onnx/model';
import { Casts } from './casts';
import type { ValueTypes } from '../shapes/value-types';

/** Why a value cannot cross a cut; `undefined` when it can. */
export type CrossingRule = (value: ValueIndex) => string | undefined;

/** Names with a special meaning in ONNX Runtime's JavaScript API or in safetensors files. */
const RESERVED_NAMES = new Set(['__proto__', '__metadata__']);

export function crossingRule(model: Model, types: ValueTypes): CrossingRule {
  const { values, nodes } = model.graph;
  const { betweenCasts } = new Casts(model);
  return (value) => {
    const { name, producer } = values[value];
    const { dtype } = types[value];
    if (dtype === undefined) return 'not a tensor, or of unknown type';
    if (!isBindable(dtype)) return `of type ${dtype}`;
    // ONNX Runtime computes a float16 node in float32 if it has no float16 kernel for the node or if the neighbors run in
    // float32, and it drops conversions between neighbors. A cut, or another neighbor, rounds where the whole model does not.
    if (dtype === 'float16') return 'of type float16';
    if (roundsByNeighbors(model)) return 'of a model that computes in float16';
    if (betweenCasts.has(value)) {
      // ONNX Runtime merges the two casts into one, which rounds or wraps differently.
      const by = producer === undefined ? '' : ` by ${nodes[producer].opType}`;
      return `computed${by} and read by another cast, and ONNX Runtime merges the two`;
    }
    if (dtype === 'string' && model.unsafeStrings !== undefined) {
      return `of strings in which ${model.unsafeStrings} may put a NUL or invalid UTF-8`;
    }
    return unusableName(name);
  };
}

/** Whether ONNX Runtime will still decide, by the neighbors of each value, where the model rounds to float16. */
export function roundsByNeighbors({ usesFloat16, isSettled }: Model): boolean {
  return usesFloat16 && !isSettled;
}

/** Why a value with this name can be neither fed nor fetched; `undefined` when it can. */
export function unusableName(name: string): string | undefined {
  if (RESERVED_NAMES.has(name)) return 'named like a key that JavaScript or safetensors reserves';
  return name.includes('\0') ? 'named with a NUL character' : undefined;
}
