/** What a failed request to S3 means for who uploads: what was needed, what came, what to do, in one line. */
import { S3ServiceException } from '@aws-sdk/client-s3';
import { SlicedInferenceError } from '../../lib/errors';

/** The request that failed. */
export interface FailedRequest {
  readonly bucket: string;
  /** `s3://bucket/key`. */
  readonly uri: string;
  /** What the caller has to be allowed. */
  readonly permission: string;
  /** The client's region, where it has one. */
  readonly region?: string;
}

/** What the SDK says of a failure, of whatever class it is. */
interface Failure {
  readonly name: string;
  readonly reason: string;
  readonly status?: number;
  /** Where the bucket is, as S3 tells with most answers. */
  readonly bucketRegion?: string;
}

type Explanation = (failure: Failure, request: FailedRequest) => SlicedInferenceError | undefined;

/** The first one that knows the failure explains it. */
const EXPLANATIONS: readonly Explanation[] = [
  noCredentials,
  badCredentials,
  noRegion,
  otherRegion,
  noBucket,
  badKey,
  denied,
  damaged,
  throttled,
  unreachable,
];

/** The error to throw for one that the SDK threw: itself when it is not about AWS. */
export function explainS3Error(error: unknown, request: FailedRequest): unknown {
  if (!(error instanceof Error)) return error;
  const failure = describe(error);
  for (const explain of EXPLANATIONS) {
    const explained = explain(failure, request);
    if (explained !== undefined) return explained;
  }
  if (!(error instanceof S3ServiceException)) return error;
  const what = `S3 must accept the request for ${request.uri}`;
  return new SlicedInferenceError(what, failure.reason, 'run the command again, which goes on from here');
}

function describe(error: Error): Failure {
  const { code, $metadata, $response } = error as NodeJS.ErrnoException & Partial<S3ServiceException>;
  const headers = $response?.headers as Readonly<Record<string, string | undefined>> | undefined;
  const status = $metadata?.httpStatusCode;
  // An answer without a body has a status only.
  const name = code ?? (error.name === 'Unknown' ? `status ${status ?? 'unknown'}` : error.name);
  const message = error.message === 'UnknownError' ? '' : error.message.trim().replaceAll(/\s+/g, ' ');
  return {
    name,
    status,
    bucketRegion: headers?.['x-amz-bucket-region'],
    reason: message === '' || message === name ? name : `${name} (${message})`,
  };
}

function noCredentials({ name, reason }: Failure): SlicedInferenceError | undefined {
  if (name !== 'CredentialsProviderError' && name !== 'TokenProviderError') return undefined;
  return new SlicedInferenceError(
    'AWS credentials must be found',
    reason,
    'set AWS_PROFILE, sign in with `aws sso login`, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY',
  );
}

const EXPIRED = ['ExpiredToken', 'ExpiredTokenException', 'InvalidToken', 'TokenRefreshRequired'];
const WRONG_KEYS = ['InvalidAccessKeyId', 'SignatureDoesNotMatch', 'UnrecognizedClientException'];

function badCredentials({ name, reason }: Failure): SlicedInferenceError | undefined {
  const what = 'AWS credentials must be valid';
  if (EXPIRED.includes(name)) return new SlicedInferenceError(what, reason, 'sign in again');
  if (WRONG_KEYS.includes(name)) {
    return new SlicedInferenceError(what, reason, 'check AWS_PROFILE or the access key');
  }
  if (name === 'RequestTimeTooSkewed') {
    return new SlicedInferenceError("this machine's clock must be right", reason, 'set it');
  }
  return undefined;
}

function noRegion({ reason }: Failure, { bucket }: FailedRequest): SlicedInferenceError | undefined {
  if (!reason.includes('Region is missing')) return undefined;
  return new SlicedInferenceError(
    'the AWS region must be known',
    'none',
    `set AWS_REGION to that of bucket '${bucket}'`,
  );
}

const REGION_ERRORS = [
  'AuthorizationHeaderMalformed',
  'IllegalLocationConstraintException',
  'PermanentRedirect',
  'TemporaryRedirect',
];

function otherRegion(
  { name, status = 0, bucketRegion }: Failure,
  { bucket, region = 'another one' }: FailedRequest,
): SlicedInferenceError | undefined {
  const isRedirect = (status >= 300 && status < 400) || REGION_ERRORS.includes(name);
  // A HEAD for a bucket of another region may end so, and has no body that would say why.
  const isUnexplained = name === 'status 400' && bucketRegion !== undefined && bucketRegion !== region;
  if (!isRedirect && !isUnexplained) return undefined;
  return new SlicedInferenceError(
    `the AWS region must be that of bucket '${bucket}'${bucketRegion === undefined ? '' : `, ${bucketRegion}`}`,
    region,
    `set AWS_REGION${bucketRegion === undefined ? '' : ` to ${bucketRegion}`}`,
  );
}

function noBucket({ name, reason }: Failure, { bucket }: FailedRequest): SlicedInferenceError | undefined {
  if (name !== 'NoSuchBucket' && name !== 'InvalidBucketName') return undefined;
  return new SlicedInferenceError(
    `bucket '${bucket}' must exist`,
    reason,
    'check its name, or make it before',
  );
}

function badKey({ name, reason }: Failure, { uri }: FailedRequest): SlicedInferenceError | undefined {
  if (!name.startsWith('KMS.')) return undefined;
  return new SlicedInferenceError(
    `the KMS key for ${uri} must be usable`,
    reason,
    "check the key's id, region and state",
  );
}

function denied(
  { name, status, reason }: Failure,
  { uri, permission }: FailedRequest,
): SlicedInferenceError | undefined {
  if (name !== 'AccessDenied' && status !== 403) return undefined;
  return new SlicedInferenceError(
    `${permission} must be allowed for ${uri}`,
    reason,
    "add it to your role's policy, or check the bucket's policy and its key's",
  );
}

const DAMAGES = ['BadDigest', 'InvalidDigest', 'XAmzContentSHA256Mismatch', 'XAmzContentChecksumMismatch'];

function damaged({ name, reason }: Failure, { uri }: FailedRequest): SlicedInferenceError | undefined {
  if (!DAMAGES.includes(name)) return undefined;
  return new SlicedInferenceError(
    `the bytes for ${uri} must arrive as they were sent`,
    reason,
    'run the command again',
  );
}

const THROTTLES = ['SlowDown', 'Throttling', 'ThrottlingException', 'RequestLimitExceeded'];

function throttled(
  { name, status, reason }: Failure,
  { bucket }: FailedRequest,
): SlicedInferenceError | undefined {
  if (!THROTTLES.includes(name) && status !== 429 && status !== 503) return undefined;
  return new SlicedInferenceError(
    `S3 must have capacity for bucket '${bucket}'`,
    reason,
    'run the command again in a while, which goes on from here',
  );
}

const NETWORK_ERRORS = [
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

function unreachable({ name, reason }: Failure, { uri }: FailedRequest): SlicedInferenceError | undefined {
  if (!NETWORK_ERRORS.includes(name)) return undefined;
  return new SlicedInferenceError(
    `S3 must be reachable for ${uri}`,
    reason,
    'check the network, its proxy and AWS_ENDPOINT_URL_S3; the command goes on from here when run again',
  );
}
