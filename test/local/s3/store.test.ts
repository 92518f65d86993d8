import * as fc from 'fast-check';
import { compareKeys } from '../../../local/s3/store';

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
