import { deflateRawSync } from 'node:zlib';
import * as fc from 'fast-check';
import { zipSync } from 'fflate';
import { crc32 } from '../../lambda/tensors/crc32';
import { BrokenZip, readZip } from '../../local/zip-archive';

interface EntryInit {
  readonly name: string;
  readonly content: Uint8Array;
  readonly method?: number;
  readonly flags?: number;
  readonly claimedBytes?: number;
  readonly crc32?: number;
  readonly localName?: string;
  readonly isZip64?: boolean;
}

const LIMIT = 1_000_000;
const UTF8 = 1 << 11;
const hello = Buffer.from('hello');

/** The bytes of fields, by their sizes. */
function record(...fields: readonly (readonly [bytes: 2 | 4 | 8, value: number])[]): Buffer {
  return Buffer.concat(
    fields.map(([bytes, value]) => {
      const field = Buffer.alloc(bytes);
      if (bytes === 8) field.writeBigUInt64LE(BigInt(value));
      else field.writeUIntLE(value, 0, bytes);
      return field;
    }),
  );
}

/** An archive as `numpy.savez` writes it, or with what an entry claims instead. */
function zip(entries: readonly EntryInit[], { is64 = false, comment = '' } = {}): Uint8Array {
  const files: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const entry of entries) {
    const { name, content, method = 0, flags = UTF8, localName = name, isZip64 = false } = entry;
    const packed = method === 8 ? deflateRawSync(content) : Buffer.from(content);
    const bytes = entry.claimedBytes ?? content.byteLength;
    const sum = entry.crc32 ?? crc32(content);
    const wide: Buffer = isZip64
      ? record([2, 1], [2, 24], [8, bytes], [8, packed.byteLength], [8, offset])
      : Buffer.alloc(0);
    const narrow = (value: number): number => (isZip64 ? 0xffffffff : value);
    const sizes = [[4, sum] as const, [4, narrow(packed.byteLength)] as const, [4, narrow(bytes)] as const];
    const local = Buffer.concat([
      record([4, 0x04034b50], [2, 20], [2, flags], [2, method], [4, 0], ...sizes),
      record([2, Buffer.byteLength(localName)], [2, 0]),
      Buffer.from(localName),
      packed,
    ]);
    directory.push(
      record([4, 0x02014b50], [4, 0x140014], [2, flags], [2, method], [4, 0], ...sizes),
      record([2, Buffer.byteLength(name)], [2, wide.byteLength], [2, 0], [4, 0], [4, 0], [4, narrow(offset)]),
      Buffer.from(name),
      wide,
    );
    files.push(local);
    offset += local.byteLength;
  }
  const bytes = directory.reduce((sum, part) => sum + part.byteLength, 0);
  const count = entries.length;
  const end64 = record(
    [4, 0x06064b50],
    [8, 44],
    [4, 0],
    [8, 0],
    [8, count],
    [8, count],
    [8, bytes],
    [8, offset],
  );
  const locator = record([4, 0x07064b50], [4, 0], [8, offset + bytes], [4, 1]);
  return Buffer.concat([
    ...files,
    ...directory,
    ...(is64 ? [record([4, 0x06064b50]), end64.subarray(4), Buffer.alloc(0), locator] : []),
    record([4, 0x06054b50], [4, 0], [2, count], [2, is64 ? 0xffff : count], [4, bytes]),
    record([4, is64 ? 0xffffffff : offset], [2, Buffer.byteLength(comment)]),
    Buffer.from(comment),
  ]);
}

describe('a zip archive', () => {
  it('has the entries that fflate packed', () => {
    const files = fc.dictionary(
      fc.string({ minLength: 1, unit: 'grapheme' }),
      fc.uint8Array({ maxLength: 300 }),
      {
        maxKeys: 5,
        noNullPrototype: true,
      },
    );
    fc.assert(
      fc.property(files, fc.constantFrom(0, 9), (content, level) => {
        fc.pre(!Object.keys(content).includes('__proto__'));
        const archive = zipSync(content, { level: level, mtime: new Date(1990, 1, 1) });
        expect(new Map([...readZip(archive, LIMIT)].map(([name, bytes]) => [name, [...bytes]]))).toEqual(
          new Map(Object.entries(content).map(([name, bytes]) => [name, [...bytes]])),
        );
      }),
    );
  });

  it.each([
    ['stored', [{ name: 'ü', content: hello }], {}],
    ['deflated', [{ name: 'ü', content: hello, method: 8 }], {}],
    ['with zip64 sizes', [{ name: 'ü', content: hello, isZip64: true }], {}],
    ['with zip64 records', [{ name: 'ü', content: hello }], { is64: true }],
    ['with a comment', [{ name: 'ü', content: hello }], { comment: 'PK' }],
  ] as const)('may be %s', (_, entries, options) => {
    expect([...readZip(zip(entries, options), LIMIT)].map(([name, bytes]) => [name, String(bytes)])).toEqual([
      ['ü', String(hello)],
    ]);
  });

  it.each<[string, EntryInit[], string]>([
    ['two entries of one name', [entry(), entry()], "two entries 'x'"],
    ['a wrong CRC-32', [entry({ crc32: 1 })], "'x' has another CRC-32 than it claims"],
    ['a stored entry that claims more', [entry({ claimedBytes: 6 })], "'x' has another size than it claims"],
    ['a deflated entry that claims more', [entry({ method: 8, claimedBytes: 6 })], 'has another size'],
    ['a deflated entry that claims less', [entry({ method: 8, claimedBytes: 4 })], 'has another size'],
    ['a claim that no deflated bytes hold', [entry({ method: 8, claimedBytes: 99_999 })], 'than it can hold'],
    ['an unknown compression method', [entry({ method: 12 })], 'the compression method 12'],
    ['an encrypted entry', [entry({ flags: 1 })], 'encrypted entries'],
    ['a name without its encoding', [entry({ name: 'ü', flags: 0 })], 'a name that is not UTF-8'],
    ['another name before the content', [entry({ localName: 'y' })], "'x' is not where it should be"],
    ['more bytes than the limit', [entry({ claimedBytes: LIMIT + 1 })], 'more than 1000000 bytes unpacked'],
    [
      'two entries that are too large together',
      [entry({ claimedBytes: LIMIT }), entry({ name: 'y', claimedBytes: 1 })],
      'more than 1000000 bytes unpacked',
    ],
  ])('with %s is refused', (_, entries, message) => {
    expect(() => readZip(zip(entries), LIMIT)).toThrow(message);
  });

  it('of zeros that unpack to more than it claims is not unpacked further', () => {
    const bomb = zip([{ name: 'x', content: new Uint8Array(50_000_000), method: 8, claimedBytes: 1000 }]);
    expect(bomb.byteLength).toBeLessThan(60_000);
    expect(() => readZip(bomb, LIMIT)).toThrow("'x' has another size than it claims");
  });

  it('that is truncated anywhere is refused', () => {
    const archive = zip([entry(), entry({ name: 'y', method: 8 })]);
    for (let length = 0; length < archive.byteLength; length++) {
      expect(() => readZip(archive.subarray(0, length), LIMIT)).toThrow(BrokenZip);
    }
  });

  it('of which any byte changes is refused, or has the same content', () => {
    for (const archive of [
      zip([entry(), entry({ method: 8, name: 'y' })]),
      zip([entry({ isZip64: true })], { is64: true }),
    ]) {
      const whole = readZip(archive, LIMIT);
      for (let place = 0; place < archive.byteLength; place++) {
        for (const bit of [1, 128]) {
          const damaged = Uint8Array.from(archive);
          damaged[place] ^= bit;
          let got: Map<string, Uint8Array>;
          try {
            got = readZip(damaged, LIMIT);
          } catch (error) {
            expect(error).toBeInstanceOf(BrokenZip);
            continue;
          }
          expect(contents(got)).toEqual(contents(whole));
        }
      }
    }
  });
});

function contents(entries: ReadonlyMap<string, Uint8Array>): string[] {
  return [...entries.values()].map((bytes) => Buffer.from(bytes).toString());
}

function entry(init: Partial<EntryInit> = {}): EntryInit {
  return { name: 'x', content: hello, ...init };
}
