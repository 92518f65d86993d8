/** Reads the object of its arguments to its end, with one request, and prints the milliseconds. */
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';

async function main(Bucket: string, Key: string): Promise<void> {
  const client = new S3Client({});
  const start = performance.now();
  const { Body: body } = await client.send(new GetObjectCommand({ Bucket, Key }));
  let bytes = 0;
  for await (const part of body as AsyncIterable<Uint8Array>) bytes += part.length;
  if (bytes === 0) throw new Error('the object is empty');
  process.stdout.write(String(performance.now() - start));
}

void main(process.argv[2], process.argv[3]);
