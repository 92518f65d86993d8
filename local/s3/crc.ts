/**
 * CRC-32C and CRC-64/NVME, which Node.js lacks, with tables for eight bytes at a time. The AWS SDK has the same checksums only
 * in a package that it calls internal; the tests compare them.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
 */

/** The Castagnoli polynomial with its coefficients in reverse order. */
const CRC32C = 0x82f63b78;

/** The polynomial of NVM Express with its coefficients in reverse order: upper and lower half. */
const CRC64_NVME = { high: 0x9a6c9329, low: 0xac4bc9b5 };

const BYTES_AT_ONCE = 8;

export class Crc32c {
  private static tables: Int32Array | undefined;
  private sum = -1;

  update(bytes: Uint8Array): void {
    const tables = (Crc32c.tables ??= crc32cTables());
    let sum = this.sum;
    let at = 0;
    for (const end = bytes.length - (bytes.length % BYTES_AT_ONCE); at < end; at += BYTES_AT_ONCE) {
      sum ^= at4(bytes, at);
      sum =
        tables[1792 + (sum & 0xff)] ^
        tables[1536 + ((sum >>> 8) & 0xff)] ^
        tables[1280 + ((sum >>> 16) & 0xff)] ^
        tables[1024 + (sum >>> 24)] ^
        tables[768 + bytes[at + 4]] ^
        tables[512 + bytes[at + 5]] ^
        tables[256 + bytes[at + 6]] ^
        tables[bytes[at + 7]];
    }
    for (; at < bytes.length; at++) sum = tables[(sum ^ bytes[at]) & 0xff] ^ (sum >>> 8);
    this.sum = sum;
  }

  digest(): Buffer {
    const bytes = Buffer.alloc(4);
    bytes.writeInt32BE(~this.sum);
    return bytes;
  }
}

export class Crc64Nvme {
  private static tables: { readonly high: Int32Array; readonly low: Int32Array } | undefined;
  private high = -1;
  private low = -1;

  update(bytes: Uint8Array): void {
    const tables = (Crc64Nvme.tables ??= crc64Tables());
    let { high, low } = this;
    let at = 0;
    for (const end = bytes.length - (bytes.length % BYTES_AT_ONCE); at < end; at += BYTES_AT_ONCE) {
      const first = low ^ at4(bytes, at);
      const second = high ^ at4(bytes, at + 4);
      const a = 1792 + (first & 0xff);
      const b = 1536 + ((first >>> 8) & 0xff);
      const c = 1280 + ((first >>> 16) & 0xff);
      const d = 1024 + (first >>> 24);
      const e = 768 + (second & 0xff);
      const f = 512 + ((second >>> 8) & 0xff);
      const g = 256 + ((second >>> 16) & 0xff);
      const h = second >>> 24;
      const { high: up, low: down } = tables;
      high = up[a] ^ up[b] ^ up[c] ^ up[d] ^ up[e] ^ up[f] ^ up[g] ^ up[h];
      low = down[a] ^ down[b] ^ down[c] ^ down[d] ^ down[e] ^ down[f] ^ down[g] ^ down[h];
    }
    for (; at < bytes.length; at++) {
      const index = (low ^ bytes[at]) & 0xff;
      low = tables.low[index] ^ ((low >>> 8) | (high << 24));
      high = tables.high[index] ^ (high >>> 8);
    }
    this.high = high;
    this.low = low;
  }

  digest(): Buffer {
    const bytes = Buffer.alloc(8);
    bytes.writeInt32BE(~this.high);
    bytes.writeInt32BE(~this.low, 4);
    return bytes;
  }
}

function at4(bytes: Uint8Array, at: number): number {
  return bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);
}

/** Table `n` has, for each byte, its checksum with `n` zero bytes after it. */
function crc32cTables(): Int32Array {
  const tables = new Int32Array(BYTES_AT_ONCE * 256);
  for (let byte = 0; byte < 256; byte++) {
    let sum = byte;
    for (let bit = 0; bit < 8; bit++) sum = sum & 1 ? (sum >>> 1) ^ CRC32C : sum >>> 1;
    tables[byte] = sum;
  }
  for (let index = 256; index < tables.length; index++) {
    const before = tables[index - 256];
    tables[index] = tables[before & 0xff] ^ (before >>> 8);
  }
  return tables;
}

function crc64Tables(): { high: Int32Array; low: Int32Array } {
  const high = new Int32Array(BYTES_AT_ONCE * 256);
  const low = new Int32Array(BYTES_AT_ONCE * 256);
  for (let byte = 0; byte < 256; byte++) {
    let [up, down] = [0, byte];
    for (let bit = 0; bit < 8; bit++) {
      const odd = down & 1;
      down = (down >>> 1) | (up << 31);
      up >>>= 1;
      if (odd) {
        up ^= CRC64_NVME.high;
        down ^= CRC64_NVME.low;
      }
    }
    high[byte] = up;
    low[byte] = down;
  }
  for (let index = 256; index < low.length; index++) {
    const last = low[index - 256] & 0xff;
    low[index] = low[last] ^ ((low[index - 256] >>> 8) | (high[index - 256] << 24));
    high[index] = high[last] ^ (high[index - 256] >>> 8);
  }
  return { high, low };
}
