/** Makes inputs of a model for given sizes of its symbolic dimensions. */
import type { RawTensor } from '../../client';
import type { TensorSpec } from '../../contract/tensors';
import { type Model, OMITTED } from '../../lib/onnx/model';
import { onnxDataType, packedBytes } from '../../lib/onnx/data-type';

/**
 * Ids are spread over the whole table of embeddings, because the pages that a run touches depend on them. Masks are ones,
 * other integers below 2, and floats from 0 to 1.
 *
 * @param tableRows by name of an input: the rows of the table that it picks from
 */
export function modelInputs(
  inputs: readonly TensorSpec[],
  dimensions: Readonly<Record<string, number>>,
  tableRows: Readonly<Record<string, number>>,
): Map<string, RawTensor> {
  return new Map(inputs.map((spec) => [spec.name, inputOf(spec, dimensions, tableRows[spec.name] ?? 2)]));
}

/** By name of an input: the rows of the first table that it picks from. */
export function tableRows({ graph }: Model): Record<string, number> {
  const { values, nodes, initializers } = graph;
  const rows: Record<string, number> = {};
  for (const { opType, inputs } of nodes) {
    if (opType !== 'Gather') continue;
    const table = weightBehind(graph, inputs[0]);
    const { name, input } = values[inputs[1]];
    if (input === undefined || table === undefined) continue;
    rows[name] ??= initializers[table].tensor.dims[0];
  }
  return rows;
}

/** The initializer that the value is, or is converted from. */
function weightBehind({ values, nodes }: Model['graph'], first: number): number | undefined {
  let value = values[first];
  while (value.producer !== undefined) {
    const source = nodes[value.producer].inputs.at(0) ?? OMITTED;
    if (source === OMITTED) return undefined;
    value = values[source];
  }
  return value.initializer;
}

function inputOf(
  { name, dtype, shape }: TensorSpec,
  dimensions: Readonly<Record<string, number>>,
  rows: number,
): RawTensor {
  if (dtype === 'string') throw new Error(`input '${name}' must have numbers, got strings`);
  const sizes = (shape ?? []).map((size, axis) =>
    typeof size === 'number' ? size : (dimensions[size ?? `${name}[${axis}]`] ?? 1),
  );
  const count = sizes.reduce((product, size) => product * size, 1);
  const bytes = packedBytes(onnxDataType(dtype), count) ?? 0;
  return { dtype, shape: sizes, bytes: filled(name, dtype, count, bytes, rows) };
}

function filled(name: string, dtype: string, count: number, bytes: number, rows: number): Uint8Array {
  // Silero's models take the sampling rate as a scalar, and no other one.
  const at = (index: number): number =>
    name === 'sr' ? 16_000 : /mask/i.test(name) ? 1 : (index * 7919) % rows;
  const indexes = Array.from({ length: count }, (_, index) => at(index));
  switch (dtype) {
    case 'float32':
      return bytesOf(Float32Array.from(indexes, (_, index) => (index % 100) / 100));
    case 'float64':
      return bytesOf(Float64Array.from(indexes, (_, index) => (index % 100) / 100));
    case 'int64':
      return bytesOf(BigInt64Array.from(indexes, BigInt));
    case 'int32':
      return bytesOf(Int32Array.from(indexes));
    default:
      return new Uint8Array(bytes);
  }
}

function bytesOf({ buffer }: { readonly buffer: ArrayBuffer }): Uint8Array {
  return new Uint8Array(buffer);
}
