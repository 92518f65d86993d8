/** Reads the items of a distributed Map from S3 one after the other, so that they need not fit in memory. */
import * as fs from 'node:fs';
import { pipeline, type Readable } from 'node:stream';
import { text as allText } from 'node:stream/consumers';
import { createGunzip } from 'node:zlib';
import { isJsonArray, isJsonObject, type Json, type JsonObject, parseJson } from '../../json';
import type { FileFormat, ItemReader } from '../definition';
import { MAX_STATE_BYTES } from '../limits';
import { ERROR, StateError } from '../state-error';
import { csvRows } from './csv';
import { arrayElements } from './json-array';
import type { MapStorage } from './map-storage';
import { parquetRows } from './parquet';

type ItemLocation = Omit<ItemReader, 'bucket' | 'location'> & Record<'bucket' | 'location', string>;

/** What `Map.Item` has: https://docs.aws.amazon.com/step-functions/latest/dg/input-output-contextobject.html */
interface Item {
  readonly Value: Json;
  /** The URI of the bucket for a listed object, and else that of the file. */
  readonly Source: string;
}

/** Reads the items again at each call. A list of objects stays as it was; a file is read as it is then. */
export type ItemSource = () => AsyncIterable<Item>;

/**
 * @param listFile keeps a list of objects while they are read; the caller removes it
 * @throws StateError `States.ItemReaderFailed`, also while the items are read
 */
export function openItems(storage: MapStorage, place: ItemLocation, listFile: string): ItemSource {
  const { format, locatedBy, bucket, location } = place;
  const file = { storage, bucket, key: location };
  if (format !== 'objects' && locatedBy === 'Key') return () => fileItems(format, file);
  const list = fs.openSync(listFile, 'w');
  try {
    for (const { key: Key, size: Size, etag: Etag, lastModified } of storage.list(bucket, location)) {
      const LastModified = Math.floor(lastModified.getTime() / 1000);
      const item = { Etag, Key, LastModified, Size, StorageClass: 'STANDARD' };
      fs.writeSync(list, `${JSON.stringify(item)}\n`);
    }
  } catch (error) {
    throw readerFailed(uriOf(file), error);
  } finally {
    fs.closeSync(list);
  }
  return () => listedItems(storage, place, listFile);
}

/**
 * The listed objects, or what is in them. AWS only says that it may read files of large data sets side by side, so we believe: files are in
 * the order of their keys, each CSV file has its own header, a prefix without files has no items, and folders that the S3 console made are
 * left out. https://docs.aws.amazon.com/step-functions/latest/dg/input-output-itemreader.html#itemsource-example-s3-object-data-flatten
 */
async function* listedItems(
  storage: MapStorage,
  { format, bucket }: ItemLocation,
  listFile: string,
): AsyncGenerator<Item> {
  for await (const Value of jsonLines(fs.createReadStream(listFile))) {
    const { Key: key, Size } = isJsonObject(Value) ? Value : {};
    if (format === 'objects') yield { Value, Source: `S3://${bucket}` };
    else if (typeof key === 'string' && !(key.endsWith('/') && Size === 0))
      yield* fileItems(format, { storage, bucket, key });
  }
}

interface File {
  readonly storage: MapStorage;
  readonly bucket: string;
  readonly key: string;
}

const READERS: Readonly<Record<FileFormat, (file: File) => AsyncIterable<Json>>> = {
  inventory: inventoryItems,
  jsonLines: async function* (file) {
    yield* jsonLines(bytesOf(file));
  },
  jsonArray: async function* (file) {
    yield* arrayElements(text(bytesOf(file)));
  },
  parquet: ({ storage, bucket, key }) => parquetRows(storage, bucket, key),
  csv: async function* (file) {
    let header: readonly string[] | undefined;
    for await (const { line, fields } of csvRows(text(bytesOf(file)))) {
      if (header !== undefined) yield named(header, fields, `line ${line}`);
      else if (new Set(fields).size === fields.length) header = fields;
      else throw new Error(`the columns must have different names, got '${fields.join(',')}'`);
    }
  },
};

/**
 * Values stay as the inventory has them: its keys are URL-encoded.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-inventory-location.html
 */
async function* inventoryItems({ storage, bucket, key }: File): AsyncGenerator<Json> {
  const manifest = parseJson(await allText(storage.read(bucket, key)));
  const { fileFormat, fileSchema, destinationBucket, files } = isJsonObject(manifest) ? manifest : {};
  if (fileFormat !== 'CSV')
    throw new Error(`the inventory must have the fileFormat CSV, got ${JSON.stringify(fileFormat ?? null)}`);
  if (typeof fileSchema !== 'string' || typeof destinationBucket !== 'string' || !isJsonArray(files))
    throw new Error('the manifest must have a fileSchema, a destinationBucket and files, got others');
  const header = fileSchema.split(',').map((name) => name.trim());
  const from = destinationBucket.replace(/^arn:[^:]+:s3:::/, '');
  for (const file of files) {
    if (!isJsonObject(file) || typeof file.key !== 'string')
      throw new Error(`a file of the manifest must have a key, got ${JSON.stringify(file)}`);
    const { key: name } = file;
    const bytes = bytesOf({ storage, bucket: from, key: name });
    for await (const { line, fields } of csvRows(text(bytes)))
      yield named(header, fields, `${name} line ${line}`);
  }
}

function named(header: readonly string[], fields: readonly string[], where: string): JsonObject {
  if (fields.length !== header.length)
    throw new Error(`${where} must have ${header.length} fields as the header, got ${fields.length}`);
  return Object.fromEntries(header.map((name, at) => [name, fields[at]]));
}

/** Skips empty lines. */
async function* jsonLines(bytes: Readable): AsyncGenerator<Json> {
  let line = 0;
  for await (const content of lines(text(bytes))) {
    line++;
    if (content.trim() === '') continue;
    const value = parseJson(content);
    if (value === undefined) throw new Error(`line ${line} is not JSON`);
    yield value;
  }
}

async function* lines(chunks: AsyncIterable<string>): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of chunks) {
    const [first, ...others] = chunk.split('\n');
    rest += first;
    for (const other of others) {
      yield rest;
      rest = other;
    }
    if (rest.length > MAX_STATE_BYTES)
      throw new Error(`a line must have at most ${MAX_STATE_BYTES} characters, got more`);
  }
  if (rest !== '') yield rest;
}

function text(bytes: Readable): AsyncIterable<string> {
  return bytes.setEncoding('utf8');
}

/** Step Functions knows a compressed file by the end of its key. It also reads `.zstd`, which the local cloud does not. */
function bytesOf({ storage, bucket, key }: File): Readable {
  const bytes = storage.read(bucket, key);
  // The reader of the result gets the errors of both.
  return key.endsWith('.gz') ? pipeline(bytes, createGunzip(), () => undefined) : bytes;
}

async function* fileItems(format: FileFormat, file: File): AsyncGenerator<Item> {
  const Source = uriOf(file);
  try {
    for await (const Value of READERS[format](file)) yield { Value, Source };
  } catch (error) {
    throw readerFailed(Source, error);
  }
}

function uriOf({ bucket, key }: File): string {
  return `S3://${bucket}/${key}`;
}

function readerFailed(uri: string, error: unknown): StateError {
  const reason = error instanceof Error ? error.message : String(error);
  return new StateError(ERROR.itemReaderFailed, `cannot read ${uri}: ${reason}`);
}
