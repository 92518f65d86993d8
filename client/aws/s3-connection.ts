/** A client of S3 that is made when the first request needs it. */
import type { S3Client } from '@aws-sdk/client-s3';
import type { AwsClient } from './aws-client';
import { loadS3Sdk, type S3Sdk } from './sdk';

interface Loaded {
  readonly sdk: S3Sdk;
  readonly client: S3Client;
}

export class S3Connection {
  private loaded: Promise<Loaded> | undefined;

  /** @param own the application's own client */
  constructor(
    private readonly own: AwsClient | undefined,
    private readonly region: string,
  ) {}

  load(): Promise<Loaded> {
    const { own, region } = this;
    this.loaded ??= loadS3Sdk().then((sdk) => ({
      sdk,
      client: own === undefined ? new sdk.S3Client({ region }) : (own as unknown as S3Client),
    }));
    return this.loaded;
  }

  /** Closes the connections, unless they are those of the application's own client. */
  async close(): Promise<void> {
    const { loaded } = this;
    if (loaded === undefined || this.own !== undefined) return;
    this.loaded = undefined;
    (await loaded).client.destroy();
  }
}
