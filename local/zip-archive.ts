/**
 * Reads a zip archive of which every byte may be hostile. Each size is checked before memory is allocated, and each entry has
 * the size and the CRC-32 that the archive claims.
 * `fflate` checks no CRC-32, keeps the last of two entries of one name, and inflates 45 MB of a function's code in JavaScript.
 * Format: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
 */
import { inflateRawSync } from 'node:zlib';
import { quotedName } from '../lambda/json-values';
import { crc32 } from '../lambda/tensors/crc32';

interface Entry {
  readonly name: string;
  readonly method: number;
  readonly crc32: number;
  readonly packedBytes: number;
  readonly bytes: number;
  readonly localHeader: number;
}

/** Where the central directory is, which lists the entries. */
interface Directory {
  readonly start: number;
  readonly end: number;
  readonly entries: number;
}

const END = { signature: 0x06054b50, bytes: 22 };
const END_64 = { signature: 0x06064b50, bytes: 56 };
const LOCATOR_64 = { signature: 0x07064b50, bytes: 20 };
const CENTRAL = { signature: 0x02014b50, bytes: 46 };
const LOCAL = { signature: 0x04034b50, bytes: 30 };

/** Stand for values that are in the zip64 records. */
const IN_ZIP64 = 0xffffffff;
const ENTRIES_IN_ZIP64 = 0xffff;
const ZIP64_FIELD = 1;

const MAX_COMMENT_BYTES = 0xffff;

const STORED = 0;
const DEFLATED = 8;

const ENCRYPTED = 1;
const UTF8 = 1 << 11;

/** Deflate packs at most 1032 bytes into one: https://zlib.net/zlib_tech.html. The rest is for the frame of an empty entry. */
const MOST_BYTES_PER_PACKED_BYTE = 1032;

/** The archive is damaged or unusual; the message says in which way, such as `it has no end`. */
export class BrokenZip extends Error {}

/** The entries together claim more bytes than the limit. */
export class TooLargeZip extends BrokenZip {
  constructor(maxBytes: number) {
    super(`more than ${maxBytes} bytes unpacked`);
  }
}

/**
 * Returns the entries by name.
 * @param maxBytes limit of the size of all entries together
 * @throws BrokenZip, or TooLargeZip before anything is unpacked
 */
export function readZip(file: Uint8Array, maxBytes: number): Map<string, Uint8Array> {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const directory = findDirectory(view);
  const listed = readDirectory(file, view, directory);
  const total = listed.reduce((sum, { bytes }) => sum + bytes, 0);
  if (total > maxBytes) throw new TooLargeZip(maxBytes);
  const entries = new Map<string, Uint8Array>();
  for (const entry of listed) {
    if (entries.has(entry.name)) throw broken(`two entries ${quotedName(entry.name)}`);
    entries.set(entry.name, unpack(entry, packedBytes(file, view, entry, directory.start)));
  }
  return entries;
}

function broken(reason: string): BrokenZip {
  return new BrokenZip(reason);
}

function findDirectory(view: DataView): Directory {
  const end = findEnd(view);
  const disks = [view.getUint16(end + 4, true), view.getUint16(end + 6, true)];
  const entries = view.getUint16(end + 10, true);
  const bytes = view.getUint32(end + 12, true);
  const start = view.getUint32(end + 16, true);
  const is64 = entries === ENTRIES_IN_ZIP64 || bytes === IN_ZIP64 || start === IN_ZIP64;
  if (is64) return findDirectory64(view, end);
  if (disks.some((disk) => disk !== 0)) throw broken('several disks');
  return checkedDirectory({ start, end: start + bytes, entries }, end);
}

/** The last record of the file, which a comment may follow. */
function findEnd(view: DataView): number {
  const last = view.byteLength - END.bytes;
  for (let at = last; at >= Math.max(0, last - MAX_COMMENT_BYTES); at--) {
    const isEnd = view.getUint32(at, true) === END.signature;
    if (isEnd && at + END.bytes + view.getUint16(at + 20, true) === view.byteLength) return at;
  }
  throw broken('it has no end');
}

function findDirectory64(view: DataView, end: number): Directory {
  const locator = end - LOCATOR_64.bytes;
  if (locator < 0 || view.getUint32(locator, true) !== LOCATOR_64.signature) throw broken('no zip64 records');
  const record = safeNumber(view.getBigUint64(locator + 8, true));
  if (record > locator - END_64.bytes || view.getUint32(record, true) !== END_64.signature) {
    throw broken('no zip64 records');
  }
  const entries = safeNumber(view.getBigUint64(record + 32, true));
  const bytes = safeNumber(view.getBigUint64(record + 40, true));
  const start = safeNumber(view.getBigUint64(record + 48, true));
  return checkedDirectory({ start, end: start + bytes, entries }, record);
}

function checkedDirectory(directory: Directory, limit: number): Directory {
  const { start, end, entries } = directory;
  if (end <= limit && entries * CENTRAL.bytes <= end - start) return directory;
  throw broken('its directory is not where it should be');
}

function safeNumber(value: bigint): number {
  if (value <= BigInt(Number.MAX_SAFE_INTEGER)) return Number(value);
  throw broken('a size above 2^53');
}

function readDirectory(file: Uint8Array, view: DataView, { start, end, entries }: Directory): Entry[] {
  let at = start;
  const listed = Array.from({ length: entries }, () => {
    if (at + CENTRAL.bytes > end || view.getUint32(at, true) !== CENTRAL.signature) {
      throw broken('its directory is damaged');
    }
    const [nameBytes, fieldBytes, commentBytes] = [28, 30, 32].map((offset) =>
      view.getUint16(at + offset, true),
    );
    const nameStart = at + CENTRAL.bytes;
    const fieldStart = nameStart + nameBytes;
    const next = fieldStart + fieldBytes + commentBytes;
    if (next > end) throw broken('its directory is damaged');
    const flags = view.getUint16(at + 8, true);
    if ((flags & ENCRYPTED) !== 0) throw broken('encrypted entries');
    const name = nameOf(file.subarray(nameStart, fieldStart), (flags & UTF8) !== 0);
    const entry: Entry = {
      name,
      method: view.getUint16(at + 10, true),
      crc32: view.getUint32(at + 16, true),
      ...sizesOf(view, at, { start: fieldStart, end: fieldStart + fieldBytes }),
    };
    at = next;
    return entry;
  });
  if (at !== end) throw broken('its directory is damaged');
  return listed;
}

function nameOf(bytes: Uint8Array, isUtf8: boolean): string {
  if (!isUtf8 && bytes.some((byte) => byte > 0x7f)) throw broken('a name that is not UTF-8');
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw broken('a name that is not UTF-8');
  }
}

/** The sizes and the position of an entry, which are in a zip64 field if they do not fit into 32 bits. */
function sizesOf(
  view: DataView,
  at: number,
  field: { readonly start: number; readonly end: number },
): Pick<Entry, 'packedBytes' | 'bytes' | 'localHeader'> {
  let position = zip64Field(view, field);
  const read = (offset: number): number => {
    const value = view.getUint32(at + offset, true);
    if (value !== IN_ZIP64) return value;
    if (position === undefined || position.at + 8 > position.end) throw broken('no zip64 sizes');
    const wide = safeNumber(view.getBigUint64(position.at, true));
    position = { at: position.at + 8, end: position.end };
    return wide;
  };
  // In the order of the zip64 field.
  const bytes = read(24);
  const packed = read(20);
  return { bytes, packedBytes: packed, localHeader: read(42) };
}

function zip64Field(
  view: DataView,
  { start, end }: { readonly start: number; readonly end: number },
): { readonly at: number; readonly end: number } | undefined {
  for (let at = start; at + 4 <= end; at += 4 + view.getUint16(at + 2, true)) {
    const last = at + 4 + view.getUint16(at + 2, true);
    if (view.getUint16(at, true) === ZIP64_FIELD && last <= end) return { at: at + 4, end: last };
  }
  return undefined;
}

function packedBytes(file: Uint8Array, view: DataView, entry: Entry, limit: number): Uint8Array {
  const { name, localHeader: at } = entry;
  if (at + LOCAL.bytes > limit || view.getUint32(at, true) !== LOCAL.signature) throw noEntry(name);
  const nameEnd = at + LOCAL.bytes + view.getUint16(at + 26, true);
  const start = nameEnd + view.getUint16(at + 28, true);
  if (start + entry.packedBytes > limit) throw noEntry(name);
  const own = Buffer.from(file.subarray(at + LOCAL.bytes, nameEnd));
  if (!own.equals(Buffer.from(name))) throw noEntry(name);
  return file.subarray(start, start + entry.packedBytes);
}

function noEntry(name: string): BrokenZip {
  return broken(`${quotedName(name)} is not where it should be`);
}

function unpack({ name, method, bytes, crc32: expected }: Entry, packed: Uint8Array): Uint8Array {
  if (method !== STORED && method !== DEFLATED) throw broken(`the compression method ${method}`);
  const content = method === STORED ? packed : inflate(name, packed, bytes);
  if (content.byteLength !== bytes) throw broken(otherSize(name));
  if (crc32(content) !== expected) throw broken(`${quotedName(name)} has another CRC-32 than it claims`);
  return content;
}

function otherSize(name: string): string {
  return `${quotedName(name)} has another size than it claims`;
}

function inflate(name: string, packed: Uint8Array, bytes: number): Uint8Array {
  if (bytes > packed.byteLength * MOST_BYTES_PER_PACKED_BYTE) {
    throw broken(`${quotedName(name)} claims more bytes than it can hold`);
  }
  try {
    return inflateRawSync(packed, { maxOutputLength: Math.max(bytes, 1) });
  } catch (error) {
    // Not `instanceof RangeError`: Node's errors have a code.
    const isLarger = (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE';
    throw broken(
      isLarger
        ? otherSize(name)
        : `${quotedName(name)}: ${error instanceof Error ? error.message : 'damaged'}`,
    );
  }
}
