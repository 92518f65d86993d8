/** Keys of a batch's results: one for each item and content, which S3 takes with its extension. */
import * as fc from 'fast-check';
import type { BatchSettings } from '../../../contract/batch-function';
import { resultName } from '../../../lambda/batch/result-key';

const SETTINGS: BatchSettings = {
  ...{ bucket: 'bucket', deploymentDigest: 'd'.repeat(64), resultsPrefix: 'outputs/b/' },
  items: { kind: 'objects', bucket: 'bucket', location: 'inputs/', folder: 'inputs/' },
  ...{ hasPreprocess: false, hasPostprocess: false, toleratedFailurePercentage: 100 },
};
const FOLDER = `outputs/b/${'d'.repeat(12)}/`;
const keyOf = (item: string, content = 'e') => `${resultName(SETTINGS, item, content)}.safetensors`;

it('a key has the name of the item, and 128 bits of what its request contains', () => {
  expect(keyOf('inputs/a/b.safetensors')).toMatch(
    new RegExp(`^${FOLDER}a/b\\.safetensors\\.[0-9a-f]{32}\\.safetensors$`),
  );
  expect(keyOf('a', 'e')).not.toBe(keyOf('a', 'f'));
});

it('other code of the handlers has keys of its own', () => {
  const names = [undefined, 'a', 'b'].map((own) =>
    resultName({ ...SETTINGS, ...(own !== undefined && { handlerDigest: own }) }, 'item', 'e'),
  );
  expect(new Set(names).size).toBe(3);
});

it('the longest names fit with their extension, and longer ones become digests', () => {
  const most = 1024 - keyOf('').length;
  expect(Buffer.byteLength(keyOf('n'.repeat(most)))).toBe(1024);
  expect(keyOf('n'.repeat(most))).toContain('nnn');
  for (let bytes = most - 12; bytes <= most + 12; bytes++) {
    expect(Buffer.byteLength(keyOf('n'.repeat(bytes)))).toBeLessThanOrEqual(1024);
    expect(keyOf('n'.repeat(bytes))).not.toBe(keyOf(`${'n'.repeat(bytes - 1)}m`));
  }
});

it('no name leaves the folder, and two names have two keys', () => {
  const part = fc.oneof(fc.constantFrom('..', '.', '', 'inputs'), fc.string({ unit: 'binary' }));
  const item = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'));
  fc.assert(
    fc.property(item, item, (a, b) => {
      const key = keyOf(a);
      expect(key.startsWith(FOLDER)).toBe(true);
      expect(key.split('/').some((segment) => segment === '..' || segment === '.')).toBe(false);
      expect(Buffer.byteLength(key)).toBeLessThanOrEqual(1024);
      const isSame = a === b || a === `inputs/${b}` || b === `inputs/${a}`;
      expect(keyOf(b) === key).toBe(isSame);
    }),
    { numRuns: 300, seed: 7 },
  );
});
