/** The input of an execution: a request with the tensors inside if they fit, otherwise with the key of an object; for `invoke`, any JSON. */
import { randomUUID } from 'node:crypto';
import { type RawTensor, tensorBytes } from '../lambda/tensors/tensor';
import {
  ownFunctions,
  type PipelineDescription,
  MAX_EXECUTION_DATA_BYTES,
} from './description/pipeline-description';
import { InferenceError } from './errors';
import type { TensorInputs } from './tensors/tensor-forms';
import { rawTensors } from './tensors/to-raw';
import type { ExecutionInput, InlineMode, InlineTensor } from '../contract/execution';
import { INPUTS_PREFIX } from '../contract/keys';
import { MAX_REQUEST_BYTES } from '../contract/slice-event';
import { CONTRACT_VERSION } from '../contract/version';
import { encodeInlineTensor, inlineBytes } from '../lambda/request/inline-tensor';
import { encodeSafetensors } from '../lambda/tensors/safetensors';
import { kindOf } from '../lambda/json-values';
import { invalidOutput } from './read-results';

export function checkedTensors(description: PipelineDescription, inputs: TensorInputs) {
  const functions = ownFunctions(description.signature);
  if (functions !== undefined) {
    throw new InferenceError(
      'InvalidInput',
      `infer expects a pipeline that takes and returns tensors, got one with ${functions}: use invoke`,
    );
  }
  return { tensors: rawTensors(description.signature.inputs, inputs), description };
}

/**
 * @param inputs `s3`: the tensors are not inside the request even if they fit
 * @param most bytes of a request with its tensors
 */
export function prepareRequest(
  tensors: ReadonlyMap<string, RawTensor>,
  inline: InlineMode,
  inputs: 'auto' | 's3' = 'auto',
  most = MAX_REQUEST_BYTES,
): { readonly text: string; readonly upload?: { readonly key: string; readonly bytes: Uint8Array } } {
  const text = inputs === 's3' ? undefined : inlineText(tensors, inline, most);
  if (text !== undefined) return { text };
  // A new key for each request: a run fails if its request is replaced.
  const key = `${INPUTS_PREFIX}${randomUUID()}.safetensors`;
  return { text: requestText({ s3: key }, inline), upload: { key, bytes: encodeSafetensors(tensors) } };
}

function inlineText(
  tensors: ReadonlyMap<string, RawTensor>,
  inline: InlineMode,
  most: number,
): string | undefined {
  let size = 0;
  for (const tensor of tensors.values()) {
    size += tensor.dtype === 'string' ? tensorBytes(tensor) : inlineBytes(tensor);
    if (size > most) return undefined;
  }
  const encoded = [...tensors].map(([name, tensor]) => [name, encodeInlineTensor(tensor)]);
  const text = requestText(
    { tensors: Object.fromEntries(encoded) as Readonly<Record<string, InlineTensor>> },
    inline,
  );
  return Buffer.byteLength(text) <= most ? text : undefined;
}

function requestText(inputs: ExecutionInput['inputs'], inline: InlineMode): string {
  const request: ExecutionInput = { version: CONTRACT_VERSION, inputs, output: { inline } };
  return JSON.stringify(request);
}

export function invocationText(input: unknown): string {
  let text;
  try {
    // Its type does not tell that a function has no JSON.
    text = JSON.stringify(input) as string | undefined;
  } catch {
    // The engine's message may quote the names of the value's fields.
    throw invalid('a JSON value', 'one with a bigint or a circle', 'convert it');
  }
  if (text === undefined) throw invalid('a JSON value', kindOf(input), 'pass an object');
  const size = Buffer.byteLength(text);
  if (size <= MAX_EXECUTION_DATA_BYTES) return text;
  const expected = `at most ${MAX_EXECUTION_DATA_BYTES} bytes as JSON`;
  throw invalid(expected, String(size), 'put large parts into S3 and pass their key');
}

export function invocationOutput(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // The parser's message quotes the text, which can be anything.
    throw invalidOutput('JSON', 'something else');
  }
}

function invalid(expected: string, got: string, advice: string): InferenceError {
  const message = `the input must be ${expected}, got ${got}: ${advice}`;
  return new InferenceError('InvalidInput', message, { expected, got });
}
