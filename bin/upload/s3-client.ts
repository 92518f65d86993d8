/** Creates the S3 client for uploads: with a bounded number of connections and more attempts than by default. */
import { S3Client } from '@aws-sdk/client-s3';
import { ATTEMPTS, MAX_CONNECTIONS } from './limits';

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
  const agent = { keepAlive: true, maxSockets: MAX_CONNECTIONS };
  return new S3Client({
    ...options,
    maxAttempts: ATTEMPTS,
    requestHandler: {
      httpAgent: agent,
      httpsAgent: agent,
      connectionTimeout: CONNECT_TIMEOUT_MS,
      socketTimeout: SILENCE_TIMEOUT_MS,
    },
  });
}
