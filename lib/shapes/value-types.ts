/** What is known of each value's type, and the size that it is planned with. */
import type { Dimension } from '../../contract/tensors';
import { dataTypeName, onnxDataType, tensorBytes, isBindable } from '../onnx/data-type';
import type { Graph, ValueIndex } from '../onnx/model';

export interface ValueType {
  /** Name of the element type; absent for sequences, maps, optionals, and where ONNX Runtime knows none. */
  readonly dtype?: string;
  /** `null` where even the rank is unknown. */
  readonly shape: readonly Dimension[] | null;
}

/** By value index. */
export type ValueTypes = readonly ValueType[];

export const UNKNOWN_TYPE: ValueType = { shape: null };

/** Bytes that a string is planned with; a string's real length is not known before it exists. */
const STRING_BYTES = 32;

/** Sizes for symbolic dimensions, by name; `x[2]` is the name of the nameless third dimension of input `x`. */
export type DimensionSizes = Readonly<Record<string, number>>;

/** The size that is given for a dimension's name, if one is. Names may be those of an object's own members. */
export function givenSize(sizes: DimensionSizes, name: string | undefined): number | undefined {
  return name !== undefined && Object.hasOwn(sizes, name) ? sizes[name] : undefined;
}

/** The name under which `DimensionSizes` has dimension `axis` of an input, `undefined` when its size is fixed. */
export function dimensionName(input: string, axis: number, dimension: Dimension): string | undefined {
  if (typeof dimension === 'number') return undefined;
  return dimension ?? `${input}[${axis}]`;
}

/** Names of the symbolic dimensions of some inputs, each once, in their order. */
export function symbolicNames(
  inputs: readonly { readonly name: string; readonly shape: readonly Dimension[] | null }[],
): string[] {
  const names = inputs.flatMap(({ name, shape }) =>
    (shape ?? []).map((dimension, axis) => dimensionName(name, axis, dimension)),
  );
  return [...new Set(names.filter((name) => name !== undefined))];
}

/** Names of the symbolic dimensions that a request decides. */
export function symbolicDimensions(graph: Graph): string[] {
  const requested = graph.inputs.filter(({ value }) => graph.values[value].initializer === undefined);
  return symbolicNames(
    requested.map(({ value, type }) => ({ name: graph.values[value].name, shape: type.shape ?? null })),
  );
}

/**
 * Bytes that each value is planned with. A symbolic dimension without a size counts as 1; one that inference lost
 * counts as the largest size given, which errs on the large side.
 */
export function plannedBytes(types: ValueTypes, sizes: DimensionSizes): number[] {
  const lost = Math.max(1, ...Object.values(sizes));
  return types.map(({ dtype, shape }) => {
    if (dtype === undefined || !isBindable(dtype)) return 0;
    const elements = (shape ?? [lost]).reduce<number>((product, dimension) => {
      if (typeof dimension === 'number') return product * dimension;
      return (
        product *
        (dimension === null
          ? lost
          : (givenSize(sizes, dimension) ?? (dimension.startsWith('unk__') ? lost : 1)))
      );
    }, 1);
    return tensorBytes(onnxDataType(dtype), elements) ?? elements * STRING_BYTES;
  });
}

/** The declared type of a graph input or the stored type of an initializer; `undefined` for a node's output. */
export function givenType(graph: Graph, index: ValueIndex): ValueType | undefined {
  const { input, initializer } = graph.values[index];
  if (input !== undefined) {
    const { dataType, shape } = graph.inputs[input].type;
    return { ...(dataType !== undefined && { dtype: dataTypeName(dataType) }), shape: shape ?? null };
  }
  if (initializer !== undefined) {
    const { dataType, dims } = graph.initializers[initializer].tensor;
    return { dtype: dataTypeName(dataType), shape: dims };
  }
  return undefined;
}
