/** Which values can cross a cut and leave the result as it is. */
import { isBindable } from '../onnx/data-type';
import type { Model, ValueIndex } from '../onnx/model';
import { Casts } from './casts';
import type { ValueTypes } from '../shapes/value-types';

/** Why a value cannot cross a cut; `undefined` when it can. */
export type CrossingRule = (value: ValueIndex) => string | undefined;

/** Names that the JavaScript API of ONNX Runtime or the file format of tensors take for something else. */
const RESERVED_NAMES = new Set(['__proto__', '__metadata__']);

export function crossingRule(model: Model, types: ValueTypes): CrossingRule {
  const { values, nodes } = model.graph;
  const { between } = new Casts(model);
  return (value) => {
    const { name, producer } = values[value];
    const { dtype } = types[value];
    if (dtype === undefined) return 'no tensor, or of unknown type';
    if (!isBindable(dtype)) return `of type ${dtype}`;
    // ONNX Runtime computes float16 in float32 where it has no better kernel or where its neighbors do, and drops
    // conversions between neighbors: a cut, or another neighbor, rounds where the whole model does not.
    if (dtype === 'float16') return 'of type float16';
    if (roundsByNeighbors(model)) return 'of a model that computes in float16';
    if (between.has(value)) {
      // It merges the two into one, which rounds or wraps differently.
      const maker = producer === undefined ? '' : ` by ${nodes[producer].opType}`;
      return `made${maker} and used by another cast, which ONNX Runtime merges`;
    }
    if (dtype === 'string' && model.unsafeStrings !== undefined) {
      return `of strings that ${model.unsafeStrings} may give a NUL or invalid UTF-8`;
    }
    return unusableName(name);
  };
}

/** Whether where the model rounds to float16 is still to be decided, by all neighbors of each value. */
export function roundsByNeighbors({ usesFloat16, isSettled }: Model): boolean {
  return usesFloat16 && !isSettled;
}

/** Why a value with this name can be neither fed nor fetched. */
export function unusableName(name: string): string | undefined {
  if (RESERVED_NAMES.has(name)) return 'of a name that JavaScript or safetensors reserves';
  return name.includes('\0') ? 'of a name with a NUL' : undefined;
}
