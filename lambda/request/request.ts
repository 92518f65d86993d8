/** A request's tensors, checked against what the whole model asks for. */
import { invalidInput, messageOf } from '../errors';
import { ObjectChanged, ObjectUnavailable } from '../store/object-store';
import type { SafetensorsStore } from '../store/safetensors-store';
import { inMemory, type TensorReader } from '../store/tensor-reader';
import { SafetensorsError } from '../tensors/safetensors-header';
import { unfitReason } from '../tensors/tensor';
import type { ParsedInput } from './execution-input';
import { checkRequest, type RequestSpecs } from './request-check';

/**
 * Opens and checks the request: of tensors in S3 it reads the header alone.
 * @throws NamedFailure `InvalidInput`
 */
export async function openRequest(
  input: ParsedInput,
  specs: RequestSpecs,
  store: SafetensorsStore,
): Promise<TensorReader> {
  if (input.tensors.kind === 'inline') {
    checkRequest(specs, input.tensors.tensors);
    return inMemory(input.tensors.tensors);
  }
  const { key } = input.tensors;
  const reader = await blamingRequest(key, () => store.open(key));
  try {
    checkRequest(specs, reader.heads);
  } catch (error) {
    await reader.discard();
    throw error;
  }
  return {
    heads: reader.heads,
    discard: () => reader.discard(),
    read: (names) => blamingRequest(key, () => readFeedable(reader, names)),
  };
}

async function readFeedable(reader: TensorReader, names: readonly string[]) {
  const tensors = await reader.read(names);
  for (const [name, tensor] of tensors) {
    const unfit = unfitReason(tensor);
    if (unfit !== undefined) throw invalidInput(`input '${name}' cannot be fed: ${unfit}`, { tensor: name });
  }
  return tensors;
}

/** What is wrong with the caller's object is the caller's to mend; everything else stays what it is. */
async function blamingRequest<T>(key: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof SafetensorsError) {
      throw invalidInput(`${key} is not a safetensors file for this model: ${error.message}`);
    }
    if (error instanceof ObjectUnavailable || error instanceof ObjectChanged) {
      throw invalidInput(`the request's ${messageOf(error)}`);
    }
    throw error;
  }
}
