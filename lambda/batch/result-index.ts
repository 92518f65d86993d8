/** Finds results by the digests of their items: a hash table that is kept in an object, so that each child need not read all results. */

/** In numbers of 32 bits: the four of a digest, the number of the object from 1 on, and the entry in it. */
const SLOT = 6;
const DIGEST_WORDS = 4;
const [OBJECT, ENTRY] = [4, 5];

/** Where a result is. */
export interface FoundResult {
  /** Of its object, below the prefix of results. */
  readonly name: string;
  readonly entry: number;
}

export class ResultIndex {
  private constructor(
    private readonly names: readonly string[],
    private readonly slots: Uint32Array,
  ) {}

  /** @param items the number of entries of all objects, at most */
  static empty(names: readonly string[], items: number): ResultIndex {
    return new ResultIndex(names, new Uint32Array(SLOT * 2 ** Math.ceil(Math.log2(1.5 * items + 1))));
  }

  /** @param bytes at a multiple of four in their buffer: the slots are a view of them */
  static decode({ buffer, byteOffset, byteLength }: Uint8Array): ResultIndex {
    const [namesBytes] = new Uint32Array(buffer, byteOffset, 1);
    const text = Buffer.from(buffer, byteOffset + 4, namesBytes).toString('utf8');
    const slots = new Uint32Array(buffer, byteOffset + 4 + namesBytes, (byteLength - 4 - namesBytes) / 4);
    return new ResultIndex(text.trimEnd().split('\n'), slots);
  }

  encode(): Uint8Array[] {
    const text = Buffer.from(this.names.join('\n'));
    const padded = Buffer.alloc(Math.ceil((text.byteLength + 1) / 4) * 4, '\n');
    text.copy(padded);
    const { buffer, byteOffset, byteLength } = this.slots;
    return [
      new Uint8Array(Uint32Array.of(padded.byteLength).buffer),
      padded,
      new Uint8Array(buffer, byteOffset, byteLength),
    ];
  }

  /** Keeps what was added before for the same item. @param object the number of its name */
  add(digest: string, object: number, entry: number): void {
    const words = wordsOf(digest);
    const at = this.placeOf(words);
    if (this.slots[at + OBJECT] !== 0) return;
    this.slots.set([...words, object + 1, entry], at);
  }

  find(digest: string): FoundResult | undefined {
    const at = this.placeOf(wordsOf(digest));
    const object = this.slots[at + OBJECT];
    return object === 0 ? undefined : { name: this.names[object - 1], entry: this.slots[at + ENTRY] };
  }

  /** The slot of the digest, or the empty one where it would be. At least a third of the slots are empty. */
  private placeOf(words: readonly number[]): number {
    const { slots } = this;
    const mask = slots.length / SLOT - 1;
    for (let slot = words[0] & mask; ; slot = (slot + 1) & mask) {
      const at = slot * SLOT;
      if (slots[at + OBJECT] === 0 || words.every((word, place) => slots[at + place] === word)) return at;
    }
  }
}

function wordsOf(digest: string): number[] {
  return Array.from({ length: DIGEST_WORDS }, (_, word) =>
    parseInt(digest.slice(8 * word, 8 * word + 8), 16),
  );
}
