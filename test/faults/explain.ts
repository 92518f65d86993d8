/** Which failures of an execution the faults explain that were injected into it. */
import { InferenceError } from '../../client';
import type { FaultKind, InjectedFault } from '../../local';

/** @returns what is wrong with the failure: nothing if a fault names it */
export function unexplained(failure: unknown, faults: readonly InjectedFault[]): string[] {
  const { name: error, cause = '' } = failure as Error;
  const kinds = faults.map(({ kind }) => kind);
  const isExplained = kinds.some((kind) => {
    const { errors, cause: named, untilTimeout = Infinity } = EXPLANATIONS[kind];
    const mayTimeOut = kinds.filter((each) => each === kind).length >= untilTimeout;
    return (
      (errors.includes(error) || (mayTimeOut && error === 'Sandbox.Timedout')) && named.test(String(cause))
    );
  });
  return isExplained && failure instanceof InferenceError ? [] : [`${String(failure)}: ${String(cause)}`];
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
