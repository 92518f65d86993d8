/** Types of values, names and sizes of symbolic dimensions, and bytes of tensors. */
import type { Dimension, TensorSpec } from '../../contract/tensors';
import { dataTypeName, onnxDataType, packedBytes } from '../onnx/data-type';
import type { Graph, ValueIndex } from '../onnx/model';

export interface ValueType {
  /** Name of the element type; absent for sequences, maps, optionals, and when ONNX Runtime infers no type. */
  readonly dtype?: string;
  /** `null` when the rank is unknown. */
  readonly shape: readonly Dimension[] | null;
}

export type ValueTypes = readonly ValueType[];

export const UNKNOWN_TYPE: ValueType = { shape: null };

/** Whether all sizes are numbers. What is not a tensor has none. */
export function isKnown({ dtype, shape }: ValueType): boolean {
  return dtype === undefined || (shape?.every((dimension) => typeof dimension === 'number') ?? false);
}

/** Bytes that planning assumes for a string. The real length is known only at run time. */
const STRING_BYTES = 32;

/** Bytes that planning assumes for an element of a sequence, whose type ONNX Runtime does not report. */
const UNKNOWN_ELEMENT_BYTES = 4;

/** Sizes of symbolic dimensions, by name. An unnamed third dimension of input `x` has the name `x[2]`. */
export type DimensionSizes = Readonly<Record<string, number>>;

/** The sizes that symbolic dimensions have in the inputs. Of two sizes with one name, the larger counts. */
export function usedDimensions(
  specs: readonly TensorSpec[],
  inputs: ReadonlyMap<string, { readonly shape: readonly number[] }>,
): DimensionSizes {
  const sizes = new Map<string, number>();
  for (const { name, shape } of specs) {
    const actual = inputs.get(name)?.shape ?? [];
    (shape ?? []).forEach((dimension, axis) => {
      const symbol = dimensionName(name, axis, dimension);
      if (symbol !== undefined) sizes.set(symbol, Math.max(sizes.get(symbol) ?? 0, actual[axis] ?? 0));
    });
  }
  return sortedSizes(Object.fromEntries(sizes));
}

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
export function symbolicDimensions({ inputs, values }: Graph): string[] {
  const requested = inputs.filter(({ value }) => values[value].initializer === undefined);
  const names = requested.flatMap(({ value, type }) =>
    (type.shape ?? []).map((dimension, axis) => dimensionName(values[value].name, axis, dimension)),
  );
  return [...new Set(names.filter((name) => name !== undefined))];
}

export function sizedShape(
  input: string,
  shape: readonly Dimension[] | null,
  sizes: DimensionSizes,
): readonly Dimension[] | null {
  return (
    shape?.map((dimension, axis) => givenSize(sizes, dimensionName(input, axis, dimension)) ?? dimension) ??
    null
  );
}

/** Bytes of a tensor in memory. Strings count as 32 bytes each, and elements of an unknown type as 4. */
export function tensorBytes(dtype: string | undefined, elements: number): number {
  if (dtype === 'string') return elements * STRING_BYTES;
  const packed = dtype === undefined ? undefined : packedBytes(onnxDataType(dtype), elements);
  return packed ?? elements * UNKNOWN_ELEMENT_BYTES;
}

export function product(factors: readonly number[]): number {
  return factors.reduce((result, factor) => result * factor, 1);
}

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

/** By value: a number that it shares with the values whose size is known to be the same; -1 if none can be. */
export type SizeClasses = Int32Array;

/** @param types without planned sizes: dimensions have the same size if they have the same number or name */
export function sizeClasses(types: ValueTypes): SizeClasses {
  const classes = new Map<string, number>();
  return Int32Array.from(types, ({ dtype, shape }) => {
    if (dtype === undefined || shape === null || shape.includes(null)) return -1;
    const key = JSON.stringify([tensorBytes(dtype, 2), ...shape]);
    const known = classes.get(key) ?? classes.size;
    classes.set(key, known);
    return known;
  });
}
