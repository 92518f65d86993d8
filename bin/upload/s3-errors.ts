/** Explains a failed request to S3 in one line: what was expected, what was got, what to do. */
import { S3ServiceException } from '@aws-sdk/client-s3';
import { SlicedInferenceError } from '../../lib/errors';
import { explainCredentials, NETWORK_ERRORS, sdkFailure, type SdkFailure } from '../aws/sdk-failure';

/** The request that failed. */
interface FailedRequest {
  readonly bucket: string;
  /** `s3://bucket/key`. */
  readonly uri: string;
  /** IAM actions that the request needs. */
  readonly permission: string;
  /** The client's region, if it has one. */
  readonly region?: string;
}

/** What the SDK reports about a failure of S3. */
interface Failure extends SdkFailure {
  /** The bucket's region, which S3 sends with most responses. */
  readonly bucketRegion?: string;
}

type Explanation = (failure: Failure, request: FailedRequest) => SlicedInferenceError | undefined;

/** Tried in order. The first that recognizes the failure explains it. */
const EXPLANATIONS: readonly Explanation[] = [
  explainCredentials,
  noRegion,
  otherRegion,
  noBucket,
  badKey,
  denied,
  damaged,
  throttled,
  unreachable,
];

/** The error to throw in place of an error of the SDK. Errors that are not about AWS stay as they are. */
export function explainS3Error(error: unknown, request: FailedRequest): unknown {
  if (!(error instanceof Error)) return error;
  const failure = describe(error);
  for (const explain of EXPLANATIONS) {
    const explained = explain(failure, request);
    if (explained !== undefined) return explained;
  }
  if (!(error instanceof S3ServiceException)) return error;
  const what = `S3 must accept the request for ${request.uri}`;
  return new SlicedInferenceError(what, failure.reason, 'run the command again to continue');
}

function describe(error: Error): Failure {
  const { $response } = error as Partial<S3ServiceException>;
  const headers = $response?.headers as Readonly<Record<string, string | undefined>> | undefined;
  const bucketRegion = headers?.['x-amz-bucket-region'];
  return { ...sdkFailure(error), ...(bucketRegion !== undefined && { bucketRegion }) };
}

function noRegion({ reason }: Failure, { bucket }: FailedRequest): SlicedInferenceError | undefined {
  if (!reason.includes('Region is missing')) return undefined;
  return new SlicedInferenceError(
    'the AWS region must be known',
    'none',
    `set AWS_REGION to the region of bucket '${bucket}'`,
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
  // A HEAD request for a bucket in another region may fail with this status, and has no body with the reason.
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
  return new SlicedInferenceError(`bucket '${bucket}' must exist`, reason, 'check its name or create it');
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
    "allow it in your role's policy, and check the policies of the bucket and of its KMS key",
  );
}

const DAMAGES = ['BadDigest', 'InvalidDigest', 'XAmzContentSHA256Mismatch', 'XAmzContentChecksumMismatch'];

function damaged({ name, reason }: Failure, { uri }: FailedRequest): SlicedInferenceError | undefined {
  if (!DAMAGES.includes(name)) return undefined;
  return new SlicedInferenceError(
    `the bytes for ${uri} must arrive unchanged`,
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
    'run the command again later to continue',
  );
}

function unreachable({ name, reason }: Failure, { uri }: FailedRequest): SlicedInferenceError | undefined {
  if (!NETWORK_ERRORS.includes(name)) return undefined;
  return new SlicedInferenceError(
    `S3 must be reachable for ${uri}`,
    reason,
    'check the network, the proxy and AWS_ENDPOINT_URL_S3, then run the command again to continue',
  );
}
