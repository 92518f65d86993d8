/** Starts an S3 endpoint with one bucket, and connects a client of the unmodified SDK. */
import * as path from 'node:path';
import { S3Client } from '@aws-sdk/client-s3';
import { Callers } from '../../local/s3/callers';
import { S3Server } from '../../local/s3/server';
import { ObjectStore } from '../../local/s3/store';
import { temporaryFolder } from './temporary-folder';

export const BUCKET = 'the-bucket';

export interface S3Fixture {
  readonly folder: string;
  store: ObjectStore;
  server: S3Server;
  client: S3Client;
  readonly accessKeyId: string;
}

export function s3Fixture(): S3Fixture {
  const callers = new Callers();
  const { accessKeyId } = callers.add();
  const fixture = { folder: temporaryFolder(), accessKeyId } as S3Fixture;
  beforeAll(async () => {
    fixture.store = new ObjectStore(path.join(fixture.folder, 's3'));
    fixture.store.createBucket(BUCKET);
    fixture.server = await S3Server.start(fixture.store, callers);
    fixture.client = clientFor(fixture.server.endpoint, accessKeyId);
  });
  afterAll(async () => {
    fixture.client.destroy();
    await fixture.server.close();
  });
  return fixture;
}

/** A client without retries: a test sees each refusal at once, and only once. */
export function clientFor(endpoint: string, accessKeyId: string): S3Client {
  const credentials = { accessKeyId, secretAccessKey: 'secret' };
  return new S3Client({ endpoint, region: 'us-east-1', credentials, maxAttempts: 1 });
}
