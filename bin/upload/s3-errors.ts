/** Explains a failed request to S3. */
import { S3ServiceException } from '@aws-sdk/client-s3';
import { isThrottled } from '../../client/aws/failures';
import { firstExplanation, NETWORK_ERRORS, sdkFailure } from '../aws/explain';

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
  const failure = sdkFailure(error);
  const { name, reason, status } = failure;
  const bucketRegion = regionOfBucket(error);
  const isRedirect = (status >= 300 && status < 400) || REGION_ERRORS.includes(name);
  // A HEAD request for a bucket in another region may fail with this status, and has no body with the reason.
  const isUnexplained = name === 'status 400' && bucketRegion !== undefined && bucketRegion !== region;
  const explained = firstExplanation(failure, [
    [
      reason.includes('Region is missing'),
      'the AWS region must be known',
      `set AWS_REGION to the region of bucket '${bucket}'`,
      'none',
    ],
    [
      isRedirect || isUnexplained,
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
      NETWORK_ERRORS.includes(name),
      `S3 must be reachable for ${uri}`,
      'check the network, the proxy and AWS_ENDPOINT_URL_S3, then run the command again to continue',
    ],
    [
      error instanceof S3ServiceException,
      `S3 must accept the request for ${uri}`,
      'run the command again to continue',
    ],
  ]);
  return explained ?? error;
}

/** S3 sends it with most responses. */
function regionOfBucket(error: Error): string | undefined {
  const { $response } = error as Partial<S3ServiceException>;
  const headers = $response?.headers as Readonly<Record<string, string | undefined>> | undefined;
  return headers?.['x-amz-bucket-region'];
}
