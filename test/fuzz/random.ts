/** Random choices that depend only on a seed, so that every case can be reproduced. */
import { createHash } from 'node:crypto';

/** The multiplier and the modulus of MINSTD: Park, Miller and Stockmeyer, Communications of the ACM 36 (7), 1993. */
const [MULTIPLIER, MODULUS] = [48_271, 2 ** 31 - 1];

export class Random {
  private state: number;

  constructor(seed: string) {
    this.state = 1 + (createHash('sha256').update(seed).digest().readUInt32LE() % (MODULUS - 1));
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

  /** From 0 to below 1. */
  private share(): number {
    this.state = (this.state * MULTIPLIER) % MODULUS;
    return this.state / MODULUS;
  }
}
