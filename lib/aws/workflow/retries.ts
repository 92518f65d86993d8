/** What a failed call of a slice is worth trying again. */
import { Duration } from 'aws-cdk-lib';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { ERROR_NAMES } from '../../../lambda/contract';

/** Faults of the Lambda service and its queues; https://docs.aws.amazon.com/step-functions/latest/dg/bp-lambda-serviceexception.html. */
const SERVICE_FAULTS = [
  'Lambda.ServiceException',
  'Lambda.AWSLambdaException',
  'Lambda.SdkClientException',
  'Lambda.ClientExecutionTimeoutException',
  'Lambda.TooManyRequestsException',
];

/** How a sandbox that was killed, ran out of memory or out of time shows. */
const SANDBOX_FAULTS = ['Lambda.Unknown', 'Sandbox.Timedout', 'Runtime.ExitError', 'Runtime.OutOfMemory'];

const jitterStrategy = sfn.JitterType.FULL;

/** The service was busy or not there for a moment: it is waited for. */
export const SERVICE_RETRY: sfn.RetryProps = {
  errors: SERVICE_FAULTS,
  interval: Duration.seconds(1),
  backoffRate: 2,
  maxAttempts: 6,
  maxDelay: Duration.seconds(20),
  jitterStrategy,
};

export const SANDBOX_RETRY: sfn.RetryProps = {
  errors: SANDBOX_FAULTS,
  interval: Duration.seconds(1),
  backoffRate: 2,
  maxAttempts: 2,
  jitterStrategy,
};

/**
 * A second try settles whether the network was at fault. The function has thrown a corrupt file away, and what it
 * wrote it writes again under the same key.
 */
export const SLICE_RETRY: sfn.RetryProps = {
  errors: [ERROR_NAMES.weightsCorrupt, ERROR_NAMES.sliceFailed],
  interval: Duration.seconds(1),
  maxAttempts: 1,
  jitterStrategy,
};
