/** Random choices that depend only on a seed, so that every case can be reproduced. */
import { draw } from '../../local/seeded-random';

export class Random {
  private drawn = 0;

  constructor(private readonly seed: string) {}

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
    return draw(`${this.seed} ${this.drawn++}`);
  }
}
