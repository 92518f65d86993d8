/** Mutations that ignore the format: they flip, cut, repeat and mix bytes. */
import type { Random } from './random';

type ByteMutation = (random: Random, bytes: Uint8Array, other: Uint8Array) => Uint8Array;

export const BYTE_MUTATIONS: Readonly<Record<string, ByteMutation>> = {
  'flip bits': (random, bytes) => changed(random, bytes, (byte) => byte ^ (1 << random.below(8))),
  'set bytes': (random, bytes) =>
    changed(random, bytes, () => random.pick([0, 1, 0x7f, 0x80, 0xff, random.below(256)])),
  truncate: (random, bytes) => cut(random, bytes)[0],
  'delete a chunk': (random, bytes) => {
    const [before, , after] = chunks(random, bytes);
    return Buffer.concat([before, after]);
  },
  'repeat a chunk': (random, bytes) => {
    const [before, chunk, after] = chunks(random, bytes);
    const copies = Array.from({ length: random.magnitude(50) }, () => chunk);
    return Buffer.concat([before, chunk, ...copies, after]);
  },
  'insert bytes': (random, bytes) => {
    const [start, end] = cut(random, bytes);
    return Buffer.concat([start, random.bytes(random.magnitude(64)), end]);
  },
  'splice two files': (random, bytes, other) => Buffer.concat([cut(random, bytes)[0], cut(random, other)[1]]),
  'append a file': (_, bytes, other) => Buffer.concat([bytes, other]),
};

function changed(random: Random, bytes: Uint8Array, change: (byte: number) => number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  for (let left = copy.length === 0 ? 0 : random.magnitude(16); left > 0; left--) {
    const at = random.below(copy.length);
    copy[at] = change(copy[at]);
  }
  return copy;
}

function cut(random: Random, bytes: Uint8Array): [start: Uint8Array, end: Uint8Array] {
  const at = random.below(bytes.length + 1);
  return [bytes.subarray(0, at), bytes.subarray(at)];
}

function chunks(
  random: Random,
  bytes: Uint8Array,
): [before: Uint8Array, chunk: Uint8Array, after: Uint8Array] {
  const [before, rest] = cut(random, bytes);
  const length = random.magnitude(256);
  return [before, rest.subarray(0, length), rest.subarray(length)];
}
