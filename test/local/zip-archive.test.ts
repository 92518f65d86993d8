import { deflateRawSync } from 'node:zlib';
import * as fc from 'fast-check';
import { zipSync } from 'fflate';
import { crc32 } from '../../lambda/tensors/checksums';
import { BrokenZip, readZip } from '../../local/zip-archive';

interface EntryInit {
  readonly name: string;
  readonly content: Uint8Array;
  readonly method?: number;
  readonly flags?: number;
  readonly claimedBytes?: number;
  readonly crc32?: number;
  readonly localName?: string;
}

const LIMIT = 1_000_000;
const UTF8 = 1 << 11;
const hello = Buffer.from('hello');

/** The bytes of fields, by their sizes. */
function record(...fields: readonly (readonly [bytes: 2 | 4, value: number])[]): Buffer {
  return Buffer.concat(
    fields.map(([bytes, value]) => {
      const field = Buffer.alloc(bytes);
      field.writeUIntLE(value, 0, bytes);
      return field;
    }),
  );
}

/** An archive with what its entries claim. */
function zip(entries: readonly EntryInit[], { comment = '', disk = 0, start = -1 } = {}): Uint8Array {
  const files: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const entry of entries) {
    const { name, content, method = 0, flags = UTF8, localName = name } = entry;
    const packed = method === 8 ? deflateRawSync(content) : Buffer.from(content);
    const claimed = [
      entry.crc32 ?? crc32(content),
      packed.byteLength,
      entry.claimedBytes ?? content.byteLength,
    ];
    const common = [[2, flags], [2, method], [4, 0], ...claimed.map((value) => [4, value] as const)] as const;
    const header = record([4, 0x04034b50], [2, 20], ...common, [2, Buffer.byteLength(localName)], [2, 0]);
    files.push(header, Buffer.from(localName), packed);
    directory.push(
      record([4, 0x02014b50], [4, 0x140014], ...common, [2, Buffer.byteLength(name)], [4, 0]),
      record([4, 0], [4, 0], [4, offset]),
      Buffer.from(name),
    );
    offset = Buffer.concat(files).byteLength;
  }
  const { byteLength } = Buffer.concat(directory);
  const count = entries.length;
  return Buffer.concat([
    ...files,
    ...directory,
    record([4, 0x06054b50], [4, disk], [2, count], [2, count], [4, byteLength]),
    record([4, start < 0 ? offset : start], [2, Buffer.byteLength(comment)]),
    Buffer.from(comment),
  ]);
}

function entry(init: Partial<EntryInit> = {}): EntryInit {
  return { name: 'x', content: hello, ...init };
}

function contents(entries: ReadonlyMap<string, Uint8Array>): string[] {
  return [...entries.values()].map((bytes) => Buffer.from(bytes).toString());
}

describe('a zip archive', () => {
  it('has the entries that fflate packed', () => {
    const names = fc.string({ minLength: 1, unit: 'grapheme' }).filter((name) => name !== '__proto__');
    const files = fc.dictionary(names, fc.uint8Array({ maxLength: 300 }), {
      maxKeys: 5,
      noNullPrototype: true,
    });
    fc.assert(
      fc.property(files, fc.constantFrom(0, 9), (content, level) => {
        const archive = zipSync(content, { level: level, mtime: new Date(1990, 1, 1) });
        expect(new Map([...readZip(archive, LIMIT)].map(([name, bytes]) => [name, [...bytes]]))).toEqual(
          new Map(Object.entries(content).map(([name, bytes]) => [name, [...bytes]])),
        );
      }),
    );
  });

  it.each([
    ['stored', 0, ''],
    ['deflated', 8, ''],
    ['with a comment', 0, 'PK'],
  ])('may be %s', (_, method, comment) => {
    const entries = readZip(zip([{ name: 'ü', content: hello, method }], { comment }), LIMIT);
    expect([[...entries.keys()], contents(entries)]).toEqual([['ü'], ['hello']]);
  });

  it.each<[string, EntryInit[], string, Parameters<typeof zip>[1]?]>([
    ['two entries of one name', [entry(), entry()], "two entries 'x'"],
    ['a wrong CRC-32', [entry({ crc32: 1 })], "'x' has another CRC-32 than it claims"],
    ['a stored entry that claims more', [entry({ claimedBytes: 6 })], "'x' has another size than it claims"],
    ['a deflated entry that claims more', [entry({ method: 8, claimedBytes: 6 })], 'has another size'],
    ['a claim that no deflated bytes hold', [entry({ method: 8, claimedBytes: 99_999 })], 'than it can hold'],
    ['an unknown compression method', [entry({ method: 12 })], 'the compression method 12'],
    ['an encrypted entry', [entry({ flags: 1 })], 'encrypted entries'],
    ['a name without its encoding', [entry({ name: 'ü', flags: 0 })], 'a name that is not UTF-8'],
    ['another name before the content', [entry({ localName: 'y' })], "'x' is not where it should be"],
    ['more bytes than the limit', [entry({ claimedBytes: LIMIT + 1 })], 'more than 1000000 bytes unpacked'],
    ['several disks', [entry()], 'several disks', { disk: 1 }],
    ['zip64 records', [entry()], 'zip64 records', { start: 0xffffffff }],
    ['a directory elsewhere', [entry()], 'its directory is not where it should be', { start: 1000 }],
  ])('with %s is refused', (_, entries, message, options = {}) => {
    expect(() => readZip(zip(entries, options), LIMIT)).toThrow(message);
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
    const archive = zip([entry(), entry({ method: 8, name: 'y' })]);
    const whole = contents(readZip(archive, LIMIT));
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
        expect(contents(got)).toEqual(whole);
      }
    }
  });
});
