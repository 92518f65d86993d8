/** Tensors in answers and events: the same content as in S3, and anything that someone else may send. */
import * as fc from 'fast-check';
import { MAX_EVENT_TENSORS } from '../../../contract/slice-event';
import { openStateTensors, encodeStateTensors } from '../../../lambda/tensor-flow/state-tensors';
import { encodeSafetensors, layoutSafetensors } from '../../../lambda/tensors/safetensors';
import type { RawTensor } from '../../../lambda/tensors/tensor';
import { comparable, namedTensors } from '../../support/arbitrary-tensors';
import { tensor } from '../../support/slice-handler';

const one: ReadonlyMap<string, RawTensor> = new Map([['a', tensor([1, 2, 3])]]);

function encoded(tensors: ReadonlyMap<string, RawTensor>, metadata = {}): string {
  const text = encodeStateTensors(tensors, metadata, MAX_EVENT_TENSORS);
  if (text === undefined) throw new Error('the tensors are too large');
  return text;
}

describe('tensors in the state', () => {
  it('arrive as they were sent, of every type and shape', async () => {
    await fc.assert(
      fc.asyncProperty(namedTensors, async (tensors) => {
        const reader = openStateTensors(0, encoded(tensors));
        const arrived = await reader.read([...tensors.keys()]);
        expect(comparable(arrived)).toEqual(comparable(tensors));
      }),
    );
  });

  it('are the file that would be in S3', () => {
    const file = Buffer.concat(layoutSafetensors(one, { request_etag: 'e' }).parts);
    expect(encoded(one, { request_etag: 'e' })).toBe(file.toString('base64'));
  });

  it('keep the ETag of the request', () => {
    expect(openStateTensors(0, encoded(one, { request_etag: '"abc"' })).requestEtag).toBe('"abc"');
    expect(openStateTensors(0, encoded(one)).requestEtag).toBeUndefined();
  });

  it('have at most as many characters as the event allows', () => {
    const { length } = encoded(one);
    expect(encodeStateTensors(one, {}, length)).toHaveLength(length);
    expect(encodeStateTensors(one, {}, length - 1)).toBeUndefined();
    expect(encodeStateTensors(one, {}, 0)).toBeUndefined();
  });

  it('do not share memory with other buffers', async () => {
    const { a } = Object.fromEntries(await openStateTensors(0, encoded(one)).read(['a']));
    if (a.dtype === 'string') throw new Error('a is a string tensor');
    expect(a.bytes.buffer.byteLength).toBeLessThan(1000);
    expect(a.bytes.byteOffset % 4).toBe(0);
  });

  it.each<[string, unknown, string]>([
    ['no text', 7, 'expected base64 of at most 98304 characters, got a number'],
    ['nothing', null, 'expected base64 of at most 98304 characters, got null'],
    ['a list', ['AAAA'], 'expected base64 of at most 98304 characters, got a list of length 1'],
    [
      'more text',
      'A'.repeat(98_308),
      'expected base64 of at most 98304 characters, got a string of length 98308',
    ],
    ['other characters', 'AA%=', 'expected padded base64, got a string of length 4'],
    ['no padding', 'AAAAA', 'expected padded base64, got "AAAAA"'],
    ['no file', 'AAAA', 'a safetensors file has at least 8 bytes, got 3'],
    ['an empty text', '', 'a safetensors file has at least 8 bytes, got 0'],
    [
      'a header that claims more bytes than there are',
      Buffer.from([255, 255, 255, 0, 0, 0, 0, 0, 1]).toString('base64'),
      'the header claims 16777215 bytes of a file of 9',
    ],
    [
      'no checksum of the header',
      Buffer.from(`\u0002${'\0'.repeat(7)}{}`).toString('base64'),
      'the header has no checksum, which slice functions always write',
    ],
  ])('are refused as CorruptTensor if they are %s', (_, text, reason) => {
    expect(() => openStateTensors(3, text)).toThrow(
      expect.objectContaining({
        name: 'CorruptTensor',
        message: expect.stringContaining(
          `the tensors of slice 3 in the event are damaged: ${reason}`,
        ) as string,
      }) as Error,
    );
  });

  it('are refused after any flipped bit', () => {
    const file = encodeSafetensors(one);
    fc.assert(
      fc.property(fc.nat({ max: file.byteLength * 8 - 1 }), (bit) => {
        const damaged = Buffer.from(file);
        damaged[bit >> 3] ^= 1 << (bit & 7);
        expect(() => openStateTensors(0, damaged.toString('base64'))).toThrow('are damaged');
      }),
      { numRuns: 500 },
    );
  });
});
