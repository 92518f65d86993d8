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

const large = Buffer.from(zipSync({ 'index.js': strToU8('x'.repeat(1000)) }));
// Claim the size in the zip's directory, where entries start with this signature.
large.writeUInt32LE(250 * 1024 ** 2 + 1, large.indexOf(Buffer.from([0x50, 0x4b, 0x01, 0x02])) + 24);

test.each([
  ...['../evil.txt', 'a/../../evil.txt', '/evil.txt', '..'].map((name): [string, Uint8Array, string] => [
    `an entry ${name}`,
    zipSync({ [name]: strToU8('x') }),
    `the zip s3://assets/a.zip has an entry '${name}' outside its folder`,
  ]),
  ['another format', strToU8('not a zip'), "cannot unpack the function's code s3://assets/a.zip"],
  ['more than 250 MB', large, 'Unzipped size must be smaller than 262144000 bytes'],
])('a zip with %s is refused', (_, zip, message) => {
  expect(() => {
    unpackZip(zip, path.join(folder, 'target'), 's3://assets/a.zip');
  }).toThrow(message);
  expect(fs.existsSync(path.join(folder, 'evil.txt'))).toBe(false);
});
