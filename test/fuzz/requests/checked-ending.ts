/** Checks how a call ended: the answer has the right results, or the failure is one that callers can rely on. */
import type { ExecutionInput, ExecutionOutputs, InlineTensor } from '../../../contract/execution';
import type { ErrorName } from '../../../contract/failures';
import { decodeSafetensors } from '../../../lambda/tensors/safetensors';
import { checkMessage } from '../message';
import { contentsOf } from './contents';
import { checkSame, decoded, type Tensors } from './expected-results';
import { lines, objects } from './slices';
import { STORED_REQUESTS } from './stored-requests';

/** README and `lambda/errors.ts` state this limit. */
const MAX_CAUSE_LENGTH = 1000;
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
  if (message.length > MAX_CAUSE_LENGTH) throw new Error(`a cause of ${message.length} characters`);
  checkMessage(message);
  const cause = JSON.parse(message) as Record<string, unknown>;
  if (typeof cause.message !== 'string' || !Number.isInteger(cause.slice))
    throw new Error(`the cause ${message}`);
  checkMessage(cause.message);
  checkLog(request, [message]);
  return message;
}

/** @throws if a line of the log is long or not one line of JSON, or tells contents of the request */
export function checkLog(request: unknown, more: readonly string[] = []): void {
  for (const line of lines) {
    if (line.length > MAX_LINE_LENGTH) throw new Error(`a log line of ${line.length} characters`);
    checkMessage(line.slice(0, MAX_CAUSE_LENGTH));
  }
  const runs = lines.map((line) => (JSON.parse(line) as { readonly run?: string }).run ?? '');
  const texts = [...lines, ...more].map((text) => text.replaceAll('\\"', '"'));
  for (const content of contentsOf(request)) {
    // A mutation may have copied the name of the run into the request.
    if (runs.some((run) => run.includes(content))) continue;
    if (texts.some((text) => text.includes(content))) {
      throw new Error(`a cause or a log with the content ${JSON.stringify(content)}: ${texts.join('\n')}`);
    }
  }
}

/** The tensors of an accepted request. */
export function inputsOf(request: unknown): Tensors {
  const { inputs } = request as ExecutionInput;
  if (inputs.s3 !== undefined) {
    const stored = Object.values(STORED_REQUESTS).find(({ key }) => key === inputs.s3);
    if (stored === undefined) throw new Error(`accepted the key ${inputs.s3}`);
    return stored.tensors;
  }
  return new Map(Object.entries(inputs.tensors ?? {}).map(([name, tensor]) => [name, decoded(tensor)]));
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
  const stored = s3 && (objects.bytes(`${s3.bucket}/${s3.key}`) ?? new Uint8Array(0));
  if (stored !== undefined) checkSame(decodeSafetensors(stored), expected);
  if (output?.inline === 'never') {
    if (tensors !== undefined) throw new Error('inline results that the request does not want');
  } else if (tensors === undefined) {
    if (stored === undefined || stored.byteLength < SURELY_INLINE_BYTES) throw new Error('no inline results');
  } else {
    const inline = Object.entries<InlineTensor>(tensors).map(
      ([name, tensor]) => [name, decoded(tensor)] as const,
    );
    checkSame(new Map(inline), expected);
  }
}
