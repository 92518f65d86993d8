/** AWS quotas that a pipeline must not exceed, below the documentation that they come from. */
import { MAX_EXPRESS_SECONDS } from '../cost/batch-limits';

export const LAMBDA_QUOTAS = 'https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html';
export const MAX_LAMBDA_ENVIRONMENT_BYTES = 4 * 1024;

export const STEP_FUNCTIONS_QUOTAS =
  'https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html';
export const MAX_EXPRESS_MINUTES = MAX_EXPRESS_SECONDS / 60;

export const S3_QUOTAS = 'https://docs.aws.amazon.com/AmazonS3/latest/userguide/upload-objects.html';
export const MAX_PUT_BYTES = 5 * 1024 ** 3;

// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
export const MAX_LOGICAL_ID_CHARACTERS = 255;

// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html, without whitespace
export const MAX_MANAGED_POLICY_CHARACTERS = 6_144;
/** Of all inline policies of a role. */
export const MAX_INLINE_POLICY_CHARACTERS = 10_240;

/** Concurrent executions of a new account: https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html */
export const NEW_ACCOUNT_CONCURRENCY = 10;
