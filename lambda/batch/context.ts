/** What a call of a batch's function works with. */
import type { S3Client } from '@aws-sdk/client-s3';
import type { PackSource } from '../../contract/batch-pack';
import type { BatchSettings } from '../../contract/batch-function';
import type { ObjectStore } from '../store/object-store';
import type { WriteLine } from '../telemetry/telemetry';

export interface BatchContext {
  readonly settings: BatchSettings;
  readonly objects: ObjectStore;
  /** Lists objects, and writes the table. */
  readonly s3: S3Client;
  /** Names files that only this call writes. */
  readonly requestId: string;
  readonly log: WriteLine;
}

export function sourceOf({ bucket, items, hasPreprocess }: BatchSettings): PackSource {
  const { kind, bucket: itemsBucket, column } = items;
  return {
    ...{ kind, bucket, itemsBucket },
    ...(column !== undefined && { column }),
    ...(hasPreprocess && { hasPreprocess }),
  };
}

/** What the names of results end with. */
export function resultExtension({ hasPostprocess }: BatchSettings): 'jsonl' | 'safetensors' {
  return hasPostprocess ? 'jsonl' : 'safetensors';
}
