/**
 * Runs the transformer once and prints the memory of each function:
 *
 *     STATE_MACHINE_ARN=arn:aws:states:… npx tsx call.ts
 */
import { SlicedInferenceClient, type CallTiming } from 'cdk-sliced-inference/client';

const SEQUENCE = 128;
const MEGABYTE = 2 ** 20;

/** What a call needed. With consolidation, the whole model may serve a run; then there is no slice. */
function lineOf({ slice, weightBytes, peakMemoryBytes }: CallTiming): string {
  const name = slice === undefined ? 'whole model' : `slice ${slice}`;
  const [weights, peak] = [weightBytes, peakMemoryBytes].map((bytes) => (bytes / MEGABYTE).toFixed(0));
  return `${name}: ${weights} MB of weights, ${peak} MB at the peak`;
}

async function main(): Promise<void> {
  const { STATE_MACHINE_ARN: stateMachineArn } = process.env;
  if (stateMachineArn === undefined) throw new Error('STATE_MACHINE_ARN is not set: run `. ./cloud.env`');
  const model = new SlicedInferenceClient({ stateMachineArn });
  const data = BigInt64Array.from({ length: SEQUENCE }, (_, at) => BigInt(at * 31));
  const { outputs, timings } = await model.infer({ ids: { shape: [1, SEQUENCE], data } });
  await model.close();
  for (const timing of timings) console.log(lineOf(timing));
  console.log(`embeddings: ${outputs.embeddings.dtype}[${outputs.embeddings.shape.join(',')}]`);
}

main().catch((error: unknown) => {
  console.error(`error: ${(error as Error).message}`);
  process.exitCode = 1;
});
