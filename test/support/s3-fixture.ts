/** Starts a local S3 with one bucket, and creates an unmodified SDK client for it. */
import * as https from 'node:https';
import * as path from 'node:path';
import { S3, type S3ClientConfig } from '@aws-sdk/client-s3';
import type { LoopbackServer } from '../../local/http/loopback-server';
import { Callers, type Credentials } from '../../local/s3/callers';
import { type S3ServerOptions, startS3Server } from '../../local/s3/server';
import { DiskObjectStore } from '../../local/s3/store';
import { makeServerCertificate } from '../../local/tls/certificate';
import { temporaryFolder } from './temporary-folder';

export const BUCKET = 'the-bucket';

export interface S3Fixture {
  readonly folder: string;
  store: DiskObjectStore;
  server: LoopbackServer;
  client: S3;
  /** What a client over TLS needs. */
  secure: Pick<S3ClientConfig, 'forcePathStyle' | 'requestHandler'>;
  readonly callers: Callers;
  /** Of the client. */
  readonly credentials: Credentials;
}

interface S3FixtureOptions extends S3ServerOptions {
  readonly protocol?: 'http' | 'https';
  /** What the client calls as. */
  readonly caller?: Parameters<Callers['add']>[0];
}

export function s3Fixture({ protocol = 'http', caller, ...options }: S3FixtureOptions = {}): S3Fixture {
  const callers = new Callers();
  const credentials = callers.add(caller);
  const fixture = { folder: temporaryFolder(), callers, credentials } as S3Fixture;
  beforeAll(async () => {
    fixture.store = new DiskObjectStore(path.join(fixture.folder, 's3'));
    fixture.store.createBucket(BUCKET);
    const certificate = protocol === 'https' ? makeServerCertificate() : undefined;
    fixture.server = await startS3Server(fixture.store, callers, { certificate, ...options });
    const httpsAgent = new https.Agent({ ca: certificate?.authority, keepAlive: true });
    fixture.secure = { forcePathStyle: true, requestHandler: { httpsAgent } };
    fixture.client = clientFor(fixture.server.endpoint, credentials, fixture.secure);
  });
  afterAll(async () => {
    fixture.client.destroy();
    await fixture.server.close();
  });
  return fixture;
}

/** A client without retries, so that a refusal fails the request immediately. */
export function clientFor(
  endpoint: string,
  credentials: Credentials,
  more: Partial<S3ClientConfig> = {},
): S3 {
  return new S3({ endpoint, region: 'us-east-1', credentials, maxAttempts: 1, ...more });
}
