/** What an error of the AWS SDK says, for every class of its errors, and the explanations that all services share. */
import { SlicedInferenceError } from '../../lib/errors';

export interface SdkFailure {
  /** The error's code or name; `status 403` for a response without a body. */
  readonly name: string;
  /** The name, and the message if there is one, in one line. */
  readonly reason: string;
  /** HTTP status; absent without a response. */
  readonly status?: number;
}

/** The fields of the SDK's errors and of Node.js's system errors. */
interface SdkErrorFields {
  readonly code?: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
}

export function sdkFailure(error: Error): SdkFailure {
  const { code, $metadata } = error as Error & SdkErrorFields;
  const status = $metadata?.httpStatusCode;
  const name = code ?? (error.name === 'Unknown' ? `status ${status ?? 'unknown'}` : error.name);
  const message = error.message === 'UnknownError' ? '' : error.message.trim().replaceAll(/\s+/g, ' ');
  const reason = message === '' || message === name ? name : `${name} (${message})`;
  return { name, reason, ...(status !== undefined && { status }) };
}

const EXPIRED = ['ExpiredToken', 'ExpiredTokenException', 'InvalidToken', 'TokenRefreshRequired'];
const WRONG_KEYS = [
  'IncompleteSignature',
  'IncompleteSignatureException',
  'InvalidAccessKeyId',
  'InvalidSignatureException',
  'MissingAuthenticationToken',
  'MissingAuthenticationTokenException',
  'SignatureDoesNotMatch',
  'UnrecognizedClientException',
];

/** AWS says `Credential should be scoped to a valid region`, or which region it expects. */
const WRONG_REGION = /\bregion\b/i;

/** The explanation if the SDK found no credentials, or if the service refuses those that it found. */
export function explainCredentials({ name, reason }: SdkFailure): SlicedInferenceError | undefined {
  if (name === 'CredentialsProviderError' || name === 'TokenProviderError') {
    return new SlicedInferenceError(
      'AWS credentials must be found',
      reason,
      'set AWS_PROFILE, sign in with `aws sso login`, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY',
    );
  }
  const what = 'AWS credentials must be valid';
  if (EXPIRED.includes(name)) return new SlicedInferenceError(what, reason, 'sign in again');
  if (WRONG_KEYS.includes(name) && WRONG_REGION.test(reason)) {
    return new SlicedInferenceError(
      'a request must be for the region of the endpoint that it reaches',
      reason,
      'check the region in the ARN, AWS_REGION, AWS_ENDPOINT_URL_SFN and AWS_ENDPOINT_URL_S3',
    );
  }
  if (WRONG_KEYS.includes(name)) {
    return new SlicedInferenceError(what, reason, 'check AWS_PROFILE or the access key');
  }
  if (name === 'RequestTimeTooSkewed') {
    return new SlicedInferenceError("this machine's clock must be right", reason, 'set the clock');
  }
  return undefined;
}

export const NETWORK_ERRORS = [
  'EAI_AGAIN',
  'ECONNABORTED',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EPIPE',
  'ETIMEDOUT',
  'TimeoutError',
];
