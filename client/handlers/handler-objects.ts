/**
 * The objects in S3 of a function. Its clients of S3 are kept for its next calls, with their connections. In a file of its own, because
 * the declarations of the other files ship, and an application may have no types of the SDK.
 */
import type { AwsClient } from '../aws/aws-client';
import { Objects } from '../aws/objects';
import { S3Connection } from '../aws/s3-connection';
import { DEFAULT_MAX_RESULT_BYTES, DEFAULT_REQUEST_TIMEOUT } from '../options';
import type { ReadOutputsOptions } from './handler-options';

/** By region. All else that an SDK client depends on comes from the environment, which Lambda sets once. */
const kept = new Map<string, S3Connection>();

export function objectsOf({ s3, requestTimeout, maxResultBytes }: ReadOutputsOptions): Objects {
  return new Objects({
    // Lambda sets the region.
    connection: connectionOf(s3, process.env.AWS_REGION ?? ''),
    requestTimeout: requestTimeout ?? DEFAULT_REQUEST_TIMEOUT,
    maxResultBytes: maxResultBytes ?? DEFAULT_MAX_RESULT_BYTES,
  });
}

/** @param own the function's own client, which is used as it is */
function connectionOf(own: AwsClient | undefined, region: string): S3Connection {
  if (own !== undefined) return new S3Connection(own, region);
  const known = kept.get(region);
  if (known !== undefined) return known;
  const connection = new S3Connection(undefined, region);
  kept.set(region, connection);
  return connection;
}
