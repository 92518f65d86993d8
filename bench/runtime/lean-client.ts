/**
 * A minimal S3 client: `node:http` and a signature, without retries, expiring credentials or error handling. It is the
 * baseline for the SDK's overhead per call.
 */
import { createHash, createHmac } from 'node:crypto';
import * as http from 'node:http';
import { buffer } from 'node:stream/consumers';

export interface LeanClientOptions {
  readonly endpoint: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export class LeanClient {
  private readonly agent = new http.Agent({ keepAlive: true });

  constructor(private readonly options: LeanClientOptions) {}

  async get(bucket: string, key: string): Promise<Uint8Array> {
    return await this.call('GET', bucket, key);
  }

  async put(bucket: string, key: string, body: Uint8Array): Promise<void> {
    await this.call('PUT', bucket, key, body);
  }

  close(): void {
    this.agent.destroy();
  }

  private async call(method: string, bucket: string, key: string, body?: Uint8Array): Promise<Uint8Array> {
    const { hostname, port, host } = new URL(this.options.endpoint);
    const path = `/${bucket}/${key}`;
    const headers = this.signed(method, host, path);
    const response = await new Promise<http.IncomingMessage>((resolve, reject) => {
      const request = http.request({ hostname, port, method, path, headers, agent: this.agent }, resolve);
      request.on('error', reject);
      if (body) request.setHeader('Content-Length', body.byteLength);
      request.end(body);
    });
    const answer = await buffer(response);
    if (response.statusCode !== 200) throw new Error(`${method} ${path}: ${answer.toString()}`);
    return answer;
  }

  /** https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html */
  private signed(method: string, host: string, path: string): http.OutgoingHttpHeaders {
    const { region, accessKeyId, secretAccessKey } = this.options;
    const time = new Date().toISOString().replaceAll(/[-:]|\.\d+/g, '');
    const day = time.slice(0, 8);
    const content = 'UNSIGNED-PAYLOAD';
    const names = 'host;x-amz-content-sha256;x-amz-date';
    const canonical = `${method}\n${path}\n\nhost:${host}\nx-amz-content-sha256:${content}\nx-amz-date:${time}\n\n${names}\n${content}`;
    const scope = `${day}/${region}/s3/aws4_request`;
    const digest = createHash('sha256').update(canonical).digest('hex');
    const text = `AWS4-HMAC-SHA256\n${time}\n${scope}\n${digest}`;
    const key = [day, region, 's3', 'aws4_request'].reduce<string | Buffer>(
      (secret, part) => createHmac('sha256', secret).update(part).digest(),
      `AWS4${secretAccessKey}`,
    );
    const signature = createHmac('sha256', key).update(text).digest('hex');
    return {
      Host: host,
      'x-amz-content-sha256': content,
      'x-amz-date': time,
      Authorization: `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=${names}, Signature=${signature}`,
    };
  }
}
