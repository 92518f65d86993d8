/** Turns the recognition model's outputs into text. */
import * as path from 'node:path';
import { readOutputs, type ExecutionOutput } from 'cdk-sliced-inference/client';
import { corners } from '../detection/rectangle';
import { readAlphabet, readLines } from '../recognition/read-lines';
import { readingOrder } from '../recognition/reading-order';
import type { CroppedLines } from './crop-lines';

interface ReadEvent {
  readonly cropped: CroppedLines;
  readonly detected: ExecutionOutput;
  /** The outputs of the recognition pipeline, one for each batch. */
  readonly recognized: readonly ExecutionOutput[];
}

export interface PhotoText {
  /** In the order in which people read them. */
  readonly lines: readonly TextLine[];
  /** What the pipelines report. */
  readonly runs: { readonly detection: RunReport; readonly recognition: readonly RunReport[] };
}

/** Which model computed what, and the times of the slices. A caller learns no names of buckets or objects. */
export type RunReport = Pick<ExecutionOutput, 'run' | 'deploymentDigest' | 'timings'>;

export interface TextLine {
  readonly text: string;
  /** Mean probability of the characters, from 0 to 1. */
  readonly confidence: number;
  /** Corners in pixels of the photo, clockwise from the top left: `[x, y]`. */
  readonly box: readonly (readonly [number, number])[];
}

/** The model reads noise with less. PaddleOCR drops it too. */
const MIN_CONFIDENCE = 0.5;

let alphabet: string[] | undefined;

export async function handler({ cropped, detected, recognized }: ReadEvent): Promise<PhotoText> {
  alphabet ??= readAlphabet(path.join(__dirname, 'alphabet.txt'));
  const read: Pick<TextLine, 'text' | 'confidence'>[] = [];
  for (const [batch, { lines }] of cropped.batches.entries()) {
    const [characters] = Object.values(await readOutputs(recognized[batch]));
    const { shape, data } = characters;
    const texts = readLines({ shape, data: data as Float32Array }, alphabet);
    lines.forEach((line, index) => (read[line] = texts[index]));
  }
  const lines = readingOrder(cropped.boxes)
    .map((line) => ({ ...read[line], box: corners(cropped.boxes[line]).map(rounded) }))
    .filter(({ text, confidence }) => text !== '' && confidence >= MIN_CONFIDENCE);
  return { lines, runs: { detection: reportOf(detected), recognition: recognized.map(reportOf) } };
}

function reportOf({ run, deploymentDigest, timings }: ExecutionOutput): RunReport {
  return { run, deploymentDigest, timings };
}

function rounded({ x, y }: { readonly x: number; readonly y: number }): [number, number] {
  return [Math.round(x), Math.round(y)];
}
