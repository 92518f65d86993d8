/**
 * Calls a deployed pipeline.
 *
 *     STATE_MACHINE_ARN=arn:aws:states:… npx tsx infer.ts '{"x": [[1, 2, 3]]}'
 */
import { SlicedInferenceClient, toNestedArray, type TensorInputs } from 'cdk-sliced-inference/client';

async function main(json: string | undefined): Promise<void> {
  if (json === undefined) throw new Error(`no inputs: run npx tsx infer.ts '{"x": [[1, 2, 3]]}'`);
  const { STATE_MACHINE_ARN: stateMachineArn } = process.env;
  if (stateMachineArn === undefined) throw new Error('STATE_MACHINE_ARN is not set: run `. ./cloud.env`');
  const model = new SlicedInferenceClient({ stateMachineArn });
  const { outputs, executionArn } = await model.infer(JSON.parse(json) as TensorInputs);
  console.error(executionArn);
  for (const [name, tensor] of Object.entries(outputs)) console.log(name, toNestedArray(tensor));
  await model.close();
}

main(process.argv.at(2)).catch((error: unknown) => {
  console.error(String(error));
  process.exitCode = 1;
});
