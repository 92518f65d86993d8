/** The clients of S3 of a function, kept for its next calls with their connections. */
import type { AwsClient } from '../aws/aws-client';
import { S3Connection } from '../aws/s3-connection';

/** By region. All else that an SDK client depends on comes from the environment, which Lambda sets once. */
const kept = new Map<string, S3Connection>();

/** @param own the function's own client, which is used as it is */
export function s3Connection(own: AwsClient | undefined, region: string): S3Connection {
  if (own !== undefined) return new S3Connection(own, region);
  const known = kept.get(region);
  if (known !== undefined) return known;
  const connection = new S3Connection(undefined, region);
  kept.set(region, connection);
  return connection;
}
