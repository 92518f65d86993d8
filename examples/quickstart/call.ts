import { SlicedInferenceClient, toNestedArray } from 'cdk-sliced-inference/client';

async function main(): Promise<void> {
  const { STATE_MACHINE_ARN: stateMachineArn } = process.env;
  if (stateMachineArn === undefined) throw new Error('STATE_MACHINE_ARN is not set: run `. ./cloud.env`');
  const model = new SlicedInferenceClient({ stateMachineArn });
  const features = { shape: [1, 4], data: Float32Array.of(5.1, 3.5, 1.4, 0.2) };
  const { outputs, timings } = await model.infer({ features });
  console.log(`probabilities of ${timings.length} slices:`, toNestedArray(outputs.probabilities));
  await model.close();
}

main().catch((error: unknown) => {
  console.error(String(error));
  process.exitCode = 1;
});
