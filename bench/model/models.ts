/** The models whose runs are predicted: made in code, and from an npm package that the tests use. */
import * as path from 'node:path';
import { writeConvolutions } from '../runtime/convolutions';
import { ocrModel } from '../runtime/models';
import { writeTransformer } from '../runtime/transformer';

export interface RunModel {
  readonly name: string;
  readonly file: string;
  readonly slices: number;
  /** Sizes of symbolic dimensions, by name. */
  readonly dimensions: Readonly<Record<string, number>>;
  readonly input: {
    readonly name: string;
    readonly dtype: 'float32' | 'int64';
    readonly shape: readonly number[];
  };
  readonly stateMachineType?: 'express' | 'standard';
}

/** Generates some of the models in `folder`. */
export function runModels(folder: string): RunModel[] {
  const transformer = path.join(folder, 'transformer.onnx');
  writeTransformer(transformer, { layers: 12, hidden: 768, heads: 12, vocabulary: 8192, sequence: 128 });
  const convolutions = path.join(folder, 'convolutions.onnx');
  writeConvolutions(convolutions, { layers: 32, channels: 256, size: 28 });
  const ids = { name: 'ids', dtype: 'int64', shape: [1, 128] } as const;
  const image = (height: number, width: number) =>
    ({ name: 'x', dtype: 'float32', shape: [1, 3, height, width] }) as const;
  return [
    { name: 'transformer, 367 MB', file: transformer, slices: 4, dimensions: {}, input: ids },
    { name: 'transformer, 367 MB', file: transformer, slices: 8, dimensions: {}, input: ids },
    {
      name: 'convolutions, 75 MB',
      file: convolutions,
      slices: 4,
      dimensions: {},
      input: { name: 'x', dtype: 'float32', shape: [1, 256, 28, 28] },
    },
    {
      name: 'OCR recognition, Standard',
      file: ocrModel('ch_PP-OCRv4_rec_infer.onnx'),
      slices: 3,
      dimensions: { 'p2o.DynamicDimension.0': 1, 'p2o.DynamicDimension.1': 320 },
      input: image(48, 320),
      stateMachineType: 'standard',
    },
    {
      name: 'OCR detection',
      file: ocrModel('ch_PP-OCRv4_det_infer.onnx'),
      slices: 2,
      dimensions: {
        'p2o.DynamicDimension.0': 1,
        'p2o.DynamicDimension.1': 640,
        'p2o.DynamicDimension.2': 640,
      },
      input: image(640, 640),
    },
  ];
}
