/** CRC32 as S3 sends and expects it: the checksum's four bytes, the highest first, in base64. */
import { crc32 } from '../tensors/crc32';

/** Accumulates the CRC32 of bytes that arrive in parts. */
export class Crc32 {
  private sum = 0;

  update(bytes: Uint8Array): void {
    this.sum = crc32(bytes, this.sum);
  }

  base64(): string {
    return base64OfCrc32(this.sum);
  }
}

export function base64OfCrc32(sum: number): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(sum);
  return bytes.toString('base64');
}
