/** Reads the object of its arguments to its end, with one request, and prints the milliseconds. */
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';

async function main(Bucket: string, Key: string): Promise<void> {
  const client = new S3Client({});
  const start = performance.now();
  const { Body: body } = await client.send(new GetObjectCommand({ Bucket, Key }));
  // eslint-disable-next-line @typescript-eslint/no-unused-vars -- nothing but the time matters
  for await (const _ of body as AsyncIterable<Uint8Array>);
  process.stdout.write(String(performance.now() - start));
}

void main(process.argv[2], process.argv[3]);
