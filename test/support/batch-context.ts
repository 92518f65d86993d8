/** What a call of a batch's function works with: objects in memory, which are listed and written through a client of S3 too. */
import { randomUUID } from 'node:crypto';
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import {
  ListObjectsV2Command,
  PutObjectCommand,
  type ListObjectsV2CommandInput,
  type PutObjectCommandInput,
  type S3Client,
} from '@aws-sdk/client-s3';
import type { BatchSettings } from '../../contract/batch-function';
import type { BatchContext } from '../../lambda/batch/context';
import { metadataOf, tensorsOfEntries, type NamedTensors } from '../../lambda/batch/pack-object';
import { layoutSafetensors } from '../../lambda/tensors/safetensors';
import { MemoryObjects } from './memory-objects';

export const SETTINGS: BatchSettings = {
  bucket: 'pipeline',
  deploymentDigest: 'ab'.repeat(32),
  items: { kind: 'objects', bucket: 'pipeline', location: 'inputs/docs/', folder: 'inputs/docs/' },
  resultsPrefix: 'outputs/nightly/',
  handlers: [],
  hasPreprocess: false,
  hasPostprocess: false,
  toleratedFailurePercentage: 100,
};

/** A digest, of which tests need not know more than that it is one. */
export function digest(of: number): string {
  return of.toString(16).padStart(32, '0');
}

/** What the last slice writes for items with these digests. */
export function resultFile(digests: readonly string[], items: readonly NamedTensors[] = []): Uint8Array {
  return Buffer.concat(layoutSafetensors(tensorsOfEntries(items), metadataOf({ digests })).parts);
}

/** What is stored for the answers of a postprocess function. */
export function answersFile(lines: readonly object[]): Uint8Array {
  return Buffer.from(lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
}

export function batchFixture(changes: Partial<BatchSettings> = {}) {
  const objects = new MemoryObjects();
  const modified = new Map<string, Date>();
  /** The lines of the log, parsed. */
  const lines: Record<string, unknown>[] = [];
  /** The prefixes that were listed, once for each page. */
  const listed: string[] = [];
  const answer = async (command: unknown): Promise<object> => {
    if (command instanceof ListObjectsV2Command) return page(command.input);
    if (command instanceof PutObjectCommand) return put(command.input);
    return Promise.reject(new Error('the test has no answer'));
  };
  /** Two objects a page. */
  const page = ({ Prefix = '', ContinuationToken = '' }: ListObjectsV2CommandInput): object => {
    listed.push(Prefix);
    const keys = objects.keys().filter((key) => key.startsWith(Prefix) && key > ContinuationToken);
    const Contents = keys.slice(0, 2).map((Key) => ({ Key, LastModified: modified.get(Key) }));
    return { Contents, ...(keys.length > 2 && { NextContinuationToken: keys[1] }) };
  };
  const put = async ({ Key = '', Body, ContentLength }: PutObjectCommandInput): Promise<object> => {
    const bytes = await buffer(Body as Readable);
    expect(bytes.byteLength).toBe(ContentLength);
    objects.put(Key, bytes);
    return {};
  };
  const context: BatchContext = {
    settings: { ...SETTINGS, ...changes },
    objects,
    s3: { send: answer } as unknown as S3Client,
    requestId: randomUUID(),
    log: (line) => lines.push(JSON.parse(line) as Record<string, unknown>),
  };
  return {
    ...{ context, objects, lines, listed },
    text: (key: string): string => Buffer.from(objects.bytes(key) ?? []).toString('utf8'),
    /** @param second when the object was written */
    put: (key: string, bytes: Uint8Array | string, second = 0): void => {
      objects.put(key, typeof bytes === 'string' ? Buffer.from(bytes) : bytes);
      modified.set(key, new Date(1000 * second));
    },
  };
}
