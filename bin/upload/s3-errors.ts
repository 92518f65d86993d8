/** Explains a failed request to S3. */
import { S3ServiceException } from '@aws-sdk/client-s3';
import { isThrottled, isUnreachable, NO_CREDENTIALS } from '../../client/aws/failures';
import { SlicedInferenceError } from '../../lib/errors';

interface FailedRequest {
  readonly bucket: string;
  /** `s3://bucket/key`. */
  readonly uri: string;
  readonly permission: string;
  readonly region?: string;
}

const REGION_ERRORS = [
  'AuthorizationHeaderMalformed',
  'IllegalLocationConstraintException',
  'PermanentRedirect',
  'TemporaryRedirect',
];

/** The error to throw in place of an error of the SDK. Errors that are not about AWS stay as they are. */
export function explainS3Error(error: unknown, request: FailedRequest): unknown {
  if (!(error instanceof Error)) return error;
  const { bucket, uri, permission, region = 'another one' } = request;
  const { name, reason, status } = sdkFailure(error);
  const bucketRegion = regionOfBucket(error);
  const isRedirect = (status >= 300 && status < 400) || REGION_ERRORS.includes(name);
  const explanations: Explanation[] = [
    ...ofCredentials(name),
    [
      reason.includes('Region is missing'),
      'the AWS region must be known',
      `set AWS_REGION to the region of bucket '${bucket}'`,
      'none',
    ],
    [
      isRedirect,
      `the AWS region must be that of bucket '${bucket}'${bucketRegion === undefined ? '' : `, ${bucketRegion}`}`,
      `set AWS_REGION${bucketRegion === undefined ? '' : ` to ${bucketRegion}`}`,
      region,
    ],
    [
      name === 'NoSuchBucket' || name === 'InvalidBucketName',
      `bucket '${bucket}' must exist`,
      'check its name or create it',
    ],
    [
      name === 'AccessDenied' || status === 403,
      `${permission} must be allowed for ${uri}`,
      "allow it in your role's policy, and check the policies of the bucket and of its KMS key",
    ],
    [
      isThrottled(error) || status === 503,
      `S3 must have capacity for bucket '${bucket}'`,
      'run the command again later to continue',
    ],
    [
      isUnreachable(error),
      `S3 must be reachable for ${uri}`,
      'check the network, the proxy and AWS_ENDPOINT_URL_S3, then run the command again to continue',
    ],
    [
      error instanceof S3ServiceException,
      `S3 must accept the request for ${uri}`,
      'run the command again to continue',
    ],
  ];
  const found = explanations.find(([applies]) => applies);
  if (found === undefined) return error;
  const [, what, advice, got = reason] = found;
  return new SlicedInferenceError(what, got, advice);
}

/** S3 sends it with most responses. */
function regionOfBucket(error: Error): string | undefined {
  const { $response } = error as Partial<S3ServiceException>;
  const headers = $response?.headers as Readonly<Record<string, string | undefined>> | undefined;
  return headers?.['x-amz-bucket-region'];
}

/** Whether it is about the failure, what must be so, what to do, and what was got if that is not the SDK's reason. */
type Explanation = readonly [applies: boolean, what: string, advice: string, got?: string];

/** The fields of the SDK's errors and of Node.js's system errors. */
interface SdkErrorFields {
  readonly code?: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
}

/** The error's code or name, or its status for a response without a body; the name with the message, in one line; the HTTP status, or 0. */
function sdkFailure(error: Error) {
  const { code, $metadata } = error as Error & SdkErrorFields;
  const status = $metadata?.httpStatusCode ?? 0;
  const name = code ?? (error.name === 'Unknown' ? `status ${status || 'unknown'}` : error.name);
  const message = error.message === 'UnknownError' ? '' : error.message.trim().replaceAll(/\s+/g, ' ');
  return { name, status, reason: message === '' || message === name ? name : `${name} (${message})` };
}

const EXPIRED = ['ExpiredToken', 'ExpiredTokenException', 'InvalidToken', 'TokenRefreshRequired'];
const WRONG_KEYS = new Set(
  `IncompleteSignature IncompleteSignatureException InvalidAccessKeyId InvalidSignatureException
  MissingAuthenticationToken MissingAuthenticationTokenException SignatureDoesNotMatch
  UnrecognizedClientException`.split(/\s+/),
);

function ofCredentials(name: string): Explanation[] {
  return [
    [
      NO_CREDENTIALS.includes(name),
      'AWS credentials must be found',
      'set AWS_PROFILE, sign in with `aws sso login`, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY',
    ],
    [EXPIRED.includes(name), 'AWS credentials must be valid', 'sign in again'],
    [WRONG_KEYS.has(name), 'AWS credentials must be valid', 'check AWS_PROFILE or the access key'],
  ];
}
