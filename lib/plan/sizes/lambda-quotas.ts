/** Quotas of Lambda functions and stacks that plans must respect, each with its source. */

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

/**
 * CloudFormation allows 500 resources in a stack:
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
 */
const MAX_RESOURCES = 500;

/** A slice has a function, a version, a role and a policy. */
const RESOURCES_PER_SLICE = 4;

/** Bucket, state machine, logs and network of a pipeline, and a few constructs of the user's own. */
const OTHER_RESOURCES = 20;

/** The most slices for which the search looks. A plan with that many slices still fits the other limits of a stack. */
export const MOST_SLICES = Math.floor((MAX_RESOURCES - OTHER_RESOURCES) / RESOURCES_PER_SLICE);
