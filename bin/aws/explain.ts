/** Explains errors of the AWS SDK in one line: what was expected, what was got, what to do. */
import { SlicedInferenceError } from '../../lib/errors';

export interface SdkFailure {
  /** The error's code or name; `status 403` for a response without a body. */
  readonly name: string;
  /** The name, and the message if there is one, in one line. */
  readonly reason: string;
  /** HTTP status; 0 without a response. */
  readonly status: number;
}

/** The fields of the SDK's errors and of Node.js's system errors. */
interface SdkErrorFields {
  readonly code?: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
}

/** Whether it is about the failure, what must be so, what to do, and what was got if that is not the SDK's reason. */
export type Explanation = readonly [applies: boolean, what: string, advice: string, got?: string];

export function sdkFailure(error: Error): SdkFailure {
  const { code, $metadata } = error as Error & SdkErrorFields;
  const status = $metadata?.httpStatusCode ?? 0;
  const name = code ?? (error.name === 'Unknown' ? `status ${status || 'unknown'}` : error.name);
  const message = error.message === 'UnknownError' ? '' : error.message.trim().replaceAll(/\s+/g, ' ');
  return { name, status, reason: message === '' || message === name ? name : `${name} (${message})` };
}

/** The error of the first explanation that applies; the credentials come before those of the service. */
export function firstExplanation(
  failure: SdkFailure,
  ofService: readonly Explanation[],
): SlicedInferenceError | undefined {
  const found = [...ofCredentials(failure), ...ofService].find(([applies]) => applies);
  if (found === undefined) return undefined;
  const [, what, advice, got = failure.reason] = found;
  return new SlicedInferenceError(what, got, advice);
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

function ofCredentials({ name }: SdkFailure): Explanation[] {
  return [
    [
      name === 'CredentialsProviderError' || name === 'TokenProviderError',
      'AWS credentials must be found',
      'set AWS_PROFILE, sign in with `aws sso login`, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY',
    ],
    [EXPIRED.includes(name), 'AWS credentials must be valid', 'sign in again'],
    [WRONG_KEYS.includes(name), 'AWS credentials must be valid', 'check AWS_PROFILE or the access key'],
  ];
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
