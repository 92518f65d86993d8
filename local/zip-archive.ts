/**
 * Reads a zip archive of which every byte may be hostile. adm-zip allocates no memory before it has the bytes, inflates no entry to more than it
 * claims, checks each CRC-32, and refuses two entries of one name.
 */
import { isAscii, isUtf8 } from 'node:buffer';
import AdmZip from 'adm-zip';
import { quotedName } from '../lambda/json-values';

/** The archive is damaged or unusual; the message says in which way, such as `it is encrypted`. */
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
  const entries = blamingZip(() => entriesOf(zip));
  const total = entries.reduce((sum, { header }) => sum + header.size, 0);
  if (total > maxBytes) throw new TooLargeZip(maxBytes);
  return new Map(
    entries.map((entry) => [entry.entryName, blamingZip(() => unpack(entry), quotedName(entry.entryName))]),
  );
}

/** Bytes of the last record, without the comment that may follow it. */
const END_BYTES = 22;

function entriesOf(zip: Buffer): AdmZip.IZipEntry[] {
  const entries = new AdmZip(zip, { noSort: true }).getEntries();
  // adm-zip reads as many entries as there are on this disk, which must be all.
  const end = zip.lastIndexOf('PK\u0005\u0006', -END_BYTES, 'latin1');
  if (zip.readUInt16LE(end + 10) !== entries.length) throw new Error('its directory is damaged');
  return entries;
}

const OTHER_SIZE = 'it has another size than it claims';

function unpack(entry: AdmZip.IZipEntry): Uint8Array {
  const { header, rawEntryName } = entry;
  if (header.encrypted) throw new Error('it is encrypted');
  const isReadable = header.flags_efs ? isUtf8 : isAscii;
  if (!isReadable(rawEntryName)) throw new Error('its name is not UTF-8');
  const content = entry.getData();
  if (content.byteLength !== header.size) throw new Error(OTHER_SIZE);
  return content;
}

/** Errors of adm-zip and of zlib have no type of their own. */
function blamingZip<T>(read: () => T, what = 'it cannot be read'): T {
  try {
    return read();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const reason = code === 'ERR_BUFFER_TOO_LARGE' ? OTHER_SIZE : message.replace(/^ADM-ZIP: /, '');
    throw new BrokenZip(`${what}: ${reason}`);
  }
}
