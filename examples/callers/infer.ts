/**
 * Calls a deployed pipeline. Outside of this repository, import from `cdk-sliced-inference/client`.
 *
 *     STATE_MACHINE_ARN=arn:aws:states:… npx tsx infer.ts '{"x": [[1, 2, 3]]}'
 */
import { SlicedInferenceClient, toNestedArray, type TensorInputs } from '../../client';

async function main(inputs: TensorInputs): Promise<void> {
  const model = new SlicedInferenceClient({ stateMachineArn: process.env.STATE_MACHINE_ARN ?? '' });
  const { outputs, executionArn } = await model.infer(inputs);
  console.error(executionArn);
  for (const [name, tensor] of Object.entries(outputs)) console.log(name, toNestedArray(tensor));
  await model.close();
}

void main(JSON.parse(process.argv[2]) as TensorInputs);
