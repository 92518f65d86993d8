/** Which errors of the AWS SDK pass by themselves, and how the others become errors of the client. */
import { InferenceError, InferenceTimeoutError } from '../errors';

/**
 * Names of errors that mean "too many requests", besides status 429.
 * https://docs.aws.amazon.com/step-functions/latest/apireference/CommonErrors.html and API_StartExecution.html beside it
 */
const THROTTLING = [
  'ThrottlingException',
  'Throttling',
  'TooManyRequestsException',
  'RequestLimitExceeded',
  'SlowDown',
  'ExecutionLimitExceeded',
];

interface SdkError {
  readonly name?: unknown;
  readonly code?: unknown;
  readonly $metadata?: { readonly httpStatusCode?: unknown };
}

export function isThrottled(error: unknown): boolean {
  const { name, $metadata } = fieldsOf(error);
  return $metadata?.httpStatusCode === 429 || (typeof name === 'string' && THROTTLING.includes(name));
}

/** Whether the same request may succeed later. The service may have done what it asks. */
export function isTransient(error: unknown): boolean {
  if (isThrottled(error)) return true;
  const status = fieldsOf(error).$metadata?.httpStatusCode;
  return typeof status === 'number' ? status >= 500 : isUnreachable(error);
}

/** Whether there is no connection, or no answer in time. */
export function isUnreachable(error: unknown): boolean {
  const { name, code } = fieldsOf(error);
  return name === 'TimeoutError' || (typeof code === 'string' && CONNECTION.test(code));
}

/** Codes of broken or refused connections. https://nodejs.org/api/errors.html#common-system-errors */
const CONNECTION = /^(ECONN\w+|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|EAI_AGAIN|ENOTFOUND)$/;

function fieldsOf(error: unknown): SdkError {
  return typeof error === 'object' && error !== null ? error : {};
}

/** Errors of the SDK's search for credentials, which comes before any request. */
export const NO_CREDENTIALS = ['CredentialsProviderError', 'TokenProviderError'];

/** https://nodejs.org/api/tls.html#x509-certificate-error-codes */
const UNTRUSTED = /^(DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_\w+)$/;

/** Whether the AWS SDK made the error of a service's response, of a connection, or of missing credentials. */
export function isSdkError(error: unknown): error is Error {
  return (
    error instanceof Error && (fieldsOf(error).$metadata !== undefined || adviceFor(error) !== undefined)
  );
}

function adviceFor(error: Error): string | undefined {
  const { code } = fieldsOf(error);
  if (NO_CREDENTIALS.includes(error.name))
    return 'set AWS_PROFILE or the access key, or pass clients of your own';
  // The SDK parses the variables of its endpoints only when it sends a request.
  if (code === 'ERR_INVALID_URL')
    return 'correct AWS_ENDPOINT_URL, and AWS_ENDPOINT_URL_ with SFN, LAMBDA and S3';
  if (typeof code === 'string' && UNTRUSTED.test(code))
    return 'set NODE_EXTRA_CA_CERTS to the file of the certificate authority, for a local cloud with `. ./cloud.env`';
  const isOfConnection = typeof code === 'string' && CONNECTION.test(code);
  return isOfConnection
    ? 'check the network, the region of the ARN and the endpoints of AWS that are set'
    : undefined;
}

export function explainedError(error: unknown, executionArn?: string): unknown {
  if (error instanceof InferenceError || error instanceof InferenceTimeoutError) {
    return executionArn === undefined || error.executionArn !== undefined
      ? error
      : inExecution(error, executionArn);
  }
  if (!isSdkError(error)) return error;
  const advice = adviceFor(error);
  const message = advice === undefined ? error.message : `AWS must answer, got ${error.message}: ${advice}`;
  return new InferenceError(nameOf(error), message, { executionArn, cause: error });
}

/** Returns another error, because calls that wait for one answer share theirs. Its stack says where the call failed. */
function inExecution(error: InferenceError | InferenceTimeoutError, executionArn: string): Error {
  const { message, cause, stack } = error;
  const own =
    error instanceof InferenceTimeoutError
      ? new InferenceTimeoutError(message, executionArn, cause)
      : new InferenceError(error.name, message, Object.assign({}, error, { executionArn, cause }));
  return Object.assign(own, { stack });
}

/** Errors of connections and of endpoints have a code such as `ECONNREFUSED`, and no name of their own. */
function nameOf({ name, code }: Error & { readonly code?: unknown }): string {
  return (name === 'Error' || name === 'TypeError') && typeof code === 'string' ? code : name;
}

export async function explaining<T>(asked: Promise<T>): Promise<T> {
  try {
    return await asked;
  } catch (error) {
    throw explainedError(error);
  }
}
