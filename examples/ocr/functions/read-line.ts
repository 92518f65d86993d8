/** Turns the recognition model's output into the text of the line, which is in the batch's table. */
import * as path from 'node:path';
import { postprocessHandler } from 'cdk-sliced-inference/client';
import { readAlphabet, readLines } from '../recognition/read-lines';

let alphabet: string[] | undefined;

export const handler = postprocessHandler((outputs) => {
  alphabet ??= readAlphabet(path.join(__dirname, 'alphabet.txt'));
  const [{ shape, data }] = Object.values(outputs);
  const [{ text, confidence }] = readLines({ shape, data: data as Float32Array }, alphabet);
  return { text, confidence: Number(confidence.toFixed(4)) };
});
