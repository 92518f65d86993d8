/** Tensors in answers and events: the same content as in S3, and anything that someone else may send. */
import * as fc from 'fast-check';
import { MAX_EVENT_TENSORS } from '../../../contract/slice-event';
import { openStateTensors, encodeStateTensors } from '../../../lambda/tensor-flow/state-tensors';
import { encodeSafetensors, layoutSafetensors } from '../../../lambda/tensors/safetensors';
import type { NumericTensor, RawTensor } from '../../../lambda/tensors/tensor';
import { comparable, namedTensors } from '../../support/arbitrary-tensors';
import { tensor } from '../../support/slice-handler';

const one: ReadonlyMap<string, RawTensor> = new Map([['a', tensor([1, 2, 3])]]);

const encoded = (tensors: ReadonlyMap<string, RawTensor>, metadata = {}) =>
  encodeStateTensors(tensors, metadata, MAX_EVENT_TENSORS) ?? 'too large';

describe('tensors in the state', () => {
  it('arrive as they were sent, of every type and shape', async () => {
    await fc.assert(
      fc.asyncProperty(namedTensors, async (tensors) => {
        const arrived = await openStateTensors(0, encoded(tensors)).read([...tensors.keys()]);
        expect(comparable(arrived)).toEqual(comparable(tensors));
      }),
    );
  });

  it('are the file that would be in S3, with the ETag of the request', () => {
    const file = Buffer.concat(layoutSafetensors(one, { request_etag: '"e"' }).parts).toString('base64');
    expect(encoded(one, { request_etag: '"e"' })).toBe(file);
    expect(openStateTensors(0, file).requestEtag).toBe('"e"');
    expect(openStateTensors(0, encoded(one)).requestEtag).toBeUndefined();
  });

  it('have at most as many characters as the event allows', () => {
    const { length } = encoded(one);
    expect(encodeStateTensors(one, {}, length)).toHaveLength(length);
    expect(encodeStateTensors(one, {}, length - 1)).toBeUndefined();
    expect(encodeStateTensors(one, {}, 0)).toBeUndefined();
  });

  it('do not share memory with other buffers', async () => {
    const read = await openStateTensors(0, encoded(one)).read(['a']);
    const { bytes } = read.get('a') as NumericTensor;
    expect(bytes.buffer.byteLength).toBeLessThan(1000);
    expect(bytes.byteOffset % 4).toBe(0);
  });

  const base64 = (bytes: readonly number[]) => Buffer.from(bytes).toString('base64');

  it.each<[unknown, string]>([
    [7, 'expected base64 of at most 98304 characters, got a number'],
    [['AAAA'], 'expected base64 of at most 98304 characters, got a list of length 1'],
    ['A'.repeat(98_308), 'expected base64 of at most 98304 characters, got a string of length 98308'],
    ['AA%=', 'expected padded base64, got a string of length 4'],
    ['AAAA', 'a safetensors file has at least 8 bytes, got 3'],
    [base64([255, 255, 255, 0, 0, 0, 0, 0, 1]), 'the header claims 16777215 bytes of a file of 9'],
    [base64([2, 0, 0, 0, 0, 0, 0, 0, 123, 125]), 'the header has no checksum, which slice functions'],
  ])('are refused as CorruptTensor if they are %j', (text, reason) => {
    const message = expect.stringContaining(
      `the tensors of slice 3 in the event are damaged: ${reason}`,
    ) as string;
    expect(() => openStateTensors(3, text)).toThrow(
      expect.objectContaining({ name: 'CorruptTensor', message }) as Error,
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
