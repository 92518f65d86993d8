/** Whole models whose time was measured on the core of `lambda-class-x86.tsv`, in the same way. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { type BenchModel, ocrModel, writeTransformer } from '../inputs';
import { BERT_LARGE, DISTILBERT, writeEncoder } from './encoder';

export interface ReferenceModel extends BenchModel {
  readonly prepacking: boolean;
  /** Processor time of a warm run. */
  readonly referenceMs: number;
}

type Times = readonly (readonly [tokens: number, milliseconds: number])[];

const DISTILBERT_PLAIN: Times = [
  [1, 9.1],
  [8, 29.8],
  [16, 36.5],
  [24, 43.9],
  [32, 53.4],
  [64, 83.2],
  [128, 152.6],
];
const DISTILBERT_PACKED: Times = [
  [1, 10.6],
  [8, 17.4],
  [24, 31.9],
  [128, 137],
];
const BERT_PLAIN: Times = [
  [24, 342],
  [128, 1098],
];
const BERT_PACKED: Times = [
  [24, 211],
  [128, 970],
];

const OCR: Omit<ReferenceModel, 'referenceMs' | 'prepacking'> = ocrModel(
  'OCR detection',
  'ch_PP-OCRv4_det_infer.onnx',
  ...[640, 640],
);

/** Those whose weights do not matter. @param folder for their files, which are sparse */
export function referenceModels(folder: string): ReferenceModel[] {
  const [distilbert, bert] = [DISTILBERT, BERT_LARGE].map((shape) => writeEncoder(folder, shape));
  const rows = (model: typeof bert, times: Times, prepacking: boolean): ReferenceModel[] =>
    times.map(([tokens, referenceMs]) => ({ ...model, dimensions: { tokens }, prepacking, referenceMs }));
  return [
    ...rows(distilbert, DISTILBERT_PLAIN, false),
    ...rows(distilbert, DISTILBERT_PACKED, true),
    ...rows(bert, BERT_PLAIN, false),
    ...rows(bert, BERT_PACKED, true),
    { ...OCR, prepacking: false, referenceMs: 155 },
    { ...OCR, prepacking: true, referenceMs: 154 },
  ];
}

/** @param folder for its files, of 1.3 GB */
export function largeTransformer(folder: string): ReferenceModel {
  const model = writeTransformer(path.join(folder, 'large'), '1.3');
  return { ...model, name: 'transformer of 1.3 GB', prepacking: false, referenceMs: 1310 };
}

/** Models of a folder that may be there. */
export function corpusModels(corpus: string): ReferenceModel[] {
  const model = (name: string, dimensions: BenchModel['dimensions'], times: readonly [number, number]) =>
    times.map((referenceMs, index) => ({
      ...{ name, dimensions, referenceMs, prepacking: index === 1 },
      file: path.join(corpus, name, `${name}.onnx`),
    }));
  return [
    ...model('minilm_l6_int8', { batch: 1, sequence: 128 }, [74, 64]),
    ...model('light_resnet50', {}, [120, 123]),
  ].filter(({ file }) => fs.existsSync(file));
}
