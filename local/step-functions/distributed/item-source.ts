/** Reads the items of a distributed Map from S3 one after the other, so that they need not fit in memory. */
import * as fs from 'node:fs';
import { pipeline, type Readable } from 'node:stream';
import { text as allText } from 'node:stream/consumers';
import { createGunzip } from 'node:zlib';
import { isJsonArray, isJsonObject, type Json, type JsonObject, parseJson } from '../../json';
import type { ItemReader } from '../definition';
import { MAX_STATE_BYTES } from '../limits';
import { ERROR, StateError } from '../state-error';
import { csvRows } from './csv';
import type { MapStorage } from './map-storage';

interface ItemLocation {
  readonly format: ItemReader['format'];
  readonly bucket: string;
  /** A prefix or a key. */
  readonly location: string;
}

export interface ItemSource {
  /** As `Map.Item.Source` of the context object has it. */
  readonly uri: string;
  /** Reads the items again at each call. A list of objects stays as it was; a file is read as it is then. */
  readonly items: () => AsyncIterable<Json>;
}

/**
 * @param listFile keeps a list of objects while they are read; the caller removes it
 * @throws StateError `States.ItemReaderFailed`, also while the items are read
 */
export function openItems(
  storage: MapStorage,
  { format, bucket, location }: ItemLocation,
  listFile: string,
): ItemSource {
  const uri = `S3://${bucket}`;
  const place = `${uri}/${location}`;
  if (format !== 'objects')
    return { uri: place, items: () => failingItems(place, READERS[format](storage, bucket, location)) };
  const list = fs.openSync(listFile, 'w');
  try {
    for (const { key: Key, size: Size, etag: Etag, lastModified } of storage.list(bucket, location)) {
      const LastModified = Math.floor(lastModified.getTime() / 1000);
      const item = { Etag, Key, LastModified, Size, StorageClass: 'STANDARD' };
      fs.writeSync(list, `${JSON.stringify(item)}\n`);
    }
  } catch (error) {
    throw readerFailed(place, error);
  } finally {
    fs.closeSync(list);
  }
  return { uri, items: () => jsonLines(fs.createReadStream(listFile)) };
}

type Reader = (storage: MapStorage, bucket: string, key: string) => AsyncIterable<Json>;

const READERS: Readonly<Record<Exclude<ItemReader['format'], 'objects'>, Reader>> = {
  inventory: inventoryItems,
  jsonLines: async function* (storage, bucket, key) {
    yield* jsonLines(storage.read(bucket, key));
  },
  csv: async function* (storage, bucket, key) {
    let header: readonly string[] | undefined;
    for await (const { line, fields } of csvRows(text(storage.read(bucket, key)))) {
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
async function* inventoryItems(storage: MapStorage, bucket: string, key: string): AsyncGenerator<Json> {
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
    const bytes = name.endsWith('.gz') ? unzipped(storage.read(from, name)) : storage.read(from, name);
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

function unzipped(bytes: Readable): Readable {
  // The reader of the result gets the errors of both.
  return pipeline(bytes, createGunzip(), () => undefined);
}

async function* failingItems(uri: string, items: AsyncIterable<Json>): AsyncGenerator<Json> {
  try {
    yield* items;
  } catch (error) {
    throw readerFailed(uri, error);
  }
}

function readerFailed(uri: string, error: unknown): StateError {
  const reason = error instanceof Error ? error.message : String(error);
  return new StateError(ERROR.itemReaderFailed, `cannot read ${uri}: ${reason}`);
}
