/** Packs of a batch: the handlers call the user's code for each item of a pack, and answer for all of them together. */
import {
  type HandledItem,
  type HandledPack,
  MAX_HANDLED_BYTES,
  type PackToHandle,
} from '../../contract/batch-pack';
import type { FailureCause } from '../../contract/failures';
import { isRecord } from '../../lambda/json-values';
import { InferenceError } from '../errors';
import type { HandlerContext } from './handler-options';
import { failureIn } from '../../lambda/handler-failure';

export function isPack(event: unknown): event is PackToHandle {
  return (
    isRecord(event) &&
    Array.isArray(event.pack) &&
    Number.isFinite(event.until) &&
    Object.keys(event).length === 2
  );
}

/** Larger requests of a pack go into S3, so that one answer has at least 15 requests. */
export const PACKED_REQUEST_BYTES = 8 * 1024;

/** For the answer, and for items that take longer than those before. */
const RESERVE_MS = 2_000;

interface PackHandling {
  readonly step: NonNullable<FailureCause['step']>;
  readonly handle: (item: unknown) => Promise<unknown>;
  readonly context: Pick<HandlerContext, 'getRemainingTimeInMillis'>;
}

/**
 * Answers for as many of the first items as fit in the state and in the time of the call. The state machine sends the others again. An item
 * that fails does not concern the others.
 */
export async function handledPack(
  { pack, until }: PackToHandle,
  { step, handle, context }: PackHandling,
): Promise<HandledPack> {
  const remainingMs = (): number => Math.min(context.getRemainingTimeInMillis(), until - Date.now());
  const answers: HandledItem[] = [];
  let [bytes, longestMs] = [0, 0];
  for (const item of pack) {
    const startedAt = performance.now();
    if (answers.length > 0 && remainingMs() < RESERVE_MS + 2 * longestMs) break;
    const answer = await answerOf(step, async () => bounded(await handle(item)));
    longestMs = Math.max(longestMs, performance.now() - startedAt);
    bytes += sizeOf(answer) + 1;
    if (bytes > MAX_HANDLED_BYTES && answers.length > 0) break;
    answers.push(answer);
  }
  return { pack: answers };
}

function sizeOf(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}

/** For the fields around a value. */
const ALLOWANCE_BYTES = 1024;

function bounded(value: unknown): unknown {
  const most = MAX_HANDLED_BYTES - ALLOWANCE_BYTES;
  const size = sizeOf(value);
  if (size <= most) return value;
  const message = `the function must return at most ${most} bytes of JSON for an item of a batch, got ${size}: put large values into S3 and return their key`;
  throw new InferenceError('InvalidOutput', message, {
    expected: `at most ${most} bytes`,
    got: String(size),
  });
}

async function answerOf(step: PackHandling['step'], work: () => Promise<unknown>): Promise<HandledItem> {
  try {
    return { value: await work() };
  } catch (error) {
    const { name, message, stack = '' } = failureIn(step, error);
    // The function's log shows where its own code failed.
    process.stderr.write(`${stack}\n`);
    const { message: reason } = JSON.parse(message) as FailureCause;
    return { failure: { error: name, message: reason } };
  }
}
