/** With which errors an execution may fail because of a fault, and how the cause names the fault. */
import type { FaultKind } from '../../local';

export interface Explanation {
  readonly errors: readonly string[];
  readonly cause: RegExp;
  /** How many of these faults may also outlast a function's timeout. */
  readonly untilTimeout?: number;
}

const STORAGE = ['StorageUnavailable'];
const BROKEN = /ECONNRESET|EPIPE|socket hang up|aborted|ended early|closed before/;
const SILENT = /no data for 10 seconds|tim(ed|e) ?out|slower than any network/i;
/** Each is a silence of ten seconds and a pause, on a busy machine more, and a function has a minute. */
const SILENCES = { errors: STORAGE, cause: SILENT, untilTimeout: 3 };
const KILLED = { errors: ['Runtime.ExitError'], cause: /signal: killed/ };

/** Nothing fails because of it. */
const HARMLESS = { errors: [], cause: /^$/ };

export const EXPLANATIONS: Readonly<Record<FaultKind, Explanation>> = {
  's3-503': { errors: STORAGE, cause: /SlowDown/ },
  's3-500': { errors: STORAGE, cause: /InternalError/ },
  's3-409': { errors: STORAGE, cause: /ConditionalRequestConflict/ },
  reset: { errors: STORAGE, cause: BROKEN },
  'lost-answer': { errors: STORAGE, cause: BROKEN },
  'slow-response': HARMLESS,
  'short-body': { errors: STORAGE, cause: BROKEN },
  'stalled-body': SILENCES,
  'flipped-bit': {
    errors: ['CorruptTensor', 'WeightsCorrupt', ...STORAGE],
    cause: /was damaged in \d reads|does not have the SHA-256|BadDigest|refused the session|CreateSession/,
  },
  'forgotten-connection': SILENCES,
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

/** The kinds among those injected that explain a failure. */
export function explaining(
  injected: readonly FaultKind[],
  { error, cause }: { readonly error: string; readonly cause: string },
): FaultKind[] {
  return [...new Set(injected)].filter((kind) => {
    const { errors, cause: named, untilTimeout = Infinity } = EXPLANATIONS[kind];
    const mayTimeOut = injected.filter((each) => each === kind).length >= untilTimeout;
    return (errors.includes(error) || (mayTimeOut && error === 'Sandbox.Timedout')) && named.test(cause);
  });
}
