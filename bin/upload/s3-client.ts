/** The S3 client of uploads: with a bounded number of connections and more attempts than by default. */
import * as http from 'node:http';
import * as https from 'node:https';
import { AbortMultipartUploadCommand, S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';

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

/** The client, but once the signal is aborted, requests end: on a slow line they would take minutes. Those that abort an upload still reach S3. */
export function stoppedBy(client: S3Client, abortSignal: AbortSignal): S3Client {
  const send = (command: Parameters<S3Client['send']>[0]) =>
    client.send(command, command instanceof AbortMultipartUploadCommand ? {} : { abortSignal });
  return Object.create(client, { send: { value: send } }) as S3Client;
}
