import { ByteCursor } from '../../../lambda/store/byte-cursor';

async function* chunksOf(...sizes: number[]): AsyncGenerator<Uint8Array, void> {
  let next = 0;
  for (const size of sizes) yield await Promise.resolve(Uint8Array.from({ length: size }, () => next++));
}

async function* failing(): AsyncGenerator<Uint8Array, void> {
  yield await Promise.resolve(Uint8Array.of(0, 1));
  throw new Error('connection lost');
}

describe('a cursor', () => {
  it('fills and skips across chunks, and frees each chunk after use', async () => {
    const chunks: Uint8Array[] = [];
    const cursor = new ByteCursor(
      (async function* () {
        for await (const chunk of chunksOf(3, 3, 3)) {
          chunks.push(chunk);
          yield chunk;
        }
      })(),
    );
    const target = new Uint8Array(4);
    await cursor.skip(1);
    await cursor.fill(target);
    expect([...target]).toEqual([1, 2, 3, 4]);
    expect(chunks.map(({ byteLength }) => byteLength)).toEqual([0, 3]);
    await cursor.skip(4);
    await cursor.finish();
    await cursor.close();
    expect(cursor.at).toBe(9);
    expect(chunks.map(({ byteLength }) => byteLength)).toEqual([0, 0, 0]);
  });

  it('rejects with the error of its stream, and can then be closed twice', async () => {
    const cursor = new ByteCursor(failing());
    await expect(cursor.fill(new Uint8Array(3))).rejects.toThrow('connection lost');
    await cursor.close();
    await cursor.close();
  });

  it('reports the position at which a stream is too short or too long', async () => {
    await expect(new ByteCursor(chunksOf(2)).fill(new Uint8Array(3))).rejects.toThrow(
      'the stream ended at byte 2',
    );
    await expect(new ByteCursor(chunksOf(1)).finish()).rejects.toThrow(
      'the stream must end at byte 0, got more bytes',
    );
  });
});
