/** Opens a request's tensors and checks them against the inputs of the whole model. */
import { invalidInput, messageOf } from '../errors';
import { quotedName } from '../json-values';
import { ObjectChanged, ObjectUnavailable } from '../store/object-store';
import type { SafetensorsStore } from '../store/safetensors-store';
import { inMemory, type TensorReader } from '../store/tensor-reader';
import { SafetensorsError } from '../tensors/safetensors-header';
import type { ParsedInput } from './execution-input';
import { requestHeaderLimit } from './header-limit';
import { checkElements, checkRequest, type RequestSpecs } from './request-check';

interface RequestStore {
  readonly store: SafetensorsStore;
  /** The function's memory size, which bounds what it can parse. */
  readonly memoryBytes: number;
}

/**
 * Opens and checks the request. If the tensors are in S3, this reads only the object's header.
 * @throws NamedFailure `InvalidInput` if the tensors do not fit the model
 */
export async function openRequest(
  input: ParsedInput,
  specs: RequestSpecs,
  { store, memoryBytes }: RequestStore,
): Promise<TensorReader> {
  if (input.tensors.kind === 'inline') {
    checkRequest(specs, input.tensors.tensors);
    return inMemory(input.tensors.tensors);
  }
  const { key } = input.tensors;
  const reader = await refusingBadObject(key, () =>
    store.open(key, { maxHeaderBytes: requestHeaderLimit(specs.request, memoryBytes) }),
  );
  try {
    checkRequest(specs, reader.heads);
  } catch (error) {
    await reader.discard();
    throw error;
  }
  return {
    heads: reader.heads,
    ...(reader.requestEtag !== undefined && { requestEtag: reader.requestEtag }),
    discard: () => reader.discard(),
    read: (names) => refusingBadObject(key, () => readChecked(reader, names)),
  };
}

async function readChecked(reader: TensorReader, names: readonly string[]) {
  const tensors = await reader.read(names);
  for (const [name, tensor] of tensors) checkElements(name, tensor);
  return tensors;
}

/** Reports faults of the caller's object as `InvalidInput`, and throws other errors unchanged. */
async function refusingBadObject<T>(key: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof SafetensorsError) {
      throw invalidInput(`${quotedName(key)} is not a safetensors file for this model: ${error.message}`);
    }
    if (error instanceof ObjectUnavailable) {
      throw invalidInput(`the request's object ${messageOf(error)}: check the key in 'inputs.s3'`, {}, error);
    }
    if (error instanceof ObjectChanged) {
      throw invalidInput(`the request's object ${messageOf(error)}`);
    }
    throw error;
  }
}
