/**
 * Reads a zip archive of which every byte may be hostile. Each size is checked before memory is allocated, and each entry has
 * the size and the CRC-32 that the archive claims. Its zip64 records are refused: only archives above 2 GB need them.
 * `fflate` checks no CRC-32, keeps the last of two entries of one name, and inflates 45 MB of a function's code in JavaScript.
 * Format: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
 */
import { inflateRawSync } from 'node:zlib';
import { quotedName } from '../lambda/json-values';
import { crc32 } from '../lambda/tensors/checksums';

interface Entry {
  readonly name: string;
  readonly method: number;
  readonly crc32: number;
  readonly packedBytes: number;
  readonly bytes: number;
  readonly localHeader: number;
}

const END = { signature: 0x06054b50, bytes: 22 };
const CENTRAL = { signature: 0x02014b50, bytes: 46 };
const LOCAL = { signature: 0x04034b50, bytes: 30 };

const MAX_COMMENT_BYTES = 0xffff;

/** Stands for the place of the directory, which is in the zip64 records. */
const IN_ZIP64 = 0xffffffff;

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

/** @throws BrokenZip, or TooLargeZip before anything is unpacked */
export function readZip(file: Uint8Array, maxBytes: number): Map<string, Uint8Array> {
  const zip = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  const listed = readDirectory(zip);
  const total = listed.reduce((sum, { bytes }) => sum + bytes, 0);
  if (total > maxBytes) throw new TooLargeZip(maxBytes);
  const entries = new Map<string, Uint8Array>();
  for (const entry of listed) {
    if (entries.has(entry.name)) throw new BrokenZip(`two entries ${quotedName(entry.name)}`);
    entries.set(entry.name, unpack(entry, packedContent(zip, entry)));
  }
  return entries;
}

function readDirectory(zip: Buffer): Entry[] {
  const limit = findEnd(zip);
  const disks = zip.readUInt32LE(limit + 4);
  const entries = zip.readUInt16LE(limit + 10);
  const start = zip.readUInt32LE(limit + 16);
  if (disks !== 0) throw new BrokenZip('several disks');
  if (start === IN_ZIP64) throw new BrokenZip('zip64 records');
  const end = start + zip.readUInt32LE(limit + 12);
  if (end > limit) throw new BrokenZip('its directory is not where it should be');
  let at = start;
  const listed = Array.from({ length: entries }, () => {
    if (!hasRecord(zip, CENTRAL, at, end)) throw new BrokenZip('its directory is damaged');
    const flags = zip.readUInt16LE(at + 8);
    if ((flags & ENCRYPTED) !== 0) throw new BrokenZip('encrypted entries');
    const nameStart = at + CENTRAL.bytes;
    const nameEnd = nameStart + zip.readUInt16LE(at + 28);
    const entry: Entry = {
      name: nameOf(zip.subarray(nameStart, nameEnd), (flags & UTF8) !== 0),
      method: zip.readUInt16LE(at + 10),
      crc32: zip.readUInt32LE(at + 16),
      packedBytes: zip.readUInt32LE(at + 20),
      bytes: zip.readUInt32LE(at + 24),
      localHeader: zip.readUInt32LE(at + 42),
    };
    // The extra fields and a comment follow the name.
    at = nameEnd + zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32);
    return entry;
  });
  if (at !== end) throw new BrokenZip('its directory is damaged');
  return listed;
}

/** The last record of the file, which a comment may follow. */
function findEnd(zip: Buffer): number {
  const last = zip.byteLength - END.bytes;
  for (let at = last; at >= Math.max(0, last - MAX_COMMENT_BYTES); at--) {
    const isEnd = zip.readUInt32LE(at) === END.signature;
    if (isEnd && at + END.bytes + zip.readUInt16LE(at + 20) === zip.byteLength) return at;
  }
  throw new BrokenZip('it has no end');
}

function hasRecord(zip: Buffer, { signature, bytes }: typeof END, at: number, limit: number): boolean {
  return at + bytes <= limit && zip.readUInt32LE(at) === signature;
}

function nameOf(bytes: Uint8Array, isUtf8: boolean): string {
  if (!isUtf8 && bytes.some((byte) => byte > 0x7f)) throw new BrokenZip('a name that is not UTF-8');
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new BrokenZip('a name that is not UTF-8');
  }
}

/** The name and the content follow the local header. */
function packedContent(zip: Buffer, { name, localHeader: at, packedBytes }: Entry): Uint8Array {
  if (hasRecord(zip, LOCAL, at, zip.byteLength)) {
    const nameEnd = at + LOCAL.bytes + zip.readUInt16LE(at + 26);
    const start = nameEnd + zip.readUInt16LE(at + 28);
    const isNamed = zip.subarray(at + LOCAL.bytes, nameEnd).equals(Buffer.from(name));
    if (isNamed && start + packedBytes <= zip.byteLength) return zip.subarray(start, start + packedBytes);
  }
  throw new BrokenZip(`${quotedName(name)} is not where it should be`);
}

function unpack({ name, method, bytes, crc32: expected }: Entry, packed: Uint8Array): Uint8Array {
  if (method !== STORED && method !== DEFLATED) throw new BrokenZip(`the compression method ${method}`);
  const content = method === STORED ? packed : inflate(name, packed, bytes);
  if (content.byteLength !== bytes) throw otherSize(name);
  if (crc32(content) === expected) return content;
  throw new BrokenZip(`${quotedName(name)} has another CRC-32 than it claims`);
}

function inflate(name: string, packed: Uint8Array, bytes: number): Uint8Array {
  if (bytes > packed.byteLength * MOST_BYTES_PER_PACKED_BYTE) {
    throw new BrokenZip(`${quotedName(name)} claims more bytes than it can hold`);
  }
  try {
    return inflateRawSync(packed, { maxOutputLength: Math.max(bytes, 1) });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ERR_BUFFER_TOO_LARGE') throw otherSize(name);
    throw new BrokenZip(`${quotedName(name)}: ${message}`);
  }
}

function otherSize(name: string): BrokenZip {
  return new BrokenZip(`${quotedName(name)} has another size than it claims`);
}
