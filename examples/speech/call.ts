/**
 * Finds the speech in a recording:
 *
 *     STATE_MACHINE_ARN=arn:aws:states:… npx tsx call.ts [recording.wav]
 */
import { readFileSync } from 'node:fs';
import { SlicedInferenceClient } from 'cdk-sliced-inference/client';
import { RATE } from './chunks';
import { speechProbabilities, speechSegments } from './detect';
import { decodeWav } from './wav';

async function main(file = 'recording.wav'): Promise<void> {
  const { STATE_MACHINE_ARN: stateMachineArn } = process.env;
  if (stateMachineArn === undefined) throw new Error('STATE_MACHINE_ARN is not set: run `. ./cloud.env`');
  const samples = decodeWav(readFileSync(file));
  const model = new SlicedInferenceClient({ stateMachineArn });
  const probabilities = await speechProbabilities(model, samples);
  await model.close();
  console.log(`${(samples.length / RATE).toFixed(2)} s in ${probabilities.length} calls`);
  for (const { start, end } of speechSegments(probabilities))
    console.log(`speech from ${start.toFixed(2)} s to ${end.toFixed(2)} s`);
}

main(process.argv[2]).catch((error: unknown) => {
  console.error(`error: ${(error as Error).message}`);
  process.exitCode = 1;
});
