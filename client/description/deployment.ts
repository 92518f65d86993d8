/** Tells one deployment of a state machine from the next. Both have the same ARN. */
import { ERROR_NAMES } from '../../contract/failures';
import { InferenceError } from '../errors';
import { parseFailureCause } from '../failure-cause';

/** What a call uses of a description. */
export interface Deployment {
  readonly type: string;
  /** Only of a call that passes tensors. */
  readonly bucket?: unknown;
  /** Only of a call that passes tensors. */
  readonly deploymentDigest?: unknown;
}

/** Whether the deployment is another one than the call used. */
export function isOutdated(used: Deployment, now: Deployment): boolean {
  if (used.type !== now.type) return true;
  if (used.bucket === undefined) return false;
  return used.bucket !== now.bucket || used.deploymentDigest !== now.deploymentDigest;
}

/** Errors of requests that a call made from the description of an earlier deployment. These requests have started nothing. */
const REFUSALS: readonly string[] = [
  // The bucket is gone, or is now that of another account.
  'NoSuchBucket',
  'AccessDenied',
  // https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartSyncExecution.html
  'StateMachineTypeNotSupported',
];

/** Whether a call may fail so because its description is older than the deployment. */
export function mayBeOutdated(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (!(error instanceof InferenceError)) return REFUSALS.includes(error.name);
  // The request is in another bucket than the slices read, or has the inputs of another model.
  return error.name === ERROR_NAMES.invalidInput && error.executionArn !== undefined;
}

/** How Lambda answers if a deployment has removed a function, or the permission to call it. The cause has the function's ARN. */
const LOST_FUNCTION: readonly string[] = ['Lambda.ResourceNotFoundException', 'Lambda.AWSLambdaException'];
const FUNCTION_ARN = /\barn:[\w-]+:lambda:[\w-]+:\d{12}:function:[\w-]+(?::[\w-]+)?/;

const DIGEST = /^[0-9a-f]{64}$/;

/**
 * Text of a failure that the definition of the state machine contains while it is the one that has run. If a later definition lacks it, a
 * deployment explains the failure. The failures of the user's own functions have none, whatever their names are.
 *
 * @param isPipeline whether the state machine is a pipeline's, whose definition names all functions that it calls
 * @returns `undefined` if no deployment can explain the failure
 */
export function traceOfDeployment(error: unknown, isPipeline: boolean): string | undefined {
  if (!(error instanceof InferenceError) || typeof error.cause !== 'string') return undefined;
  const { name, cause, step } = error;
  const { slice, got, deploymentDigest } = parseFailureCause(cause);
  if (step !== undefined) return undefined;
  if (LOST_FUNCTION.includes(name) && (isPipeline || slice !== undefined)) {
    const arn = FUNCTION_ARN.exec(cause)?.[0];
    // Version 1 of a function is not version 12.
    return arn && `${arn}"`;
  }
  const digest = name === ERROR_NAMES.planChanged ? got : deploymentDigest;
  return slice !== undefined && digest !== undefined && DIGEST.test(digest) ? digest : undefined;
}
