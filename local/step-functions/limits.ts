/** Step Functions' quotas. https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html */

/** Largest input or output of a state, a task or an execution, and most of all variables of one Assign: 256 KiB of UTF-8 JSON. */
export const MAX_STATE_BYTES = 262_144;

export const MAX_DEFINITION_BYTES = 1_048_576;

/** Characters in a state's name, and in an execution's. */
export const MAX_STATE_NAME = 80;
export const MAX_EXECUTION_NAME = 80;

/**
 * White space, brackets, wildcards, special, control and invalid characters.
 * https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html#StepFunctions-StartExecution-request-name
 */
const FORBIDDEN_IN_NAMES =
  /[\s<>{}[\]?*"#%\\^|~`$&,;:/\u0000-\u001f\u007f-\u009f\ufffe\uffff\ud800-\udfff]|\u{10ffff}/u;

export function isExecutionName(name: string): boolean {
  return name.length > 0 && name.length <= MAX_EXECUTION_NAME && !FORBIDDEN_IN_NAMES.test(name);
}

export const MAX_EXPRESS_SECONDS = 300;

/** Events in the history of a Standard execution, including the one that ends it. */
export const MAX_HISTORY_EVENTS = 25_000;

/** Iterations of an inline Map that run at once. https://docs.aws.amazon.com/step-functions/latest/dg/state-map-inline.html */
export const MAX_INLINE_CONCURRENCY = 40;

/** Children of a distributed Map that run at once. https://docs.aws.amazon.com/step-functions/latest/dg/state-map-distributed.html */
export const MAX_DISTRIBUTED_CONCURRENCY = 10_000;

/** The longest Wait and the longest interval of a retry, in seconds. */
export const MAX_WAIT_SECONDS = 99_999_999;
