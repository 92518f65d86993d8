/**
 * The tensors that a slice hands on in its answer instead of S3: the same safetensors file, with the same checksums and metadata, in
 * base64. The state machine carries the text to the slices that read the tensors.
 */
import { ERROR_NAMES } from '../../contract/failures';
import { MAX_EVENT_TENSORS, type StateTensors } from '../../contract/slice-event';
import { NamedFailure } from '../errors';
import { fieldValue, kindOf } from '../json-values';
import { base64Length } from '../request/inline-tensor';
import { inMemory, type TensorReader } from '../store/stored-tensors';
import { decodeFile, layoutSafetensors, SafetensorsError, type Metadata } from '../tensors/safetensors';
import { tensorBytes, type RawTensor } from '../tensors/tensor';

export function encodeStateTensors(
  tensors: ReadonlyMap<string, RawTensor>,
  metadata: Metadata,
  maxCharacters: number,
): StateTensors | undefined {
  // Without the header; tensors that are much too large are not even summed.
  const elements = [...tensors.values()].reduce((sum, tensor) => sum + tensorBytes(tensor), 0);
  if (base64Length(elements) > maxCharacters) return undefined;
  const { parts, byteLength } = layoutSafetensors(tensors, metadata);
  return base64Length(byteLength) > maxCharacters ? undefined : Buffer.concat(parts).toString('base64');
}

/**
 * Anyone with permission can invoke the function, so the text may be anything.
 * @throws NamedFailure `CorruptTensor` if the text is not the file that a slice function encoded
 */
export function openStateTensors(slice: number, text: unknown): TensorReader {
  try {
    const { tensors, isChecked, requestEtag } = decodeFile(decodeBase64(text));
    if (!isChecked)
      throw new SafetensorsError('the header has no checksum, which slice functions always write');
    return { ...inMemory(tensors), ...(requestEtag !== undefined && { requestEtag }) };
  } catch (error) {
    if (!(error instanceof SafetensorsError)) throw error;
    throw new NamedFailure(ERROR_NAMES.corruptTensor, {
      message: `the tensors of slice ${slice} in the event are damaged: ${error.message}: start the execution again`,
    });
  }
}

function decodeBase64(text: unknown): Uint8Array {
  if (typeof text !== 'string' || text.length > MAX_EVENT_TENSORS) {
    throw new SafetensorsError(
      `expected base64 of at most ${MAX_EVENT_TENSORS} characters, got ${kindOf(text)}`,
    );
  }
  // `Buffer.from` ignores characters that are not base64, so check the text first.
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) {
    throw new SafetensorsError(`expected padded base64, got ${fieldValue(text)}`);
  }
  const bytes = Buffer.from(text, 'base64');
  // Not in Node's pool, whose other users could see the tensors.
  return new Uint8Array(bytes);
}
