/** Decides whether an execution under faults ended as it may: with the result of the whole model, or with a named failure. */
import { InferenceError } from '../../client';
import type { FaultKind, InjectedFault } from '../../local';
import { explaining } from './explanations';

/** All ways in which an execution may end, the first two of them rightly. */
export const OUTCOMES = [
  'identical',
  'failed',
  'wrong',
  'mixed',
  'overwritten',
  'damaged',
  'unexplained',
] as const;

export type Verdict =
  | { readonly outcome: 'identical' }
  | { readonly outcome: 'failed'; readonly error: string; readonly because: readonly FaultKind[] }
  | Violation;

export interface Violation {
  readonly outcome: Exclude<(typeof OUTCOMES)[number], 'identical' | 'failed'>;
  readonly what: string;
}

export function isViolation(verdict: Verdict): verdict is Violation {
  return 'what' in verdict;
}

/**
 * @param place of the result, such as `in S3`
 * @param print fingerprint of the result
 * @param references fingerprints of the whole model's results, by request
 */
export function judgeResult(
  place: string,
  print: string,
  references: readonly string[],
  request: number,
): Verdict {
  if (print === references[request]) return { outcome: 'identical' };
  const other = references.indexOf(print);
  return other < 0
    ? { outcome: 'wrong', what: `the result ${place} of request ${request} has other bits` }
    : { outcome: 'mixed', what: `the result ${place} of request ${request} is that of request ${other}` };
}

/** A failure must be named by a fault that was injected into the execution. */
export function judgeFailure(failure: unknown, faults: readonly InjectedFault[]): Verdict {
  const { name: error, cause = '' } = failure as Error;
  const kinds = faults.map(({ kind }) => kind);
  const because = failure instanceof InferenceError ? explaining(kinds, { error, cause: String(cause) }) : [];
  if (because.length > 0) return { outcome: 'failed', error, because };
  return { outcome: 'unexplained', what: `${String(failure)}: ${String(cause)}` };
}
