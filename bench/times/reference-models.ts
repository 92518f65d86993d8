/** Whole models whose time was measured on the core of `lambda-class-x86.tsv`, in the same way. */
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

/** @param folder for the files of those that are made here */
export function referenceModels(folder: string): ReferenceModel[] {
  const [distilbert, bert] = [DISTILBERT, BERT_LARGE].map((shape) => writeEncoder(folder, shape));
  const rows = (model: typeof bert, times: Times, prepacking: boolean): ReferenceModel[] =>
    times.map(([tokens, referenceMs]) => ({ ...model, dimensions: { tokens }, prepacking, referenceMs }));
  const transformer = {
    ...writeTransformer(path.join(folder, 'large'), '1.3'),
    name: 'transformer of 1.3 GB',
  };
  return [
    ...rows(distilbert, DISTILBERT_PLAIN, false),
    ...rows(distilbert, DISTILBERT_PACKED, true),
    ...rows(bert, BERT_PLAIN, false),
    ...rows(bert, BERT_PACKED, true),
    { ...transformer, prepacking: false, referenceMs: 1310 },
    {
      ...ocrModel('OCR detection', 'ch_PP-OCRv4_det_infer.onnx', 640, 640),
      prepacking: true,
      referenceMs: 154,
    },
    {
      ...ocrModel('OCR detection', 'ch_PP-OCRv4_det_infer.onnx', 640, 640),
      prepacking: false,
      referenceMs: 155,
    },
  ];
}
