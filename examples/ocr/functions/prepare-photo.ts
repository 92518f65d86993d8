/** Turns the photo of a request into the input of the detection model. */
import { preprocessHandler } from 'cdk-sliced-inference/client';
import { detectionInput } from '../detection/detection-input';
import { readPhoto } from './photo';

export const handler = preprocessHandler(
  async (request) => ({ x: detectionInput(await readPhoto(request)) }),
  {
    // The photo is in the execution's input, so the data between states has little room.
    inputs: 's3',
    results: 's3',
  },
);
