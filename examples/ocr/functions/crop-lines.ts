/** Finds the lines in the detection model's output, cuts them out of the photo and puts them into requests for the recognition model. */
import {
  readOutputs,
  writeRequest,
  type ExecutionInput,
  type ExecutionOutput,
} from 'cdk-sliced-inference/client';
import { textBoxes, type TextBox } from '../detection/boxes';
import { lineBatches } from '../recognition/lines';
import { readPhoto } from './photo';

interface CropEvent {
  /** The execution's input. */
  readonly photo: unknown;
  /** The output of the detection pipeline. */
  readonly detected: ExecutionOutput;
}

export interface CroppedLines {
  readonly boxes: readonly TextBox[];
  readonly batches: readonly { readonly lines: readonly number[]; readonly request: ExecutionInput }[];
}

export async function handler({ photo, detected }: CropEvent): Promise<CroppedLines> {
  const [picture, outputs] = await Promise.all([readPhoto(photo), readOutputs(detected)]);
  const [map] = Object.values(outputs);
  const [, , height, width] = map.shape;
  const boxes = textBoxes({ width, height, values: map.data as Float32Array }, picture);
  const batches = lineBatches(picture, boxes).map(async ({ lines, ...x }) => ({
    lines,
    request: await writeRequest({ x }, { inputs: 's3', results: 's3' }),
  }));
  return { boxes, batches: await Promise.all(batches) };
}
