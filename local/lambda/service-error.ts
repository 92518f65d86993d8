/** Errors of the Lambda service itself, in the words in which Step Functions reports them. */
import { randomUUID } from 'node:crypto';

/** Why Lambda throttles a call. https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html#API_Invoke_Errors */
export type ThrottleReason =
  'ConcurrentInvocationLimitExceeded' | 'ReservedFunctionConcurrentInvocationLimitExceeded';

/** A call that Lambda refuses before the function runs. `name` is the error name in Step Functions. */
export class LambdaServiceError extends Error {
  constructor(
    override readonly name: 'Lambda.TooManyRequestsException' | 'Lambda.RequestEntityTooLargeException',
    message: string,
    /** Part of Lambda's response, but not of what Step Functions reports. */
    readonly reason?: ThrottleReason,
  ) {
    super(message);
  }
}

/** The words are those in https://github.com/HumanCellAtlas/data-store/issues/1118, which quotes a cause of Step Functions. */
export function throttled(reason: ThrottleReason): LambdaServiceError {
  const detail = serviceDetail(429, 'TooManyRequestsException');
  return new LambdaServiceError('Lambda.TooManyRequestsException', `Rate Exceeded. ${detail}`, reason);
}

/**
 * Step Functions itself never sends that much: its tasks take at most 256 KiB. The words are those in
 * https://github.com/awslabs/aws-athena-query-federation/issues/793.
 */
export function requestTooLarge(limit: number): LambdaServiceError {
  const detail = serviceDetail(413, 'RequestEntityTooLargeException');
  return new LambdaServiceError(
    'Lambda.RequestEntityTooLargeException',
    `Request must be smaller than ${limit} bytes for the InvokeFunction operation ${detail}`,
  );
}

function serviceDetail(status: number, code: string): string {
  return `(Service: AWSLambda; Status Code: ${status}; Error Code: ${code}; Request ID: ${randomUUID()})`;
}
