/** Quotas of AWS that a stack has to keep, each with its source. */

/** Documentation of the quotas below. */
export const LAMBDA_QUOTAS = 'https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html';
export const STEP_FUNCTIONS_QUOTAS =
  'https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html';
export const S3_QUOTAS = 'https://docs.aws.amazon.com/AmazonS3/latest/userguide/upload-objects.html';
export const IAM_QUOTAS = 'https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html';
export const CLOUDFORMATION_QUOTAS =
  'https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html';

/** From this part of a quota on it is warned of. */
export const WARNING_SHARE = 0.8;

/** A function's code, unzipped, in bytes: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html. */
export const MAX_LAMBDA_CODE_BYTES = 250 * 1024 * 1024;

/** Longest Express execution: https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html. */
export const MAX_EXPRESS_MINUTES = 5;

/** All environment variables of a function together, in bytes: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html. */
export const MAX_LAMBDA_ENVIRONMENT_BYTES = 4 * 1024;

/** A state machine's definition in bytes: https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html. */
export const MAX_DEFINITION_BYTES = 1024 * 1024;

/** Events in the history of a Standard execution: https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html. */
export const MAX_STANDARD_EVENTS = 25_000;

/** Input or output of a state or an execution in bytes: https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html. */
export const MAX_STATE_PAYLOAD_BYTES = 256 * 1024;

/** An object that is put in one request, in bytes: https://docs.aws.amazon.com/AmazonS3/latest/userguide/upload-objects.html. */
export const MAX_PUT_BYTES = 5 * 1024 ** 3;

/** All inline policies of a role together, in characters without blanks: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html. */
export const MAX_INLINE_POLICY_CHARACTERS = 10_240;

/** Resources of a stack: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html. */
export const MAX_STACK_RESOURCES = 500;

/**
 * Concurrent calls that an account may reserve for functions: 1,000 less the 100 that stay for all others. New accounts may
 * have 10 in all. https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html
 */
export const RESERVABLE_CONCURRENCY = 900;
export const NEW_ACCOUNT_CONCURRENCY = 10;
