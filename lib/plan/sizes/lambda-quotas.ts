/** Quotas of Lambda functions that plans must respect, each with its source. */

/**
 * Memory of a Lambda function in MB: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html.
 * New accounts are often limited to 3,008 MB.
 */
export const MIN_LAMBDA_MEMORY_MB = 128;
export const MAX_LAMBDA_MEMORY_MB = 10_240;
export const DEFAULT_MAX_MEMORY_MB = 3_008;

/** A function's `/tmp` in MB: https://docs.aws.amazon.com/lambda/latest/dg/configuration-ephemeral-storage.html. */
export const MIN_EPHEMERAL_STORAGE_MB = 512;
export const MAX_EPHEMERAL_STORAGE_MB = 10_240;

/** A function's timeout in seconds: https://docs.aws.amazon.com/lambda/latest/dg/configuration-timeout.html. */
export const MAX_LAMBDA_TIMEOUT_SECONDS = 900;

/** Memory in MB that comes with one vCPU: https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html. */
export const MEMORY_MB_PER_VCPU = 1_769;
