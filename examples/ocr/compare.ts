/** Compares the results of the slices with those of the whole models, bit by bit. */
import { decodeTensors, elementsOf } from 'cdk-sliced-inference/client';
import { textBoxes } from './detection/boxes';
import { detectionInput } from './detection/detection-input';
import type { PhotoText, RunReport } from './functions/read-text';
import { DETECTION_MODEL, RECOGNITION_MODEL } from './models';
import type { Picture } from './picture/picture';
import { lineBatches } from './recognition/lines';
import { runUnsliced, type Floats } from './unsliced';

export interface Comparison {
  /** Values of all outputs. */
  readonly values: number;
  readonly isIdentical: boolean;
}

interface Results {
  /** Reads the results object of a run. */
  read(run: RunReport): Promise<Uint8Array>;
  /** Threads of the functions that made a result. */
  threads(run: RunReport): number;
}

export async function compareWithWhole(
  picture: Picture,
  { detection, recognition }: PhotoText['runs'],
  results: Results,
): Promise<Comparison> {
  const map = await runUnsliced(DETECTION_MODEL, results.threads(detection), detectionInput(picture));
  const [, , height, width] = map.shape;
  const boxes = textBoxes({ width, height, values: map.data }, picture);
  const whole: [RunReport, Floats][] = [[detection, map]];
  for (const [batch, lines] of lineBatches(picture, boxes).entries()) {
    const run = recognition[batch];
    whole.push([run, await runUnsliced(RECOGNITION_MODEL, results.threads(run), lines)]);
  }
  const differences: boolean[] = [];
  for (const [run, { data }] of whole) {
    const [sliced] = decodeTensors(await results.read(run)).values();
    if (sliced.dtype === 'string') throw new Error('the models return numbers, got strings');
    differences.push(Buffer.compare(bytesOf(elementsOf(sliced)), bytesOf(data)) !== 0);
  }
  const values = whole.reduce((sum, [, { data }]) => sum + data.length, 0);
  return { values, isIdentical: !differences.includes(true) };
}

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
