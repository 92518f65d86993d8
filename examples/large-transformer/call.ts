/**
 * Runs the transformer once and prints the memory of each function:
 *
 *     STATE_MACHINE_ARN=arn:aws:states:… npx tsx call.ts
 */
import { SlicedInferenceClient } from 'cdk-sliced-inference/client';

const SEQUENCE = 128;
const MEGABYTE = 2 ** 20;

async function main(): Promise<void> {
  const model = new SlicedInferenceClient({ stateMachineArn: process.env.STATE_MACHINE_ARN ?? '' });
  const data = BigInt64Array.from({ length: SEQUENCE }, (_, at) => BigInt(at * 31));
  const { outputs, timings } = await model.infer({ ids: { shape: [1, SEQUENCE], data } });
  await model.close();
  for (const { slice, weightBytes, peakMemoryBytes } of timings)
    console.log(
      `slice ${slice}: ${(weightBytes / MEGABYTE).toFixed(0)} MB of weights, ${(peakMemoryBytes / MEGABYTE).toFixed(0)} MB at the peak`,
    );
  console.log(`embeddings: ${outputs.embeddings.dtype}[${outputs.embeddings.shape.join(',')}]`);
}

main().catch((error: unknown) => {
  console.error(`error: ${(error as Error).message}`);
  process.exitCode = 1;
});
