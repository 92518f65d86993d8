/** The largest header of a request's safetensors file. A reader holds the header in memory several times to parse it. */
import type { TensorSpec } from '../../contract/tensors';
import { MAX_HEADER_BYTES } from '../tensors/safetensors-header';

/** For metadata of other programs, and for tensors that the model does not have, so that their names can be reported. */
const ALLOWANCE_BYTES = 1024 * 1024;

/** A tensor's shape, offsets and checksum. */
const BYTES_PER_TENSOR = 4096;

/** JSON escapes a character as up to six; a name occurs twice, once with the checksum. */
const BYTES_PER_NAME_CHARACTER = 12;

/**
 * Strings are in the header. The parser holds their text as bytes, as JSON, as JSON in JSON and decoded, with up to two bytes
 * a character. So a function has room for strings of a sixteenth of its memory.
 */
const MEMORY_SHARE = 16;

/**
 * @param inputs of the model
 * @param memoryBytes the function's memory size
 */
export function requestHeaderLimit(inputs: readonly TensorSpec[], memoryBytes: number): number {
  const names = inputs.reduce((sum, { name }) => sum + name.length, 0);
  const described = ALLOWANCE_BYTES + inputs.length * BYTES_PER_TENSOR + names * BYTES_PER_NAME_CHARACTER;
  const strings = inputs.some(({ dtype }) => dtype === 'string') ? memoryBytes / MEMORY_SHARE : 0;
  return Math.min(MAX_HEADER_BYTES, Math.floor(described + strings));
}
