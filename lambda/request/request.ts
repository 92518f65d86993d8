/** Parses an execution's input, opens its tensors and checks them against the inputs of the whole model. */
import type { InlineMode } from '../../contract/execution';
import { INPUTS_PREFIX, MAX_KEY_BYTES } from '../../contract/keys';
import { MAX_REQUEST_BYTES } from '../../contract/slice-event';
import { CONTRACT_VERSION } from '../../contract/version';
import { invalidInput, messageOf } from '../errors';
import { fieldValue, isRecord, kindOf, quotedName } from '../json-values';
import type { RawTensor } from '../tensors/tensor';
import { decodeInlineTensor, jsonObject, objectWithFields } from './inline-tensor';
import { ObjectChanged, ObjectUnavailable } from '../store/object-store';
import type { SafetensorsStore } from '../store/safetensors-store';
import { inMemory, type TensorReader } from '../store/stored-tensors';
import { SafetensorsError, MAX_HEADER_BYTES } from '../tensors/safetensors-header';
import { checkElements, checkRequest, type RequestSpecs } from './request-check';
import type { TensorSpec } from '../../contract/tensors';

export interface ParsedInput {
  readonly tensors:
    | { readonly kind: 'object'; readonly key: string; readonly etag?: string }
    | { readonly kind: 'inline'; readonly tensors: ReadonlyMap<string, RawTensor> };
  readonly inline: InlineMode;
}

const INPUT = "the execution's input";

/** With or without its quotes; not a list of several. */
const ETAG = /^"?[\w-]+"?$/;

export function parseExecutionInput(value: unknown): ParsedInput {
  // The state machine sends the size alone if the event would not hold the request.
  const { requestBytes } = isRecord(value) ? value : {};
  if (typeof requestBytes === 'number' && requestBytes > MAX_REQUEST_BYTES) {
    throw invalidInput(
      `${INPUT} must have at most ${MAX_REQUEST_BYTES} bytes, got ${requestBytes}: put the tensors into S3 below ${INPUTS_PREFIX}`,
    );
  }
  const { version, inputs, output } = objectWithFields(value, ['version', 'inputs', 'output'], INPUT);
  if (version !== CONTRACT_VERSION) {
    throw invalidInput(`'version' of ${INPUT} must be ${CONTRACT_VERSION}, got ${fieldValue(version)}`);
  }
  return { tensors: parseInputs(inputs), inline: parseInlineMode(output) };
}

function parseInputs(value: unknown): ParsedInput['tensors'] {
  const subject = `'inputs' of ${INPUT}`;
  const { s3: key, etag, tensors } = objectWithFields(value, ['s3', 'etag', 'tensors'], subject);
  if ((key === undefined) === (tensors === undefined)) {
    const got = key === undefined ? 'neither' : 'both';
    throw invalidInput(`${subject} must have exactly one of s3 and tensors, got ${got}`);
  }
  if (etag !== undefined && (key === undefined || typeof etag !== 'string' || !ETAG.test(etag)))
    throw invalidInput(
      `'inputs.etag' of ${INPUT} must be the ETag of the object at 's3', got ${fieldValue(etag)}`,
    );
  const quoted = typeof etag === 'string' && { etag: `"${etag.replaceAll('"', '')}"` };
  if (key !== undefined) return { kind: 'object', key: checkedKey(key), ...quoted };
  const named = Object.entries(jsonObject(tensors, `'inputs.tensors' of ${INPUT}`));
  return {
    kind: 'inline',
    tensors: new Map(named.map(([name, tensor]) => [name, decodeInlineTensor(name, tensor)])),
  };
}

function checkedKey(key: unknown): string {
  const problem = typeof key === 'string' ? problemOfKey(key) : `${BE_BELOW}, got ${kindOf(key)}`;
  if (problem === undefined) return key as string;
  throw invalidInput(`'inputs.s3' of ${INPUT} must ${problem}`);
}

const BE_BELOW = `be a key below '${INPUTS_PREFIX}' in the pipeline's bucket`;

/** @returns what the key of a request must do or be, and is not */
export function problemOfKey(key: string): string | undefined {
  if (!key.startsWith(INPUTS_PREFIX) || key.length === INPUTS_PREFIX.length)
    return `${BE_BELOW}, got ${quotedName(key)}`;
  // A lone surrogate has no UTF-8.
  if (/\p{Surrogate}/u.test(key)) return 'be Unicode text, got a lone surrogate';
  if (key.split('/').some((segment) => segment === '..' || segment === '.'))
    return `not contain the segments . and .., got ${quotedName(key)}`;
  if (Buffer.byteLength(key) > MAX_KEY_BYTES)
    return `have at most ${MAX_KEY_BYTES} bytes, got ${quotedName(key)}`;
  return undefined;
}

function parseInlineMode(output: unknown): InlineMode {
  if (output === undefined) return 'auto';
  const { inline = 'auto' } = objectWithFields(output, ['inline'], `'output' of ${INPUT}`);
  if (inline === 'auto' || inline === 'never' || inline === 'only') return inline;
  throw invalidInput(
    `'output.inline' of ${INPUT} must be "auto", "never" or "only", got ${fieldValue(inline)}`,
  );
}

/**
 * Opens and checks the request. If the tensors are in S3, this reads only the object's header.
 * @throws NamedFailure `InvalidInput` if the tensors do not fit the model
 */
export async function openRequest(
  input: ParsedInput,
  specs: RequestSpecs,
  store: SafetensorsStore,
  memoryBytes: number,
): Promise<TensorReader> {
  if (input.tensors.kind === 'inline') {
    checkRequest(specs, input.tensors.tensors);
    return inMemory(input.tensors.tensors);
  }
  const { key, etag } = input.tensors;
  const reader = await refusingBadObject(key, () =>
    store.open(key, { maxHeaderBytes: requestHeaderLimit(specs.request, memoryBytes), etag }),
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
    read: (names) =>
      refusingBadObject(key, async () => {
        const tensors = await reader.read(names);
        for (const [name, tensor] of tensors) checkElements(name, tensor);
        return tensors;
      }),
  };
}

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

/** For metadata of other programs, and for tensors that the model does not have, so that their names can be reported. */
const ALLOWANCE_BYTES = 1024 * 1024;

const BYTES_PER_TENSOR = 4096;

/** JSON escapes a character as up to six; a name occurs twice, once with the checksum. */
const BYTES_PER_NAME_CHARACTER = 12;

/**
 * Strings are in the header. The parser holds their text as bytes, as JSON, as JSON in JSON and decoded, with up to two bytes
 * a character. So a function has room for strings of a sixteenth of its memory.
 */
const MEMORY_SHARE = 16;

export function requestHeaderLimit(inputs: readonly TensorSpec[], memoryBytes: number): number {
  const names = inputs.reduce((sum, { name }) => sum + name.length, 0);
  const described = ALLOWANCE_BYTES + inputs.length * BYTES_PER_TENSOR + names * BYTES_PER_NAME_CHARACTER;
  const strings = inputs.some(({ dtype }) => dtype === 'string') ? memoryBytes / MEMORY_SHARE : 0;
  return Math.min(MAX_HEADER_BYTES, Math.floor(described + strings));
}
