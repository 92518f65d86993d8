/** Where the requests for a bucket go. The SDK knows: it builds a request, and this takes it away before it is signed or sent. */
import { PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';

/** What the SDK sends, as far as it is used here. Its types know no more than `unknown`. */
interface Addressed {
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number;
}

export class BucketOrigins {
  private readonly origins = new Map<string, Promise<URL>>();

  constructor(private readonly client: S3Client) {}

  /** @throws the SDK's error if it has no endpoint for the bucket, which a request would meet too */
  of(bucket: string): Promise<URL> {
    const known = this.origins.get(bucket);
    if (known !== undefined) return known;
    const origin = this.ask(bucket);
    this.origins.set(bucket, origin);
    origin.catch(() => this.origins.delete(bucket));
    return origin;
  }

  private async ask(bucket: string): Promise<URL> {
    const command = new PutObjectCommand({ Bucket: bucket, Key: 'unused' });
    let origin: URL | undefined;
    command.middlewareStack.add(
      () =>
        ({ request }) => {
          const { protocol, hostname, port } = request as Addressed;
          origin = new URL(`${protocol}//${hostname}${port === undefined ? '' : `:${port}`}`);
          return Promise.resolve({ output: { $metadata: {} }, response: undefined });
        },
      { step: 'serialize', priority: 'low', name: 'takeOrigin' },
    );
    await this.client.send(command);
    if (origin === undefined)
      throw new Error(`the SDK must build a request for the bucket ${bucket}, got none`);
    return origin;
  }
}
