import * as fc from 'fast-check';
import { zipSync, type Zippable } from 'fflate';
import { BrokenZip, readZip } from '../../local/zip-archive';

const LIMIT = 1_000_000;
const hello = Buffer.from('hello');

/** The last records of a kind in an archive, of which fields are overwritten. */
const RECORDS = { local: 'PK\u0003\u0004', directory: 'PK\u0001\u0002', end: 'PK\u0005\u0006' };

type Patch = readonly [record: keyof typeof RECORDS, at: number, value: number, bytes?: 1 | 2 | 4];

/** An archive in which a field claims something else. */
function patched(files: Zippable, level: 0 | 9, ...patches: readonly Patch[]): Buffer {
  const zip = Buffer.from(zipSync(files, { level }));
  for (const [record, at, value, bytes = 4] of patches)
    zip.writeUIntLE(value, zip.lastIndexOf(RECORDS[record], undefined, 'latin1') + at, bytes);
  return zip;
}

describe('a zip archive', () => {
  it('has the entries that fflate packed', () => {
    const names = fc
      .string({ minLength: 1, unit: 'grapheme' })
      .filter((name) => !/^__proto__$|[/\\]$/.test(name));
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

  it('may have a comment, also one that looks like a record', () => {
    const comment = Buffer.from(RECORDS.end);
    const zip = Buffer.concat([patched({ x: hello }, 0, ['end', 20, comment.byteLength, 2]), comment]);
    expect(Buffer.from(readZip(zip, LIMIT).get('x') ?? []).equals(hello)).toBe(true);
  });

  it.each<[string, string, 0 | 9, Patch, Zippable?]>([
    ['a wrong CRC-32', "'x': CRC32 checksum failed", 0, ['local', 14, 1]],
    ['a stored entry that claims more', "'x': it has another size than it claims", 0, ['directory', 24, 6]],
    ['a deflated entry that claims more', 'another size', 9, ['directory', 24, 6]],
    ['a deflated entry that claims less', 'another size', 9, ['directory', 24, 4]],
    ['a claim that no deflated bytes hold', 'another size', 9, ['directory', 24, 99_999]],
    ['an unknown compression method', 'unsupported compression method', 0, ['directory', 10, 12, 2]],
    ['an encrypted entry', "'x': it is encrypted", 0, ['directory', 8, 1, 2]],
    ['a name without its encoding', 'its name is not UTF-8', 0, ['directory', 8, 0, 2], { ü: hello }],
    ['a damaged name', 'its name is not UTF-8', 0, ['directory', 46, 0xff, 1], { ü: hello }],
    ['an entry elsewhere', "'x': Invalid LOC header", 0, ['directory', 42, 1]],
    ['more bytes than the limit', 'more than 1000000 bytes unpacked', 0, ['directory', 24, LIMIT + 1]],
    ['two entries of one name', 'Duplicate entry', 0, ['directory', 46, 0x78, 1], { x: hello, y: hello }],
    ['entries on other disks', 'its directory is damaged', 0, ['end', 10, 2, 2]],
    ['zip64 records', 'it cannot be read', 0, ['end', 16, 0xffffffff]],
    ['a directory elsewhere', 'it cannot be read', 0, ['end', 16, 1000]],
  ])('with %s is refused', (_, message, level, patch, files = { x: hello }) => {
    expect(() => readZip(patched(files, level, patch), LIMIT)).toThrow(message);
  });

  it('of zeros that unpack to more than it claims is not unpacked further', () => {
    const bomb = patched({ x: new Uint8Array(5_000_000) }, 9, ['directory', 24, 1000]);
    expect(() => readZip(bomb, LIMIT)).toThrow("'x': it has another size than it claims");
  });

  it('that is truncated anywhere is refused', () => {
    const archive = zipSync({ x: [hello, { level: 0 }], y: hello });
    for (let length = 0; length < archive.byteLength; length++) {
      expect(() => readZip(archive.subarray(0, length), LIMIT)).toThrow(BrokenZip);
    }
  });

  it('with any flipped bit has the same contents, or is refused', () => {
    const archive = zipSync({ x: [hello, { level: 0 }], y: hello });
    const contents = (zip: Uint8Array) => [...readZip(zip, LIMIT).values()].map(String);
    const whole = contents(archive);
    for (let at = 0; at < 8 * archive.byteLength; at++) {
      const damaged = Uint8Array.from(archive);
      damaged[at >> 3] ^= 1 << (at & 7);
      try {
        expect(contents(damaged)).toEqual(whole);
      } catch (error) {
        expect(error).toBeInstanceOf(BrokenZip);
      }
    }
  });
});
