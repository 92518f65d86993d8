/** Errors of the Lambda service itself, in the words in which Step Functions reports them. */
import { randomUUID } from 'node:crypto';
import { StateError } from '../step-functions/state-error';

/** The words are those in https://github.com/HumanCellAtlas/data-store/issues/1118, which quotes a cause of Step Functions. */
export function throttled(): StateError {
  const code = 'TooManyRequestsException';
  return new StateError(`Lambda.${code}`, `Rate Exceeded. ${serviceDetail(429, code)}`);
}

/** Step Functions never sends that much. In the words of https://github.com/awslabs/aws-athena-query-federation/issues/793. */
export function requestTooLarge(limit: number): StateError {
  const code = 'RequestEntityTooLargeException';
  const message = `Request must be smaller than ${limit} bytes for the InvokeFunction operation`;
  return new StateError(`Lambda.${code}`, `${message} ${serviceDetail(413, code)}`);
}

/**
 * The names are documented: https://docs.aws.amazon.com/step-functions/latest/dg/bp-lambda-serviceexception.html. The texts are those
 * of the API's reference and of the AWS SDK for Java, which Step Functions is believed to use.
 */
export function serviceFailures(): readonly StateError[] {
  const internal = `The AWS Lambda service encountered an internal error. ${serviceDetail(500, 'ServiceException')}`;
  return [
    new StateError('Lambda.ServiceException', internal),
    new StateError('Lambda.SdkClientException', 'Unable to execute HTTP request: Connection reset'),
    new StateError('Lambda.AWSLambdaException', `Service Unavailable ${serviceDetail(503, 'null')}`),
  ];
}

function serviceDetail(status: number, code: string): string {
  return `(Service: AWSLambda; Status Code: ${status}; Error Code: ${code}; Request ID: ${randomUUID()})`;
}
