/** Reads a mutated file as the request of a model, as the first slice does. */
import { ERROR_NAMES } from '../../../contract/failures';
import { failureOf, NamedFailure } from '../../../lambda/errors';
import { openRequest } from '../../../lambda/request/request';
import type { SafetensorsStore } from '../../../lambda/store/safetensors-store';
import { checkMessage } from '../message';
import type { NamedTensors } from './base-files';
import { BASE_FILES } from './base-files';
import { sameTensors } from './expected-tensors';

/** The model takes the tensors of this base file. */
const [{ tensors: fitting }] = BASE_FILES;
const request = [...fitting].map(([name, { dtype }]) => ({ name, dtype, shape: [2, null] }));

/** A part of each string in the base file. */
const CONTENT = 'text \\"';

const MEMORY_BYTES = 128 * 1024 * 1024;
const MAX_CAUSE_LENGTH = 1000;

/**
 * @param all what the file has, if it is valid
 * @throws if the request is accepted with other tensors than those of the file, or refused without a clear cause
 */
export async function checkRequestReading(
  store: SafetensorsStore,
  key: string,
  all: NamedTensors | undefined,
): Promise<void> {
  const input = { tensors: { kind: 'object', key }, inline: 'auto' } as const;
  try {
    const reader = await openRequest(input, { request, fixed: [] }, { store, memoryBytes: MEMORY_BYTES });
    const read = await reader.read([...reader.heads.keys()]);
    if (all === undefined || !sameTensors(read, all)) throw new Error('a request of other tensors');
  } catch (error) {
    const names: readonly string[] = [ERROR_NAMES.invalidInput, ERROR_NAMES.corruptTensor];
    if (!(error instanceof NamedFailure) || !names.includes(error.name)) throw error;
    const { message } = failureOf(error, 0);
    checkMessage(message);
    if (message.length > MAX_CAUSE_LENGTH) throw new Error(`a cause of ${message.length} characters`);
    if (message.includes(CONTENT)) throw new Error(`a cause with the content of the request: ${message}`);
    if (all !== undefined && sameTensors(all, fitting)) throw new Error(`a refused request: ${message}`);
  }
}
