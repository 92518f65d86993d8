import fc from 'fast-check';
import { decodeAwsChunked, type Trailers } from '../../../local/s3/aws-chunked';

async function decode(pieces: readonly (string | Buffer)[]): Promise<{ data: Buffer; trailers: Trailers }> {
  const trailers: Trailers = new Map();
  const parts: Buffer[] = [];
  for await (const part of decodeAwsChunked(stream(pieces), trailers)) parts.push(part);
  return { data: Buffer.concat(parts), trailers };
}

async function* stream(pieces: readonly (string | Buffer)[]): AsyncGenerator<Buffer> {
  for (const piece of pieces) yield await Promise.resolve(Buffer.from(piece as Buffer));
}

test('any bytes in any chunks survive any fragmentation', async () => {
  const chunks = fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(chunks, fc.integer({ min: 1, max: 7 }), async (parts, step) => {
      const frames = parts.map((part) =>
        Buffer.concat([Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from('\r\n')]),
      );
      const wire = Buffer.concat([...frames, Buffer.from('0\r\na:b\r\n\r\n')]);
      const pieces: Buffer[] = [];
      for (let at = 0; at < wire.length; at += step) pieces.push(wire.subarray(at, at + step));
      const { data, trailers } = await decode(pieces);
      expect(data).toEqual(Buffer.concat(parts));
      expect(trailers.get('a')).toBe('b');
    }),
  );
});

test.each([
  ['an end inside a chunk', '5\r\nabc'],
  ['no end of the trailers', '0\r\nx:y\r\n'],
  ['a signed chunk', '3;chunk-signature=00ff\r\nabc\r\n0\r\n\r\n'],
  ['a chunk longer than its size', '2\r\nabc\r\n0\r\n\r\n'],
  ['a line without an end', 'a'.repeat(10_000)],
])('%s is refused', async (_, wire) => {
  await expect(decode([wire])).rejects.toMatchObject({ code: 'IncompleteBody' });
});

test('a trailer without a name is refused', async () => {
  await expect(decode(['0\r\n:y\r\n\r\n'])).rejects.toMatchObject({ code: 'MalformedTrailerError' });
});
