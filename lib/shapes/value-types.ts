/** Types of values, and the sizes that planning assumes for them. */
import type { Dimension } from '../../contract/tensors';
import { dataTypeName, onnxDataType, packedBytes, isBindable } from '../onnx/data-type';
import type { Graph, ValueIndex } from '../onnx/model';

interface ValueType {
  /** Name of the element type; absent for sequences, maps, optionals, and when ONNX Runtime infers no type. */
  readonly dtype?: string;
  /** `null` when the rank is unknown. */
  readonly shape: readonly Dimension[] | null;
}

/** By value index. */
export type ValueTypes = readonly ValueType[];

export const UNKNOWN_TYPE: ValueType = { shape: null };

/** Bytes that planning assumes for a string. The real length is known only at run time. */
const STRING_BYTES = 32;

/** Sizes of symbolic dimensions, by name. An unnamed third dimension of input `x` has the name `x[2]`. */
export type DimensionSizes = Readonly<Record<string, number>>;

/** Sorts sizes by name, because plans are compared by their bytes and some languages' maps have a random order. */
export function sortedSizes(sizes: DimensionSizes): DimensionSizes {
  return Object.fromEntries(Object.entries(sizes).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The size of the dimension `name`, if `sizes` has one. A name may be that of an inherited member of an object. */
export function givenSize(sizes: DimensionSizes, name: string | undefined): number | undefined {
  return name !== undefined && Object.hasOwn(sizes, name) ? sizes[name] : undefined;
}

/** The name of dimension `axis` of an input in `DimensionSizes`; `undefined` when its size is fixed. */
export function dimensionName(input: string, axis: number, dimension: Dimension): string | undefined {
  if (typeof dimension === 'number') return undefined;
  return dimension ?? `${input}[${axis}]`;
}

/** The names of the symbolic dimensions of inputs, each once, in the order of the inputs. */
export function symbolicNames(
  inputs: readonly { readonly name: string; readonly shape: readonly Dimension[] | null }[],
): string[] {
  const names = inputs.flatMap(({ name, shape }) =>
    (shape ?? []).map((dimension, axis) => dimensionName(name, axis, dimension)),
  );
  return [...new Set(names.filter((name) => name !== undefined))];
}

/** The names of the symbolic dimensions of the inputs that have no default; requests decide their sizes. */
export function symbolicDimensions(graph: Graph): string[] {
  const requested = graph.inputs.filter(({ value }) => graph.values[value].initializer === undefined);
  return symbolicNames(
    requested.map(({ value, type }) => ({ name: graph.values[value].name, shape: type.shape ?? null })),
  );
}

/**
 * Bytes that planning assumes for each value. A symbolic dimension without a size counts as 1. A dimension that
 * ONNX Runtime could not infer counts as the largest of `sizes`, which overestimates rather than underestimates.
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
    return packedBytes(onnxDataType(dtype), elements) ?? elements * STRING_BYTES;
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
