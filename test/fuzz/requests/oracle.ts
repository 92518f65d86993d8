/** What an accepted request must compute. */
import { compareTensor } from '../../../bin/verify/difference';
import type { ExecutionInput, ExecutionOutputs } from '../../../contract/execution';
import { TENSOR_DATA_TYPES } from '../../../contract/tensors';
import { decodeInlineTensor } from '../../../lambda/request/inline-tensor';
import type { RawTensor } from '../../../lambda/tensors/tensor';
import { echoOf, FIRST_ECHOED } from './echo-model';
import { STORED_KEY, STORED_TENSORS } from './request-cases';

export type NamedTensors = ReadonlyMap<string, RawTensor>;

/** The tensors of the valid request in S3. */
export const stored = decodedAll(STORED_TENSORS);

export function inputsOf(request: unknown): NamedTensors {
  const { inputs } = request as ExecutionInput;
  if (inputs.s3 === undefined) return decodedAll(inputs.tensors);
  if (inputs.s3 === STORED_KEY) return stored;
  throw new Error(`accepted the key ${inputs.s3}`);
}

/** `test/lambda/request/inline-tensor.test.ts` shows that these are right. */
export function decodedAll(tensors: ExecutionOutputs['tensors'] = {}): NamedTensors {
  return new Map(Object.entries(tensors).map(([name, tensor]) => [name, decodeInlineTensor(name, tensor)]));
}

/** The outputs of the model, and the input that is one. */
export function expectedResults(inputs: NamedTensors): NamedTensors {
  const names = TENSOR_DATA_TYPES;
  const echoed = names.map((name) => [echoOf(name), named(inputs, name)] as const);
  return new Map([...echoed, [names[0], named(inputs, names[0])]]);
}

export function firstSliceResults(inputs: NamedTensors): NamedTensors {
  return new Map(FIRST_ECHOED.map((name) => [echoOf(name), named(inputs, name)]));
}

function named(inputs: NamedTensors, name: string): RawTensor {
  const tensor = inputs.get(name);
  if (tensor === undefined) throw new Error(`accepted a request without '${name}'`);
  return tensor;
}

export function checkSame(got: NamedTensors, expected: NamedTensors): void {
  const isSame = [...expected].every(
    ([name, tensor]) => compareTensor(name, tensor, got.get(name)).identical,
  );
  if (!isSame || got.size !== expected.size) throw new Error(`results ${JSON.stringify([...got.keys()])}`);
}
