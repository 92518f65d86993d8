/** Starts a local S3 with one bucket, and creates an unmodified SDK client for it. */
import * as https from 'node:https';
import * as path from 'node:path';
import { S3, type S3ClientConfig } from '@aws-sdk/client-s3';
import type { LoopbackServer } from '../../local/http/loopback-server';
import { Callers, type Credentials } from '../../local/s3/callers';
import { type S3ServerOptions, startS3Server } from '../../local/s3/server';
import { DiskObjectStore } from '../../local/s3/store';
import { makeServerCertificate } from '../../local/http/certificate';
import { temporaryFolder } from './temporary-folder';

export const BUCKET = 'the-bucket';

export type S3Fixture = ReturnType<typeof s3Fixture>;

interface S3FixtureOptions extends S3ServerOptions {
  readonly protocol?: 'http' | 'https';
  /** What the client calls as. */
  readonly caller?: Parameters<Callers['add']>[0];
}

/** The server runs during the tests. The client may be used then, with `credentials` and, over TLS, with what is `secure`. */
export function s3Fixture({ protocol = 'http', caller, ...options }: S3FixtureOptions = {}) {
  const folder = temporaryFolder();
  const callers = new Callers();
  const credentials = callers.add(caller);
  const store = new DiskObjectStore(path.join(folder, 's3'));
  store.createBucket(BUCKET);
  const certificate = protocol === 'https' ? makeServerCertificate() : undefined;
  const httpsAgent = new https.Agent({ ca: certificate?.authority, keepAlive: true });
  const secure = { forcePathStyle: true, requestHandler: { httpsAgent } };
  let server: LoopbackServer;
  const client = clientFor(() => Promise.resolve({ url: new URL(server.endpoint) }), credentials, secure);
  beforeAll(async () => {
    server = await startS3Server(store, callers, { certificate, ...options });
  });
  afterAll(async () => {
    client.destroy();
    await server.close();
  });
  return {
    ...{ folder, store, client, secure, callers, credentials },
    get server(): LoopbackServer {
      return server;
    },
  };
}

/** A client without retries, so that a refusal fails the request immediately. */
export function clientFor(
  endpoint: NonNullable<S3ClientConfig['endpoint']>,
  credentials: Credentials,
  more: Partial<S3ClientConfig> = {},
): S3 {
  return new S3({ endpoint, region: 'us-east-1', credentials, maxAttempts: 1, ...more });
}
