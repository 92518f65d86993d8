/** Mutations that ignore the format: they flip, cut, repeat and mix bytes. */
import type { Random } from './random';

type ByteMutation = (random: Random, bytes: Uint8Array, other: Uint8Array) => Uint8Array;

export const BYTE_MUTATIONS: Readonly<Record<string, ByteMutation>> = {
  'flip bits': (random, bytes) => changed(random, bytes, (byte) => byte ^ (1 << random.below(8))),
  'set bytes': (random, bytes) =>
    changed(random, bytes, () => random.pick([0, 1, 0x7f, 0x80, 0xff, random.below(256)])),
  truncate: (random, bytes) => bytes.subarray(0, random.below(bytes.length + 1)),
  'delete a chunk': (random, bytes) => {
    const { start, end } = range(random, bytes);
    return Buffer.concat([bytes.subarray(0, start), bytes.subarray(end)]);
  },
  'repeat a chunk': (random, bytes) => {
    const { start, end } = range(random, bytes);
    const chunk = bytes.subarray(start, end);
    const copies = Array.from({ length: random.magnitude(50) }, () => chunk);
    return Buffer.concat([bytes.subarray(0, end), ...copies, bytes.subarray(end)]);
  },
  'swap two chunks': (random, bytes) => {
    const [a, b] = [range(random, bytes), range(random, bytes)].sort((p, q) => p.start - q.start);
    if (a.end > b.start) return bytes;
    const part = (start: number, end?: number): Uint8Array => bytes.subarray(start, end);
    return Buffer.concat([
      part(0, a.start),
      part(b.start, b.end),
      part(a.end, b.start),
      part(a.start, a.end),
      part(b.end),
    ]);
  },
  'insert bytes': (random, bytes) => {
    const at = random.below(bytes.length + 1);
    return Buffer.concat([bytes.subarray(0, at), random.bytes(random.magnitude(64)), bytes.subarray(at)]);
  },
  'long varint': (random, bytes) => {
    const at = random.below(bytes.length + 1);
    const long = new Uint8Array(random.between(5, 12)).fill(0xff);
    return Buffer.concat([bytes.subarray(0, at), long, Uint8Array.of(1), bytes.subarray(at)]);
  },
  'splice two models': (random, bytes, other) =>
    Buffer.concat([
      bytes.subarray(0, random.below(bytes.length + 1)),
      other.subarray(random.below(other.length + 1)),
    ]),
  'append a model': (_, bytes, other) => Buffer.concat([bytes, other]),
};

function changed(random: Random, bytes: Uint8Array, change: (byte: number) => number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  if (copy.length === 0) return copy;
  for (let left = random.magnitude(16); left > 0; left--) {
    const at = random.below(copy.length);
    copy[at] = change(copy[at]);
  }
  return copy;
}

function range(random: Random, bytes: Uint8Array): { start: number; end: number } {
  const start = random.below(bytes.length + 1);
  return { start, end: Math.min(bytes.length, start + random.magnitude(256)) };
}
