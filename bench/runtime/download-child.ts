/** Downloads a slice's weights as a slice function does, or in other parts; prints time and memory as JSON. */
import { createHash } from 'node:crypto';
import { createWriteStream, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import type { SliceFile } from '../../lambda/slice/environment';
import { downloadVerified, type Parts } from '../../lambda/store/download';
import { S3ObjectStore } from '../../lambda/store/s3';
import { functionS3Client } from '../../lambda/store/s3-client';
import { peakMemoryBytes } from '../../lambda/telemetry/peak-memory';

export interface Download {
  readonly ms: number;
  readonly bytes: number;
  /** User and system CPU time of this process. */
  readonly cpuMs: number;
  /** The process's peak resident memory, minus its resident memory before. */
  readonly extraMemoryBytes: number;
}

export interface DownloadJob {
  readonly file: SliceFile;
  /** A file of which one byte is read before the measurement, because the first request loads parts of the SDK. */
  readonly other: SliceFile;
  readonly folder: string;
  readonly parts?: Parts;
  readonly way: Way;
}

/** As slice functions do, or with one request of the unchanged SDK, whose body is hashed and written by streams. */
export type Way = 'slice function' | 'plain SDK';

async function main({ file, other, folder, parts, way }: DownloadJob): Promise<void> {
  const client = way === 'plain SDK' ? new S3Client() : functionS3Client();
  const objects = new S3ObjectStore(client);
  const { body } = await objects.get(other.object, { start: 0, end: 1 });
  await body.toArray();
  mkdirSync(folder, { recursive: true });
  const path = join(folder, 'weights');
  const before = process.memoryUsage.rss();
  const cpu = process.cpuUsage();
  const start = performance.now();
  if (way === 'plain SDK') await downloadPlainly(client, file, path);
  else await downloadVerified(objects, file.object, file.sha256, path, parts);
  const ms = performance.now() - start;
  const { user, system } = process.cpuUsage(cpu);
  const extraMemoryBytes = Math.max(0, peakMemoryBytes() - before);
  const download: Download = {
    ms,
    bytes: statSync(path).size,
    cpuMs: (user + system) / 1000,
    extraMemoryBytes,
  };
  process.stdout.write(JSON.stringify(download));
}

async function downloadPlainly(client: S3Client, { object, sha256 }: SliceFile, path: string): Promise<void> {
  const { Body: body } = await client.send(new GetObjectCommand({ Bucket: object.bucket, Key: object.key }));
  const hash = createHash('sha256');
  const hashed = async function* (chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of chunks) {
      hash.update(chunk);
      yield chunk;
    }
  };
  await pipeline(body as Readable, hashed, createWriteStream(path));
  if (hash.digest('hex') !== sha256) throw new Error('the download must have the SHA-256 of the file');
}

if (require.main === module) void main(JSON.parse(process.argv[2]) as DownloadJob);
