/** Random numbers that depend on nothing but a text, so that the order in which they are drawn does not matter. */

/**
 * A number in [0, 1) for a text: FNV-1a, then the last step of MurmurHash3, because FNV-1a alone mixes its last characters badly.
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
