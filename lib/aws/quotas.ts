/** AWS quotas that a pipeline must not exceed, each with its source. */

/** Documentation of the quotas below. */
export const LAMBDA_QUOTAS = 'https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html';
export const STEP_FUNCTIONS_QUOTAS =
  'https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html';
export const S3_QUOTAS = 'https://docs.aws.amazon.com/AmazonS3/latest/userguide/upload-objects.html';
export const CLOUDFORMATION_QUOTAS =
  'https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html';

/** The library warns if a pipeline uses this share of a quota or more. */
export const WARNING_SHARE = 0.8;

/** Size of a function's unzipped code, in bytes: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html. */
export const MAX_LAMBDA_CODE_BYTES = 250 * 1024 * 1024;

/** Duration of an Express execution: https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html. */
export const MAX_EXPRESS_MINUTES = 5;

/** Total size of a function's environment variables, in bytes: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html. */
export const MAX_LAMBDA_ENVIRONMENT_BYTES = 4 * 1024;

/** Size of a state machine's definition, in bytes: https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html. */
export const MAX_DEFINITION_BYTES = 1024 * 1024;

/** Number of events in the history of a Standard execution: https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html. */
export const MAX_STANDARD_EVENTS = 25_000;

/** Size of the input or output of a state or an execution, in bytes: https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html. */
export const MAX_STATE_PAYLOAD_BYTES = 256 * 1024;

/** Size of an object that is uploaded in one PUT request, in bytes: https://docs.aws.amazon.com/AmazonS3/latest/userguide/upload-objects.html. */
export const MAX_PUT_BYTES = 5 * 1024 ** 3;

/** Number of resources in a stack: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html. */
export const MAX_STACK_RESOURCES = 500;

/** Length of a managed policy without whitespace: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html. */
export const MAX_MANAGED_POLICY_CHARACTERS = 6_144;

/** Length of all inline policies of a role without whitespace: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html. */
export const MAX_INLINE_POLICY_CHARACTERS = 10_240;

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html */
export const MAX_LOGICAL_ID_CHARACTERS = 255;

/** Size of a template in S3, in bytes. CDK holds templates against the same number. */
export const MAX_TEMPLATE_BYTES = 1_000_000;

/**
 * Concurrent executions that an account may reserve for functions: 1,000 minus the 100 that must stay unreserved. New
 * accounts may have only 10 in total. https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html
 */
export const RESERVABLE_CONCURRENCY = 900;
export const NEW_ACCOUNT_CONCURRENCY = 10;
