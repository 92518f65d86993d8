/** Parses an execution's input. `request-check.ts` then checks its tensors against the model. */
import type { InlineMode } from '../../contract/execution';
import { INPUTS_PREFIX } from '../../contract/keys';
import { MAX_REQUEST_BYTES, type OversizedRequest } from '../../contract/slice-event';
import { CONTRACT_VERSION } from '../../contract/version';
import { invalidInput } from '../errors';
import { fieldValue, kindOf, quotedName } from '../json-values';
import type { RawTensor } from '../tensors/tensor';
import { decodeInlineTensor } from './inline-tensor';
import { jsonObject, objectWithFields } from './json-fields';

/** The input's tensors: the key of an object in the pipeline's bucket, or the inline tensors. */
type RequestTensors =
  | { readonly kind: 'object'; readonly key: string }
  | { readonly kind: 'inline'; readonly tensors: ReadonlyMap<string, RawTensor> };

export interface ParsedInput {
  readonly tensors: RequestTensors;
  readonly inline: InlineMode;
}

const INPUT = "the execution's input";

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html */
const MAX_KEY_BYTES = 1024;

/** @throws NamedFailure `InvalidInput` if a field is unknown, missing or malformed */
export function parseExecutionInput(value: unknown): ParsedInput {
  refuseOversized(value);
  const { version, inputs, output } = objectWithFields(value, ['version', 'inputs', 'output'], INPUT);
  if (version !== CONTRACT_VERSION) {
    throw invalidInput(`'version' of ${INPUT} must be ${CONTRACT_VERSION}, got ${fieldValue(version)}`);
  }
  return { tensors: parseInputs(inputs), inline: parseInlineMode(output) };
}

/** The state machine sends the size alone if the event would not hold the request. */
function refuseOversized(value: unknown): void {
  const { requestBytes }: Partial<OversizedRequest> =
    typeof value === 'object' && value !== null ? value : {};
  if (typeof requestBytes !== 'number' || requestBytes <= MAX_REQUEST_BYTES) return;
  throw invalidInput(
    `${INPUT} must have at most ${MAX_REQUEST_BYTES} bytes, got ${requestBytes}: put the tensors into S3 below ${INPUTS_PREFIX}`,
  );
}

function parseInputs(value: unknown): RequestTensors {
  const subject = `'inputs' of ${INPUT}`;
  const { s3: key, tensors } = objectWithFields(value, ['s3', 'tensors'], subject);
  if ((key === undefined) === (tensors === undefined)) {
    const got = key === undefined ? 'neither' : 'both';
    throw invalidInput(`${subject} must have exactly one of s3 and tensors, got ${got}`);
  }
  if (key !== undefined) return { kind: 'object', key: checkedKey(key) };
  const named = Object.entries(jsonObject(tensors, `'inputs.tensors' of ${INPUT}`));
  return {
    kind: 'inline',
    tensors: new Map(named.map(([name, tensor]) => [name, decodeInlineTensor(name, tensor)])),
  };
}

function checkedKey(key: unknown): string {
  const expected = `a key below '${INPUTS_PREFIX}' in the pipeline's bucket`;
  if (typeof key !== 'string' || !key.startsWith(INPUTS_PREFIX) || key.length === INPUTS_PREFIX.length) {
    throw invalidInput(
      `'inputs.s3' of ${INPUT} must be ${expected}, got ${typeof key === 'string' ? quotedName(key) : kindOf(key)}`,
    );
  }
  // A lone surrogate has no UTF-8.
  if (/\p{Surrogate}/u.test(key)) {
    throw invalidInput(`'inputs.s3' of ${INPUT} must be Unicode text, got a lone surrogate`);
  }
  if (key.split('/').some((segment) => segment === '..' || segment === '.')) {
    throw invalidInput(
      `'inputs.s3' of ${INPUT} must not contain the segments . and .., got ${quotedName(key)}`,
    );
  }
  if (Buffer.byteLength(key) > MAX_KEY_BYTES) {
    throw invalidInput(
      `'inputs.s3' of ${INPUT} must have at most ${MAX_KEY_BYTES} bytes, got ${quotedName(key)}`,
    );
  }
  return key;
}

function parseInlineMode(output: unknown): InlineMode {
  if (output === undefined) return 'auto';
  const { inline = 'auto' } = objectWithFields(output, ['inline'], `'output' of ${INPUT}`);
  if (inline === 'auto' || inline === 'never' || inline === 'only') return inline;
  throw invalidInput(
    `'output.inline' of ${INPUT} must be "auto", "never" or "only", got ${fieldValue(inline)}`,
  );
}
