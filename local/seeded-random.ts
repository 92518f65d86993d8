/** Random numbers that a text or a seed repeats. */

/**
 * A number in [0, 1) that depends on nothing but a text, so that the order in which numbers are drawn does not matter: FNV-1a, then the last
 * step of MurmurHash3, because FNV-1a alone mixes its last characters badly.
 * http://www.isthe.com/chongo/tech/comp/fnv/ https://github.com/aappleby/smhasher
 */
export function draw(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) {
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}

/** Mulberry32, a small generator of uniform numbers from 0 to 1 with a period of 2^32. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let bits = Math.imul(state ^ (state >>> 15), state | 1);
    bits = (bits + Math.imul(bits ^ (bits >>> 7), bits | 61)) ^ bits;
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  };
}
