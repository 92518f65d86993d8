/** Creates the S3 client for uploads: with a bounded number of connections and more attempts than by default. */
import * as http from 'node:http';
import * as https from 'node:https';
import { S3Client } from '@aws-sdk/client-s3';

/** Files checked or sent at a time. */
export const FILES_AT_ONCE = 4;

/** Parts of one file in flight. With parts of 8 MiB, enough for 1 Gbit/s at a round trip of 100 ms to S3. */
export const PARTS_AT_ONCE = 4;

/** Attempts at one request that is throttled, times out or loses its connection. */
const ATTEMPTS = 5;

export interface ClientOptions {
  /** @default - found by the AWS SDK: AWS_REGION, then the profile's region */
  readonly region?: string;
  /** @default - found by the AWS SDK: AWS_ENDPOINT_URL_S3, then the region's endpoint */
  readonly endpoint?: string;
  /** @default - found by the AWS SDK: AWS_PROFILE, then `default` */
  readonly profile?: string;
}

const CONNECT_TIMEOUT_MS = 10_000;

/** Longest silence on a connection. S3 itself closes a silent connection after about 20 seconds. */
const SILENCE_TIMEOUT_MS = 60_000;

/** Destroy the client after use, because it keeps connections open. */
export function uploadClient(options: ClientOptions = {}): S3Client {
  // Agents of our own: the SDK sends large parts through others, which its client does not destroy.
  // One more connection for each file, because its upload is aborted while parts are in flight.
  const agent = { keepAlive: true, maxSockets: FILES_AT_ONCE * (PARTS_AT_ONCE + 1) };
  return new S3Client({
    ...options,
    maxAttempts: ATTEMPTS,
    requestHandler: {
      httpAgent: new http.Agent(agent),
      httpsAgent: new https.Agent(agent),
      connectionTimeout: CONNECT_TIMEOUT_MS,
      socketTimeout: SILENCE_TIMEOUT_MS,
    },
  });
}
