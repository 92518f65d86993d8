/** The models whose memory is measured, with realistic sizes: models made here, and those of development dependencies. */
import * as path from 'node:path';
import { ocrModel, type BenchModel } from '../inputs';
import { writeConvolutions, writeGroupedConvolutions } from '../models/convolutions';
import { writeDetector } from '../models/detector';
import { writeEncoder } from '../models/encoder';
import { writeFusedEncoder } from '../models/fused-encoder';
import { writeRecurrent } from '../models/recurrent';
import { writeTransformer } from '../models/transformer';

/** Generates the first models in `folder`. */
export function memorySubjects(folder: string): BenchModel[] {
  const made = <Shape>(
    name: string,
    write: (file: string, shape: Shape) => void,
    shape: Shape,
    dimensions: BenchModel['dimensions'] = {},
  ): BenchModel => {
    const file = path.join(folder, `${name.replaceAll(/\W+/g, '-')}.onnx`);
    write(file, shape);
    return { name, file, dimensions };
  };
  const bert = { hidden: 768, heads: 12, vocabulary: 30_522 };
  const t5 = { layers: 8, hidden: 512, heads: 8, feedForward: 2048, vocabulary: 32_128 };
  const [dynamic, weights] = (['dynamic', 'weights'] as const).map((quantization) => ({
    ...t5,
    quantization,
  }));
  const attention = { layers: 4, hidden: 384, heads: 12, operator: 'Attention' } as const;
  const multiHead = { layers: 4, hidden: 512, heads: 4, operator: 'MultiHeadAttention' } as const;
  const grouped = { blocks: 3, channels: 64, size: 128 };
  const detection = 'ch_PP-OCRv4_det_infer.onnx';
  return [
    made('transformer, 12 layers, sequence 128', writeTransformer, { ...bert, layers: 12, sequence: 128 }),
    made('transformer, 4 layers, sequence 1024', writeTransformer, { ...bert, layers: 4, sequence: 1024 }),
    made('detector at 640', writeDetector, { size: 640, channels: 32 }),
    made('residual convolutions at 224', writeConvolutions, { layers: 12, channels: 64, size: 224 }),
    made('encoder, dynamic int8, sequence 512', writeEncoder, dynamic, { sequence: 512 }),
    made('encoder, int8 weights, sequence 128', writeEncoder, weights, { sequence: 128 }),
    made(
      'bidirectional LSTM, 1000 steps',
      writeRecurrent,
      { layers: 4, features: 80, hidden: 512 },
      { steps: 1000 },
    ),
    // Their kernels have temporary buffers, which must grow with the batch as those of ONNX Runtime do.
    ...[1, 4, 8].flatMap((batch) => {
      const sizes = { batch, sequence: 384 };
      return [
        made(`fused attention, sequence 384, batch ${batch}`, writeFusedEncoder, attention, sizes),
        made(`multi-head attention, sequence 384, batch ${batch}`, writeFusedEncoder, multiHead, sizes),
        made(`grouped and depthwise convolutions, batch ${batch}`, writeGroupedConvolutions, grouped, {
          batch,
        }),
      ];
    }),
    ocrModel('OCR detection at 640', detection, 640, 640),
    ocrModel('OCR detection at 960', detection, 960, 960),
    ocrModel('OCR recognition at 320', 'ch_PP-OCRv4_rec_infer.onnx', 320),
    ocrModel('OCR classification', 'ch_ppocr_mobile_v2.0_cls_infer.onnx', 48, 192),
  ];
}
