/** Objects of a batch that are not tensors. */
import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import { retried } from '../store/retry';
import { openObject } from '../store/ranged-read';
import { crc32 } from '../tensors/checksums';
import type { BatchContext } from './context';

export interface ListedObject {
  readonly key: string;
  /** In milliseconds since the Unix epoch. */
  readonly modified: number;
}

export async function* listObjects(
  prefix: string,
  { settings, s3 }: BatchContext,
): AsyncGenerator<ListedObject, void> {
  const { bucket } = settings;
  let token: string | undefined;
  do {
    const page = { Bucket: bucket, Prefix: prefix, ContinuationToken: token };
    const { Contents = [], NextContinuationToken } = await retried({ bucket, key: prefix }, {}, () =>
      s3.send(new ListObjectsV2Command(page)),
    );
    for (const { Key = '', LastModified } of Contents)
      yield { key: Key, modified: LastModified?.getTime() ?? 0 };
    token = NextContinuationToken;
  } while (token !== undefined);
}

/** As it arrives. */
export async function* chunksOf(
  key: string,
  { settings, objects }: BatchContext,
): AsyncGenerator<Uint8Array, void> {
  const { start } = await openObject(objects, { bucket: settings.bucket, key }, Number.MAX_SAFE_INTEGER);
  yield* start.chunks();
}

export async function bytesOfObject(key: string, context: BatchContext): Promise<Buffer> {
  const { settings, objects } = context;
  const object = { bucket: settings.bucket, key };
  const { size, start } = await openObject(objects, object, Number.MAX_SAFE_INTEGER);
  const bytes = Buffer.allocUnsafeSlow(size);
  let position = 0;
  for await (const chunk of start.chunks()) {
    bytes.set(chunk, position);
    position += chunk.byteLength;
  }
  return bytes;
}

/** One that is there stays: its key depends on the content. */
export async function writeObject(
  key: string,
  parts: readonly Uint8Array[],
  { settings, objects }: BatchContext,
): Promise<void> {
  const sum = parts.reduce((before, part) => crc32(part, before), 0);
  await objects.write({ bucket: settings.bucket, key }, parts, sum);
}
