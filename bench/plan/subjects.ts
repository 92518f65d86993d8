/** The models whose cuts are compared. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import type { AnalyzedModel } from '../../lib/compile/analyze';
import { analyzeModel } from '../../lib/compile/analyze';
import { mostSlices } from '../../lib/plan/cuts/cuts';
import { memorySubjects } from '../memory/subjects';
import { writeBidirectionalLstm, writeEncoder, writeResidual } from './models';
import { print } from './streamed-table';

/** Sizes of symbolic dimensions in the models of a folder. */
const DIMENSIONS: readonly Readonly<Record<string, number>>[] = [
  { sequence: 128 },
  { max_seq_len_in_batch: 128 },
];

export interface Subject {
  readonly name: string;
  readonly analyzed: AnalyzedModel;
}

export function* generated(folder: string): Generator<Subject> {
  const bert = { layers: 12, hidden: 768, sequence: 128, vocabulary: 30_522 };
  const writers: Readonly<Record<string, (file: string) => void>> = {
    'encoder-12x768': (file) => {
      writeEncoder(file, bert);
    },
    'encoder-24x1024': (file) => {
      writeEncoder(file, { ...bert, layers: 24, hidden: 1024 });
    },
    'residual-224': (file) => {
      writeResidual(file, { size: 224, channels: 64, blocks: 2 });
    },
    'residual-640': (file) => {
      writeResidual(file, { size: 640, channels: 32, blocks: 3 });
    },
    'bidirectional-lstm': writeBidirectionalLstm,
  };
  for (const [name, write] of Object.entries(writers)) {
    const file = path.join(folder, `${name}.onnx`);
    write(file);
    yield { name, analyzed: analyzeModel(file) };
  }
}

/** The models of `npm run bench:memory`. */
export function* realistic(folder: string): Generator<Subject> {
  for (const { name, file, dimensions } of memorySubjects(folder))
    yield { name, analyzed: analyzeModel(file, { dimensions }) };
}

/** The models of a file, or of a folder and its folders. */
export function* found(where: string): Generator<Subject> {
  if (fs.statSync(where).isDirectory()) {
    for (const name of fs.readdirSync(where).sort()) {
      const inside = path.join(where, name);
      if (name.endsWith('.onnx') || fs.statSync(inside).isDirectory()) yield* found(inside);
    }
    return;
  }
  const name = path.basename(where, '.onnx');
  try {
    const analyzed = analyzeAtRealSizes(where);
    if (mostSlices(analyzed.cuts) >= 2)
      yield { name: name === 'model' ? path.basename(path.dirname(where)) : name, analyzed };
  } catch (error) {
    print(`left out: ${name}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** With the first of the sets of dimensions that the model has. */
function analyzeAtRealSizes(file: string): AnalyzedModel {
  for (const dimensions of DIMENSIONS) {
    try {
      return analyzeModel(file, { dimensions });
    } catch (error) {
      if (!(error instanceof Error && error.message.includes('dimension'))) throw error;
    }
  }
  return analyzeModel(file);
}
