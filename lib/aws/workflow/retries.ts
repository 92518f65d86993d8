/** What a failed call of a slice is worth trying again. */
import { Duration } from 'aws-cdk-lib';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { ERROR_NAMES } from '../../../contract/failures';

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

/**
 * Lambda lets functions sleep that nobody calls for weeks, and takes time to attach those of a VPC: a call then fails, and
 * those of the next minute or two. https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html
 */
const SLEEPING_FUNCTION_FAULTS = [
  'Lambda.ResourceNotReadyException',
  'Lambda.CodeArtifactUserPendingException',
  'Lambda.ENILimitReachedException',
  'Lambda.EC2ThrottledException',
  'Lambda.EC2UnexpectedException',
  'Lambda.SubnetIPAddressLimitReachedException',
];

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

/** The function is on its way: about two minutes. */
export const SLEEPING_FUNCTION_RETRY: sfn.RetryProps = {
  errors: SLEEPING_FUNCTION_FAULTS,
  interval: Duration.seconds(5),
  backoffRate: 1.5,
  maxAttempts: 8,
  maxDelay: Duration.seconds(30),
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
