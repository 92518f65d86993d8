/** A case of the fuzzer: how it is made, and how it may end. */
import { SlicedInferenceError } from '../../lib/errors';

export interface FuzzCase {
  /** What was mutated, and the mutations that were applied to it. */
  readonly title: string;
  /** Content of the file that the target reads. */
  readonly content: string | Uint8Array;
  /** What else the target needs to know, as JSON. */
  readonly settings?: unknown;
}

/** The end of a case in which the library behaved correctly. */
export type Outcome = 'accepted' | 'refused' | 'refused by ONNX Runtime';

/** @throws errors that the library must not throw: all but `SlicedInferenceError` */
export function outcomeOf(action: () => void, refusal: () => Outcome = () => 'refused'): Outcome {
  try {
    action();
    return 'accepted';
  } catch (error) {
    if (!(error instanceof SlicedInferenceError)) throw error;
    checkMessage(error.message);
    return refusal();
  }
}

/** Limits of an error message and of the cause of a failed slice, in characters. README and `lambda/errors.ts` state the second. */
const MAX_MESSAGE_LENGTH = 2000;
export const MAX_CAUSE_LENGTH = 1000;

/** @throws if the message is long, or has characters that garble a line */
export function checkMessage(message: string, most = MAX_MESSAGE_LENGTH): void {
  if (message.length > most) throw new Error(`a message of ${message.length} characters`);
  if (/[\p{Cc}\p{Zl}\p{Zp}]/u.test(message)) throw new Error(`a message with ${JSON.stringify(message)}`);
}
