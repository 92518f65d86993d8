import fc from 'fast-check';
import { Crc32c, Crc64Nvme } from '../../../local/s3/crc';

interface Checksum {
  update(bytes: Uint8Array): void;
  digest(): Buffer;
}

/** Bit by bit, as the definition has it. `polynomial` has its coefficients in reverse order. */
function bitwise(bytes: Uint8Array, bits: number, polynomial: bigint): string {
  const ones = (1n << BigInt(bits)) - 1n;
  let sum = ones;
  for (const byte of bytes) {
    sum ^= BigInt(byte);
    for (let bit = 0; bit < 8; bit++) sum = sum & 1n ? (sum >> 1n) ^ polynomial : sum >> 1n;
  }
  return (sum ^ ones).toString(16).padStart(bits / 4, '0');
}

function digest(checksum: Checksum, pieces: readonly Uint8Array[]): string {
  for (const piece of pieces) checksum.update(piece);
  return checksum.digest().toString('hex');
}

// Check values: https://reveng.sourceforge.io/crc-catalogue/all.htm
describe.each([
  { name: 'CRC-32C', create: () => new Crc32c(), check: 'e3069283', bits: 32, polynomial: 0x82f63b78n },
  {
    name: 'CRC-64/NVME',
    create: () => new Crc64Nvme(),
    check: 'ae8b14860a799888',
    bits: 64,
    polynomial: 0x9a6c9329ac4bc9b5n,
  },
])('$name', ({ create, check, bits, polynomial }) => {
  it('has the check value of its catalogue', () => {
    expect(digest(create(), [Buffer.from('123456789')])).toBe(check);
  });

  it('of nothing is zero', () => {
    expect(digest(create(), [])).toBe('0'.repeat(bits / 4));
  });

  it('is that of the definition for any bytes in any pieces', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 5 }), (pieces) => {
        expect(digest(create(), pieces)).toBe(bitwise(Buffer.concat(pieces), bits, polynomial));
      }),
    );
  });
});
