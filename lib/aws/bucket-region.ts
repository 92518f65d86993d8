/** Refuses buckets in another region than the stack's. */
import { Stack, Token } from 'aws-cdk-lib';
import type * as s3 from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import { SlicedInferenceError } from '../errors';

/**
 * The functions' S3 client asks the S3 of the functions' own region, which answers requests for a bucket elsewhere with a
 * redirect that the client does not follow. If a region is known only at deployment, this checks nothing.
 *
 * @param what the bucket's name in the error
 * @throws SlicedInferenceError if both regions are known and differ
 */
export function checkRegion(scope: Construct, bucket: s3.IBucket, what: string): void {
  const { region } = Stack.of(scope);
  const { region: own } = bucket.env;
  if (own === region || Token.isUnresolved(own) || Token.isUnresolved(region)) return;
  throw new SlicedInferenceError(
    `${what} must be in the region of the stack, ${region}`,
    own,
    'use a bucket in that region, or deploy the stack in the region of the bucket',
  );
}
