/** Turns an item of the batch, a picture of one line of text, into the input of the recognition model. */
import { preprocessHandler } from 'cdk-sliced-inference/client';
import { lineInput } from '../recognition/lines';
import { readPicture } from './photo';

export const handler = preprocessHandler(
  async (item) => {
    const { key } = item as { readonly bucket: string; readonly key: string };
    return { x: lineInput(await readPicture(key)) };
  },
  // A line takes 184 KB and more.
  { inputs: 's3', results: 's3' },
);
