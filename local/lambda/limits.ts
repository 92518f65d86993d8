/** Lambda's limits that a function can notice. https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */

/** Largest request of a synchronous call, in bytes: the figure in Lambda's own error message. */
export const MAX_REQUEST_BYTES = 6_291_456;

/** Largest response of a synchronous call, in bytes: the figure in Lambda's own error message, 100 more than for a request. */
export const MAX_RESPONSE_BYTES = 6_291_556;

/**
 * Longest init phase. Lambda repeats a longer one within the first call's timeout.
 * https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle-ib
 */
export const INIT_SECONDS = 10;

/** Largest unpacked zip of a function, in bytes. */
export const MAX_CODE_BYTES = 250 * 1024 * 1024;

/** Concurrent calls of all functions of an account. New accounts often have 10. */
export const ACCOUNT_CONCURRENCY = 1000;

/**
 * Concurrency that reservations must leave to the functions without one; the whole limit of an account that has less.
 * https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html
 */
export const LEAST_UNRESERVED_CONCURRENCY = 100;

/** Bytes of a function's output that are kept for diagnosis; not a limit of Lambda. */
export const LOG_BYTES = 64 * 1024;
