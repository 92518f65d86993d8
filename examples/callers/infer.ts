/**
 * Calls a deployed pipeline.
 *
 *     STATE_MACHINE_ARN=arn:aws:states:… npx tsx infer.ts '{"x": [[1, 2, 3]]}'
 */
import { SlicedInferenceClient, toNestedArray, type TensorInputs } from 'cdk-sliced-inference/client';

async function main(stateMachineArn = '', json = '{}'): Promise<void> {
  const model = new SlicedInferenceClient({ stateMachineArn });
  const { outputs } = await model.infer(JSON.parse(json) as TensorInputs);
  for (const [name, tensor] of Object.entries(outputs)) console.log(name, toNestedArray(tensor));
}

main(process.env.STATE_MACHINE_ARN, process.argv[2]).catch((error: unknown) => {
  console.error(String(error));
  process.exitCode = 1;
});
