/** Distributed Maps with a bucket of their own. */
import * as path from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { Authorizer } from '../../local/iam/authorizer';
import type { JsonObject } from '../../local/json';
import { DiskObjectStore } from '../../local/s3/store';
import { MapStorage } from '../../local/step-functions/distributed/map-storage';
import { graph, task } from './machine-fixture';
import { temporaryFolder } from './temporary-folder';

export type Files = Readonly<Record<string, string | Buffer>>;

/** A bucket `b` with these objects. Without an authorizer, everything is allowed. */
export async function bucketOf(files: Files = {}, authorizer?: Authorizer) {
  const folder = temporaryFolder();
  const store = new DiskObjectStore(path.join(folder, 's3'));
  store.createBucket('b');
  const put = async (key: string, content: string | Buffer): Promise<void> => {
    await store.put('b', key, Readable.from([Buffer.from(content)]));
  };
  for (const [key, content] of Object.entries(files)) await put(key, content);
  const temporary = path.join(folder, 'temporary');
  const role = authorizer === undefined ? undefined : 'arn:aws:iam::000000000000:role/machine';
  const storage = new MapStorage(store, authorizer ?? new Authorizer(), temporary, () => role);
  const read = async (key: string): Promise<unknown> =>
    JSON.parse(await text(store.read(store.head('b', key)))) as unknown;
  return { store, storage, put, read, temporary };
}

const READER_CONFIGS: Readonly<Record<string, JsonObject>> = {
  manifest: { InputType: 'MANIFEST' },
  jsonl: { InputType: 'JSONL' },
  csv: { InputType: 'CSV', CSVHeaderLocation: 'FIRST_ROW' },
  json: { InputType: 'JSON' },
  parquet: { InputType: 'PARQUET' },
};

/** Reads a file of the bucket by the ending of its name, all files below a folder with such an ending, or else all objects below the prefix. */
export function readerOf(location: string): JsonObject {
  const [, kind = '', slash = ''] = /\.(\w+)(?:\.gz)?(\/?)$/.exec(location) ?? [];
  if (kind in READER_CONFIGS && slash === '') {
    const Arguments = { Bucket: 'b', Key: location };
    return { Resource: 'arn:aws:states:::s3:getObject', ReaderConfig: READER_CONFIGS[kind], Arguments };
  }
  return {
    Resource: 'arn:aws:states:::s3:listObjectsV2',
    ...(slash !== '' && { ReaderConfig: { ...READER_CONFIGS[kind], Transformation: 'LOAD_AND_FLATTEN' } }),
    Arguments: { Bucket: 'b', Prefix: location },
  };
}

/** The definition of a machine with one distributed Map `M` of the label `Items`, whose children run a task that echoes its input. */
export function distributedMap(
  location: string,
  fields: JsonObject = {},
  more: JsonObject = {},
  processor: JsonObject = task(),
): JsonObject {
  const map = {
    Type: 'Map',
    Label: 'Items',
    ItemReader: readerOf(location),
    ItemProcessor: { ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'EXPRESS' }, ...processor },
    ResultWriter: { Resource: 'arn:aws:states:::s3:putObject', Arguments: { Bucket: 'b', Prefix: 'out' } },
    ...(fields.Next === undefined && { End: true }),
    ...fields,
  };
  return graph('M', map, more);
}

/** JSON Lines with the numbers below this one. */
export function numbers(count: number): string {
  return Array.from({ length: count }, (_, at) => `${at}\n`).join('');
}
