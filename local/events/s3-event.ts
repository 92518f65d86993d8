/** The event that S3 sends to EventBridge for a new object: https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html */
import { randomBytes, randomUUID } from 'node:crypto';
import type { JsonObject } from '../json';
import type { StackEnvironment } from '../cloudformation/assembly';
import type { CreatedObject } from '../s3/store';

export function objectCreated(
  { bucket, object, reason }: CreatedObject,
  { account, region }: StackEnvironment,
): JsonObject & { readonly id: string } {
  return {
    version: '0',
    id: randomUUID(),
    'detail-type': 'Object Created',
    source: 'aws.s3',
    account,
    // Without milliseconds, as all times of events.
    time: object.lastModified.toISOString().replace(/\.\d+/, ''),
    region,
    resources: [`arn:aws:s3:::${bucket}`],
    detail: {
      version: '0',
      'event-version': '1.0',
      bucket: { name: bucket },
      object: {
        key: object.key,
        size: object.size,
        etag: object.etag.replaceAll('"', ''),
        // Hexadecimal digits that increase.
        sequencer: object.lastModified.getTime().toString(16).toUpperCase(),
      },
      'request-id': randomBytes(8).toString('hex').toUpperCase(),
      requester: account,
      'source-ip-address': '127.0.0.1',
      reason,
    },
  };
}
