import { SlicedInferenceClient, toNestedArray } from 'cdk-sliced-inference/client';

async function main(): Promise<void> {
  const model = new SlicedInferenceClient({ stateMachineArn: process.env.STATE_MACHINE_ARN ?? '' });
  const features = { shape: [1, 4], data: Float32Array.of(5.1, 3.5, 1.4, 0.2) };
  const { outputs, timings } = await model.infer({ features });
  console.log(`probabilities of ${timings.length} slices:`, toNestedArray(outputs.probabilities));
  await model.close();
}
void main();
