/** Lambda's limits that a function can notice. https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */

/** A request or a response of a synchronous call, in bytes: the figure in Lambda's own error message. */
export const MAX_INVOKE_PAYLOAD_BYTES = 6_291_556;

/**
 * An init phase that is longer is repeated within the first call's timeout; here both are one wait.
 * https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle-ib
 */
export const INIT_SECONDS = 10;

/** A function's zip, unpacked, in bytes. */
export const MAX_CODE_BYTES = 250 * 1024 * 1024;

/** What is kept of a function's output for diagnosis; not a limit of Lambda's. */
export const LOG_BYTES = 64 * 1024;
