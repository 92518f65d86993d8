/** Random choices that depend only on a seed, so that every case can be reproduced. */
import { createHash } from 'node:crypto';

export class Random {
  private readonly state: Uint32Array;

  constructor(seed: string) {
    const digest = createHash('sha256').update(seed).digest();
    this.state = Uint32Array.from({ length: 4 }, (_, index) => digest.readUInt32LE(4 * index));
  }

  /** Returns a whole number from 0 to `limit - 1`. */
  below(limit: number): number {
    return Math.floor(this.share() * limit);
  }

  between(least: number, most: number): number {
    return least + this.below(most - least + 1);
  }

  /** Returns a whole number from 1 to `most`; its logarithm is uniformly distributed. */
  magnitude(most: number): number {
    return Math.max(1, Math.round(most ** this.share()));
  }

  chance(probability: number): boolean {
    return this.share() < probability;
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)];
  }

  /** Picks up to `most` entries of a table, applies each, and returns their names. */
  applySome<T>(table: Readonly<Record<string, T>>, most: number, apply: (entry: T) => void): string[] {
    return Array.from({ length: this.magnitude(most) }, () => {
      const name = this.pick(Object.keys(table));
      apply(table[name]);
      return name;
    });
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.below(256));
  }

  /** From 0 to below 1, by sfc32 of PractRand (https://pracrand.sourceforge.net), which is in the public domain. */
  private share(): number {
    const [a, b, c, counter] = this.state;
    const result = (a + b + counter) >>> 0;
    this.state[0] = b ^ (b >>> 9);
    this.state[1] = c + (c << 3);
    this.state[2] = ((c << 21) | (c >>> 11)) + result;
    this.state[3] = counter + 1;
    return result / 2 ** 32;
  }
}
