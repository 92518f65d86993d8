/** Makes the request of an execution: with the tensors inside if they fit, otherwise with the key of an object. */
import { randomUUID } from 'node:crypto';
import type { ExecutionInput, InlineMode, InlineTensor } from '../contract/execution';
import { INPUTS_PREFIX } from '../contract/keys';
import { MAX_REQUEST_BYTES } from '../contract/slice-event';
import { CONTRACT_VERSION } from '../contract/version';
import { encodeInlineTensor, inlineBytes } from '../lambda/request/inline-tensor';
import { encodeSafetensors } from '../lambda/tensors/safetensors';
import { tensorBytes, type RawTensor } from '../lambda/tensors/tensor';
import { MAX_PUT_BYTES } from './aws/objects';
import { InferenceError } from './errors';

export interface PreparedRequest {
  /** JSON of the execution's input. */
  readonly text: string;
  /** The object that must be there before the execution starts. */
  readonly upload?: { readonly key: string; readonly bytes: Uint8Array };
}

/**
 * @param inputs `s3`: the tensors are not inside the request even if they fit
 * @throws InferenceError `InvalidInput` for more tensors than one upload takes
 */
export function prepareRequest(
  tensors: ReadonlyMap<string, RawTensor>,
  inline: InlineMode,
  inputs: 'auto' | 's3' = 'auto',
): PreparedRequest {
  const text = inputs === 's3' ? undefined : inlineText(tensors, inline);
  if (text !== undefined) return { text };
  const size = [...tensors.values()].reduce((sum, tensor) => sum + tensorBytes(tensor), 0);
  if (size > MAX_PUT_BYTES) {
    throw new InferenceError(
      'InvalidInput',
      `the inputs must have at most ${MAX_PUT_BYTES} bytes, got ${size}: S3 takes no larger upload in one part`,
      { expected: `at most ${MAX_PUT_BYTES} bytes`, got: `${size} bytes` },
    );
  }
  // A new key for each request: a run fails if its request is replaced.
  const key = `${INPUTS_PREFIX}${randomUUID()}.safetensors`;
  return { text: requestText({ s3: key }, inline), upload: { key, bytes: encodeSafetensors(tensors) } };
}

/** `undefined` if the request is too large. Does not encode tensors that are too large by themselves. */
function inlineText(tensors: ReadonlyMap<string, RawTensor>, inline: InlineMode): string | undefined {
  let size = 0;
  for (const tensor of tensors.values()) {
    size += tensor.dtype === 'string' ? tensorBytes(tensor) : inlineBytes(tensor);
    if (size > MAX_REQUEST_BYTES) return undefined;
  }
  const encoded = [...tensors].map(([name, tensor]) => [name, encodeInlineTensor(tensor)]);
  const text = requestText(
    { tensors: Object.fromEntries(encoded) as Readonly<Record<string, InlineTensor>> },
    inline,
  );
  return Buffer.byteLength(text) <= MAX_REQUEST_BYTES ? text : undefined;
}

function requestText(inputs: ExecutionInput['inputs'], inline: InlineMode): string {
  const request: ExecutionInput = { version: CONTRACT_VERSION, inputs, output: { inline } };
  return JSON.stringify(request);
}
