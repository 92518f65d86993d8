/** Checks how a call ended: the answer has the right results, or the failure is one that callers can rely on. */
import type { ExecutionInput, ExecutionOutputs } from '../../../contract/execution';
import type { ErrorName } from '../../../contract/failures';
import { decodeSafetensors } from '../../../lambda/tensors/safetensors';
import { checkMessage, MAX_CAUSE_LENGTH } from '../fuzz-case';
import { checkSame, decoded, type Tensors } from './expected-results';
import { lines, objectIn, stored } from './slices';
import { STORED_KEY } from './valid-requests';

const MAX_LINE_LENGTH = 4000;

/** Step Functions includes results up to a size. Well below it, they must be there. */
const SURELY_INLINE_BYTES = 100_000;

/**
 * Returns the message of a failure.
 * @throws if it has another name than the allowed ones, is not one bounded line of JSON, or tells contents of the request
 */
export function checkFailure(error: unknown, allowed: readonly ErrorName[], request: unknown): string {
  if (!(error instanceof Error)) throw new Error(`threw ${String(error)}`);
  const { name, message, stack } = error;
  if (!allowed.some((own) => own === name))
    throw new Error(`failed with ${name}: ${message}`, { cause: error });
  if (stack !== name) throw new Error(`a stack trace: ${stack}`);
  checkMessage(message, MAX_CAUSE_LENGTH);
  const cause = JSON.parse(message) as Record<string, unknown>;
  if (typeof cause.message !== 'string' || !Number.isInteger(cause.slice))
    throw new Error(`the cause ${message}`);
  checkMessage(cause.message);
  checkLog(request, [message]);
  return message;
}

/** @throws if a line of the log is long or not one line of JSON, or tells contents of the request */
export function checkLog(request: unknown, more: readonly string[] = []): void {
  for (const line of lines) checkMessage(line, MAX_LINE_LENGTH);
  const runs = lines.map((line) => (JSON.parse(line) as { readonly run?: string }).run ?? '');
  const texts = [...lines, ...more].map((text) => text.replaceAll('\\"', '"'));
  for (const content of contentsOf(request)) {
    // A mutation may have copied the name of the run into the request.
    if (runs.some((run) => run.includes(content))) continue;
    if (texts.some((text) => text.includes(content)))
      throw new Error(`a cause or a log with the content ${JSON.stringify(content)}: ${texts.join('\n')}`);
  }
}

/** Shorter texts may be in a message by chance. */
const LEAST_CHARACTERS = 8;

const MOST_CONTENTS = 10_000;

/** What the strings and numbers of a request say, as opposed to names and keys: no message and no log may have it. */
function contentsOf(request: unknown): string[] {
  const contents = new Set<string>();
  const shown = new Set<string>();
  const pending: unknown[] = [request];
  while (pending.length > 0 && contents.size < MOST_CONTENTS) {
    const value = pending.pop();
    contents.add(contentOf(value));
    if (typeof value !== 'object' || value === null) continue;
    for (const [name, inner] of Object.entries(value)) {
      pending.push(inner);
      if (!Array.isArray(value)) shown.add(name);
      // Messages name the key of a request in S3.
      if (name === 's3' && typeof inner === 'string') shown.add(inner);
    }
  }
  const names = [...shown].filter((name) => name.length >= LEAST_CHARACTERS);
  const isShown = (content: string): boolean =>
    names.some((name) => name.includes(content) || content.includes(name));
  return [...contents].filter((content) => content.length >= LEAST_CHARACTERS && !isShown(content));
}

/** Short words and whole numbers may describe a tensor, and messages show those: see `lambda/json-values.ts`. */
function contentOf(value: unknown): string {
  if (typeof value === 'number') return Number.isInteger(value) ? '' : String(value);
  return typeof value === 'string' && (/\s/.test(value) || value.length > 24) ? value : '';
}

/** The tensors of an accepted request. */
export function inputsOf(request: unknown): Tensors {
  const { inputs } = request as ExecutionInput;
  if (inputs.s3 === undefined) return allDecoded(inputs.tensors);
  if (inputs.s3 === STORED_KEY) return stored;
  throw new Error(`accepted the key ${inputs.s3}`);
}

/** @throws if the results are not the expected ones, in S3 and inline */
export function checkResults(
  request: unknown,
  outputs: ExecutionOutputs | undefined,
  expected: Tensors,
): void {
  if (outputs === undefined) throw new Error('an answer of the last slice without outputs');
  const { s3, tensors } = outputs;
  const { output } = request as ExecutionInput;
  if ((s3 === undefined) !== (output?.inline === 'only')) throw new Error('results in the wrong place');
  const file = s3 && (objectIn(s3.key) ?? new Uint8Array());
  if (file !== undefined) checkSame(decodeSafetensors(file), expected);
  if (tensors === undefined) {
    const isLarge = file !== undefined && file.byteLength >= SURELY_INLINE_BYTES;
    if (output?.inline !== 'never' && !isLarge) throw new Error('no inline results');
    return;
  }
  if (output?.inline === 'never') throw new Error('inline results that the request does not want');
  checkSame(allDecoded(tensors), expected);
}

function allDecoded(tensors: ExecutionOutputs['tensors'] = {}): Tensors {
  return new Map(Object.entries(tensors).map(([name, tensor]) => [name, decoded(tensor)]));
}
