/**
 * Reads the rows of a Parquet file. The memory grows with the largest row group, and not with the number of rows.
 * https://parquet.apache.org/docs/file-format/
 */
import * as fs from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { decompress } from 'fzstd';
import type { Json } from '../../json';
import type { MapStorage } from './map-storage';

/**
 * What Step Functions reads: https://docs.aws.amazon.com/step-functions/latest/dg/input-output-itemreader.html#itemsource-example-parquet-data.
 * We believe that the size of a row group is the one before its compression.
 */
const MAX_FOOTER_BYTES = 5 * 1024 * 1024;
const MAX_ROW_GROUP_BYTES = 256 * 1024 * 1024;

/** Besides Snappy, which hyparquet has. AWS names these three and no others. */
const compressors = {
  GZIP: (bytes: Uint8Array, size: number): Uint8Array =>
    new Uint8Array(gunzipSync(bytes, { maxOutputLength: size })),
  ZSTD: (bytes: Uint8Array, size: number): Uint8Array => decompress(bytes, new Uint8Array(size)),
};

const parsers = {
  dateFromDays: (days: number): string => new Date(days * 86_400_000).toISOString().slice(0, 10),
};

/** A few megabytes. Each part of a row group reads the bytes of the group again. */
const ROWS_AT_ONCE = 10_000;

/** A row is an object with the values of all columns. @throws Error for what is not a Parquet file, or too large a part of one */
export async function* parquetRows(storage: MapStorage, bucket: string, key: string): AsyncGenerator<Json> {
  const descriptor = storage.open(bucket, key);
  try {
    yield* rowsOf(descriptor);
  } finally {
    fs.closeSync(descriptor);
  }
}

async function* rowsOf(descriptor: number): AsyncGenerator<Json> {
  const { parquetMetadataAsync, parquetReadObjects } = await import('hyparquet');
  const byteLength = fs.fstatSync(descriptor).size;
  // Reads at once, so that no read is under way when the file is closed.
  const slice = (start: number, end = byteLength): ArrayBuffer => {
    const bytes = new ArrayBuffer(Math.min(end, byteLength) - start);
    fs.readSync(descriptor, new Uint8Array(bytes), { position: start });
    return bytes;
  };
  const isMagic = (start: number): boolean =>
    Buffer.from(slice(start, start + 4)).toString('latin1') === 'PAR1';
  if (byteLength < 12 || !isMagic(0) || !isMagic(byteLength - 4))
    throw new Error(
      'a Parquet file must begin and end with PAR1, got another file or a part of one: upload the whole file',
    );
  const file = { byteLength, slice };
  const metadata = await decoded(() => parquetMetadataAsync(file));
  checkSize('the footer', metadata.metadata_length, MAX_FOOTER_BYTES);
  let [rowStart, groupEnd] = [0, 0];
  for (const [index, group] of metadata.row_groups.entries()) {
    checkSize(`row group ${index}`, Number(group.total_byte_size), MAX_ROW_GROUP_BYTES);
    groupEnd += Number(group.num_rows);
    while (rowStart < groupEnd) {
      const rowEnd = Math.min(rowStart + ROWS_AT_ONCE, groupEnd);
      const options = { file, metadata, rowStart, rowEnd, utf8: false, compressors, parsers };
      for (const row of await decoded(() => parquetReadObjects(options))) {
        if (Object.values(row).includes(undefined))
          throw new Error(`row ${rowStart} must have all values, got fewer`);
        yield jsonOf(row);
        rowStart++;
      }
    }
  }
}

function checkSize(what: string, bytes: number, most: number): void {
  if (bytes > most)
    throw new Error(`${what} must have at most ${most} bytes, got ${bytes}: write smaller row groups`);
}

/** Says what to do besides what hyparquet says. */
async function decoded<T>(decode: () => Promise<T>): Promise<T> {
  try {
    return await decode();
  } catch (error) {
    const got = error instanceof Error ? error.message : String(error);
    throw new Error(
      `the Parquet file must be readable, got '${got}': write it again, with Snappy, GZIP, Zstandard or no compression`,
    );
  }
}

/**
 * AWS does not say how it writes what JSON has no type for. We believe: an integer of 64 bits and a decimal as a number, which is exact to
 * 2^53, a date and a time in ISO 8601, bytes in base64, NaN and infinity as null.
 */
function jsonOf(value: unknown): Json {
  if (value === undefined || value === null) return null;
  if (typeof value === 'bigint') return Number(value);
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (Array.isArray(value)) return value.map(jsonOf);
  if (typeof value === 'object')
    return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, jsonOf(each)]));
  return value as string | boolean;
}
