import * as path from 'node:path';
import { Readable } from 'node:stream';
import * as fc from 'fast-check';
import { compareKeys, DiskObjectStore } from '../../../local/s3/store';
import { temporaryFolder } from '../../support/temporary-folder';

describe('keys', () => {
  it('are in the order of their bytes', () => {
    const key = fc.string({ unit: fc.constantFrom('a', 'b', 'é', '\ud7ff', '\ue000', '\uffff', '😀', '🚀') });
    fc.assert(
      fc.property(key, key, (a, b) => {
        const expected = Buffer.compare(Buffer.from(a), Buffer.from(b));
        expect(Math.sign(compareKeys(a, b))).toBe(expected);
      }),
    );
  });
});

describe('the list of a bucket', () => {
  const store = new DiskObjectStore(path.join(temporaryFolder(), 's3'));
  const put = (key: string, bytes = 'x') => store.put('b', key, Readable.from([Buffer.from(bytes)]));
  const listed = (prefix = '') => store.list('b', prefix).map(({ key, size }) => `${key} ${size}`);
  beforeAll(() => {
    store.createBucket('b');
  });

  it('follows writes, overwrites and deletions', async () => {
    await put('b');
    await put('a');
    expect(listed()).toEqual(['a 1', 'b 1']);
    await put('a/c');
    await put('b', 'longer');
    expect(listed()).toEqual(['a 1', 'a/c 1', 'b 6']);
    expect(listed('a')).toEqual(['a 1', 'a/c 1']);
    await store.delete('b', 'a');
    expect(listed()).toEqual(['a/c 1', 'b 6']);
  });

  it('is sorted once for all its pages', async () => {
    for (const key of ['z', 'y', 'x']) await put(key);
    const sort = jest.spyOn(Array.prototype, 'sort');
    try {
      for (let page = 0; page < 5; page++) listed();
      expect(sort.mock.contexts).toHaveLength(1);
    } finally {
      sort.mockRestore();
    }
  });
});
