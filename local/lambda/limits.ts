/** Lambda's limits that a function can notice. https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */

/** Largest request or response of a synchronous call, in bytes: the figure in Lambda's own error message. */
export const MAX_INVOKE_PAYLOAD_BYTES = 6_291_556;

/**
 * Longest init phase. Lambda repeats a longer one within the first call's timeout; the local cloud waits once for both.
 * https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle-ib
 */
export const INIT_SECONDS = 10;

/** Largest unpacked zip of a function, in bytes. */
export const MAX_CODE_BYTES = 250 * 1024 * 1024;

/** Bytes of a function's output that are kept for diagnosis; not a limit of Lambda. */
export const LOG_BYTES = 64 * 1024;
