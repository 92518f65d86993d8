/** Decides whether an execution under faults ended as it may: with the result of the whole model, or with a named failure. */
import { createHash } from 'node:crypto';
import { InferenceError } from '../../client';
import type { FaultKind, InjectedFault } from '../../local';

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
  | {
      readonly outcome: Exclude<(typeof OUTCOMES)[number], 'identical' | 'failed'>;
      readonly what: string;
    };

type Result = readonly [
  name: string,
  dtype: string,
  shape: readonly number[],
  elements: Float32Array | Uint8Array,
];

/** Identifies names, types, shapes and bits of tensors, in any order. */
export function fingerprint(results: readonly Result[]): string {
  const hash = createHash('sha256');
  for (const [name, dtype, shape, elements] of [...results].sort(([a], [b]) => (a < b ? -1 : 1)))
    hash.update(JSON.stringify([name, dtype, shape])).update(elements);
  return hash.digest('hex');
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
  const because = [...new Set(kinds)].filter((kind) => {
    const { errors, cause: named, untilTimeout = Infinity } = EXPLANATIONS[kind];
    const mayTimeOut = kinds.filter((each) => each === kind).length >= untilTimeout;
    return (
      (errors.includes(error) || (mayTimeOut && error === 'Sandbox.Timedout')) && named.test(String(cause))
    );
  });
  if (because.length > 0 && failure instanceof InferenceError) return { outcome: 'failed', error, because };
  return { outcome: 'unexplained', what: `${String(failure)}: ${String(cause)}` };
}

/** With which errors an execution may fail because of a fault, and how the cause names the fault. */
interface Explanation {
  readonly errors: readonly string[];
  readonly cause: RegExp;
  /** How many of these faults may also outlast a function's timeout. */
  readonly untilTimeout?: number;
}

const STORAGE = ['StorageUnavailable'];
const BROKEN = {
  errors: STORAGE,
  cause: /ECONNRESET|EPIPE|socket hang up|aborted|ended early|closed before/,
};
/** Each is a silence of ten seconds and a pause, on a busy machine more, and a function has a minute. */
const SILENT = {
  errors: STORAGE,
  cause: /no data for 10 seconds|tim(ed|e) ?out|slower than any network/i,
  untilTimeout: 3,
};
const KILLED = { errors: ['Runtime.ExitError'], cause: /signal: killed/ };
/** Nothing fails because of it. */
const HARMLESS = { errors: [], cause: /^$/ };

const EXPLANATIONS: Readonly<Record<FaultKind, Explanation>> = {
  's3-503': { errors: STORAGE, cause: /SlowDown/ },
  's3-500': { errors: STORAGE, cause: /InternalError/ },
  's3-409': { errors: STORAGE, cause: /ConditionalRequestConflict/ },
  reset: BROKEN,
  'lost-answer': BROKEN,
  'slow-response': HARMLESS,
  'short-body': BROKEN,
  'stalled-body': SILENT,
  'flipped-bit': {
    errors: ['CorruptTensor', 'WeightsCorrupt', ...STORAGE],
    cause: /was damaged in \d reads|does not have the SHA-256|BadDigest|refused the session|CreateSession/,
  },
  'forgotten-connection': SILENT,
  throttled: { errors: ['Lambda.TooManyRequestsException'], cause: /Rate Exceeded/ },
  failing: {
    errors: ['Lambda.ServiceException', 'Lambda.SdkClientException', 'Lambda.AWSLambdaException'],
    cause: /internal error|Connection reset|Service Unavailable/,
  },
  'lost-result': { errors: ['Lambda.ClientExecutionTimeoutException'], cause: /the result was lost/ },
  'duplicate-delivery': HARMLESS,
  'slow-start': HARMLESS,
  'out-of-memory': { errors: ['Runtime.OutOfMemory'], cause: /signal: killed/ },
  'killed-before-write': KILLED,
  'killed-during-write': KILLED,
  'killed-after-write': KILLED,
};
