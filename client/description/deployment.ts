/** Tells one deployment of a state machine from the next. Both have the same ARN. */
import { ERROR_NAMES } from '../../contract/failures';
import { InferenceError } from '../errors';

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
