import * as fs from 'node:fs';
import * as path from 'node:path';
import { readKeySet } from '../../../local/api-gateway/key-set';
import { temporaryFolder } from '../../support/temporary-folder';
import { KEY_SET } from '../../support/tokens';

const folder = temporaryFolder();

function saved(content: string): string {
  const file = path.join(folder, 'keys.json');
  fs.writeFileSync(file, content);
  return file;
}

test('a set of keys is read by key id, without the keys of other kinds', () => {
  const keys = [...KEY_SET.keys, { kty: 'EC', kid: 'two' }, { kty: 'RSA', n: 'AQAB', e: 'AQAB' }];
  expect([...readKeySet(saved(JSON.stringify({ keys }))).keys()]).toEqual(['one']);
});

test.each([
  ['', 'no JSON'],
  ['{}', 'no RSA key with a kid'],
  ['[]', 'no RSA key with a kid'],
  ['{"keys":[{"kty":"EC","kid":"two"}]}', 'no RSA key with a kid'],
  ['{"keys":[{"kty":"RSA","kid":"two"}]}', ''],
  [' '.repeat(150_001), '150001 bytes'],
])('a file with %.40j is refused', (content, reason) => {
  const file = saved(content);
  expect(() => readKeySet(file)).toThrow(
    `the file of keys '${file}' must be a JSON Web Key Set with RSA keys, got ${reason}`,
  );
});

test('a missing file is refused', () => {
  expect(() => readKeySet(path.join(folder, 'none'))).toThrow(
    /must be readable, got no such file or folder: check the path$/,
  );
});
