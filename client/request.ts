/** The input of an execution: a request with the tensors inside if they fit, otherwise with the key of an object; for `invoke`, any JSON. */
import { randomUUID } from 'node:crypto';
import { type RawTensor, tensorBytes } from '../lambda/tensors/tensor';
import { ownFunctions, type PipelineDescription } from './description/pipeline-description';
import { InferenceError } from './errors';
import type { TensorInputs } from './tensors/tensor-forms';
import { rawTensors } from './tensors/to-raw';
import type { ExecutionInput, ExecutionInputs, InlineMode, InlineTensor } from '../contract/execution';
import { INPUTS_PREFIX } from '../contract/keys';
import { MAX_REQUEST_BYTES } from '../contract/slice-event';
import { CONTRACT_VERSION } from '../contract/version';
import { encodeInlineTensor, inlineJsonBytes } from '../lambda/request/inline-tensor';
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

interface Upload {
  readonly key: string;
  readonly bytes: Uint8Array;
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
): { readonly request: ExecutionInput; readonly upload?: Upload } {
  const empty: ExecutionInput = { version: CONTRACT_VERSION, inputs: {}, output: { inline } };
  const fitting = inputs === 's3' ? 0 : most - Buffer.byteLength(JSON.stringify(empty)) + 2;
  const prepared = prepareInputs(tensors, fitting);
  return { ...prepared, request: { ...empty, inputs: prepared.inputs } };
}

/** @param most bytes of the inputs as JSON; larger ones are a key of an object */
export function prepareInputs(
  tensors: ReadonlyMap<string, RawTensor>,
  most: number,
  encode = encodeInlineTensor,
): { readonly inputs: ExecutionInputs; readonly upload?: Upload } {
  const inputs = inlineInputs(tensors, most, encode);
  if (inputs !== undefined) return { inputs };
  // A new key for each request: a run fails if its request is replaced.
  const key = `${INPUTS_PREFIX}${randomUUID()}.safetensors`;
  return { inputs: { s3: key }, upload: { key, bytes: encodeSafetensors(tensors) } };
}

function inlineInputs(
  tensors: ReadonlyMap<string, RawTensor>,
  most: number,
  encode: typeof encodeInlineTensor,
): ExecutionInputs | undefined {
  let fewest = 0;
  for (const tensor of tensors.values()) {
    // In the shortest JSON, an int64 has a digit and a comma.
    fewest += tensor.dtype === 'string' ? tensorBytes(tensor) : tensor.bytes.byteLength / 4;
    if (fewest > most) return undefined;
  }
  const named = [...tensors].map(([name, tensor]) => [name, encode(tensor)] as const);
  const encoded: Record<string, InlineTensor> = Object.fromEntries(named);
  const fields = JSON.stringify({ tensors: {} }).length - '{}'.length;
  return inlineJsonBytes(encoded) + fields <= most ? { tensors: encoded } : undefined;
}

export function invocationText(input: unknown, most: number): string {
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
  if (size <= most) return text;
  const expected = `at most ${most} bytes as JSON`;
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
