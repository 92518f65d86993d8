/** `--inputs` of commands that plan: the user's inputs, on which a model runs whose sizes depend on data. */
import type { Command } from 'commander';
import { checkRequest } from '../../lambda/request/request-check';
import type { AnalyzeOptions } from '../../lib/compile/analyze';
import { dataTypeName, isBindable } from '../../lib/onnx/data-type';
import { parseModel } from '../../lib/onnx/parse';
import { usedDimensions } from '../profile/profile-model';
import { readTensorFile } from '../tensor-files';

export function addPlanningInputs(command: Command): Command {
  return command.option(
    '--inputs <file>',
    'inputs for sizes that depend on data: .safetensors, .npz, .npy or .json (default: generated inputs)',
  );
}

/**
 * @throws SlicedInferenceError if the file cannot be read
 * @throws NamedFailure `InvalidInput` if its tensors are not inputs of the model
 */
export async function planningInputs(model: string, file?: string): Promise<Pick<AnalyzeOptions, 'inputs'>> {
  if (file === undefined) return {};
  const { inputs, values } = parseModel(model).graph;
  const isFixed = ({ value }: (typeof inputs)[number]): boolean => values[value].initializer !== undefined;
  const request = inputs.flatMap((input) => {
    const { dataType, shape = null } = input.type;
    const dtype = dataType === undefined ? '' : dataTypeName(dataType);
    return isFixed(input) || !isBindable(dtype) ? [] : [{ name: values[input.value].name, dtype, shape }];
  });
  const tensors = await readTensorFile(file, request);
  checkRequest({ request, fixed: inputs.filter(isFixed).map(({ value }) => values[value].name) }, tensors);
  return { inputs: { path: file, dimensions: usedDimensions(request, tensors) } };
}
