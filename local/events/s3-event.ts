/** The event that S3 sends to EventBridge for a new object: https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html */
import { randomBytes, randomUUID } from 'node:crypto';
import type { JsonObject } from '../json';
import type { StackEnvironment } from '../cloudformation/assembly';
import type { CreatedObject } from '../s3/store';

/** Larger for each later write. Starts with the time in microseconds, so that it also grows from one cloud to the next. */
let sequence = Date.now() * 1000;

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
        sequencer: (++sequence).toString(16).toUpperCase().padStart(16, '0'),
      },
      'request-id': randomBytes(8).toString('hex').toUpperCase(),
      requester: account,
      'source-ip-address': '127.0.0.1',
      reason,
    },
  };
}
