import * as fs from 'node:fs';
import * as path from 'node:path';
import { Readable } from 'node:stream';
import { strToU8, zipSync } from 'fflate';
import { CodeFolders, unpackZip } from '../../../local/lambda/code';
import { DiskObjectStore } from '../../../local/s3/store';
import { temporaryFolder } from '../../support/temporary-folder';

const folder = temporaryFolder();

test('a zip is unpacked once for several callers', async () => {
  const store = new DiskObjectStore(path.join(folder, 's3'));
  store.createBucket('assets');
  const zip = zipSync({ 'index.js': strToU8('1'), 'deep/er/file.txt': strToU8('2'), 'empty/': strToU8('') });
  await store.put('assets', 'a.zip', Readable.from([zip]));
  const folders = new CodeFolders(store, path.join(folder, 'code'));
  const location = { bucket: 'assets', key: 'a.zip' };
  const [one, two] = await Promise.all([folders.folderOf(location), folders.folderOf(location)]);
  expect(two).toBe(one);
  expect(fs.readFileSync(path.join(one, 'deep/er/file.txt'), 'utf8')).toBe('2');
  expect(fs.readdirSync(path.join(folder, 'code'))).toHaveLength(1);
});

test.each(['../evil.txt', 'a/../../evil.txt', '/evil.txt', '..'])('an entry named %s is refused', (name) => {
  const target = path.join(folder, 'target');
  expect(() => {
    unpackZip(zipSync({ [name]: strToU8('x') }), target, 's3://assets/evil.zip');
  }).toThrow(`the zip s3://assets/evil.zip has an entry '${name}' outside its folder`);
  expect(fs.existsSync(path.join(folder, 'evil.txt'))).toBe(false);
});

test('a file that is not a zip, or is truncated, is refused', () => {
  const zip = zipSync({ 'index.js': strToU8('x'.repeat(1000)) });
  for (const bytes of [strToU8('not a zip'), zip.subarray(0, zip.length - 30), new Uint8Array()]) {
    expect(() => {
      unpackZip(bytes, path.join(folder, 'broken'), 's3://assets/broken.zip');
    }).toThrow("cannot unpack the function's code s3://assets/broken.zip");
  }
});

test('a zip that unpacks to more than 250 MB is refused in the words of Lambda', () => {
  const zip = Buffer.from(zipSync({ 'index.js': strToU8('x') }));
  // Claim the size in the zip's directory, where entries start with this signature.
  const entry = zip.indexOf(Buffer.from([0x50, 0x4b, 0x01, 0x02]));
  zip.writeUInt32LE(250 * 1024 ** 2 + 1, entry + 24);
  expect(() => {
    unpackZip(zip, path.join(folder, 'large'), 's3://assets/large.zip');
  }).toThrow('Unzipped size must be smaller than 262144000 bytes');
});
