/** The S3 client of uploads: with a bounded number of connections and more attempts than by default. */
import * as http from 'node:http';
import * as https from 'node:https';
import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';

/** Files checked or sent at a time. */
export const FILES_AT_ONCE = 4;

/** Parts of one file in flight. With parts of 8 MiB, enough for 1 Gbit/s at a round trip of 100 ms to S3. */
export const PARTS_AT_ONCE = 4;

/** Attempts at one request that is throttled, times out or loses its connection. */
const ATTEMPTS = 5;

const CONNECT_TIMEOUT_MS = 10_000;

/** Longest silence on a connection. S3 itself closes a silent connection after about 20 seconds. */
const SILENCE_TIMEOUT_MS = 60_000;

/** Destroy the client after use, because it keeps connections open. The SDK finds region, endpoint and credentials by itself. */
export function uploadClient(options: S3ClientConfig = {}): S3Client {
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

/** Those that send content. The requests that abort an upload still have to reach S3. */
const SENDING = ['PutObjectCommand', 'UploadPartCommand'];

/** Once the signal is aborted, requests that send content fail with its reason: on a slow line they would take minutes. */
export function stopSending(client: S3Client, signal: AbortSignal): void {
  const stopped = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => {
      // The reason is what the caller passed to `abort`, always an error.
      reject(signal.reason as Error);
    });
  });
  // Without a request in flight nobody waits for it.
  stopped.catch(() => undefined);
  client.middlewareStack.add(
    (next, { commandName = '' }) =>
      (args) => {
        if (!SENDING.includes(commandName)) return next(args);
        signal.throwIfAborted();
        return Promise.race([next(args), stopped]);
      },
    // Below the middleware that repeats failed requests, which would otherwise go on alone.
    { step: 'finalizeRequest', priority: 'low' },
  );
}
