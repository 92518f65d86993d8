/** Random numbers that a seed repeats. */
import { type SpecialValues, addSpecialValues } from '../../local/special-values';
import { onnxDataType, packedBytes } from '../../lib/onnx/data-type';

/** Which floats the tensors of a case have. */
export interface Values {
  readonly isWide: boolean;
  readonly special: SpecialValues;
  /** One of so many floats is special, on average. */
  readonly every: number;
}

export class Random {
  private state: number;

  constructor(seed: number) {
    // Xorshift has no state of 0, and small seeds would begin alike.
    this.state = Math.imul(seed + 1, 0x9e3779b1) | 1;
    for (let round = 0; round < 8; round++) this.next();
  }

  /** A signed integer of 32 bits. */
  next(): number {
    this.state ^= this.state << 13;
    this.state ^= this.state >>> 17;
    this.state ^= this.state << 5;
    return this.state;
  }

  /** From `least` to `most`, both included. */
  int(least: number, most: number): number {
    return least + ((this.next() >>> 0) % (Math.max(Math.floor(most), least) - least + 1));
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.int(0, choices.length - 1)];
  }

  /** Floats from -1 to 1, or of either sign from 2^-12 to 2^12. */
  floats(length: number, isWide: boolean): Float32Array {
    return new Float32Array(length).map(() => {
      const value = this.next() / 2 ** 31;
      return isWide ? value * 2 ** ((this.next() % 25) >> 1) : value;
    });
  }

  /** The bytes of a tensor. Integers have their whole range, floats of 64 bits any bits. @param values without them, ordinary ones */
  bytes(dtype: string, length: number, { isWide = false, special, every }: Partial<Values> = {}): Uint8Array {
    const bytes =
      dtype === 'float32'
        ? new Uint8Array(this.floats(length, isWide).buffer)
        : new Uint8Array(packedBytes(onnxDataType(dtype), length) ?? 0).map(() => this.next());
    if (special !== undefined && every !== undefined)
      addSpecialValues(dtype, bytes, special, every, () => (this.next() >>> 0) / 2 ** 32);
    return bytes;
  }
}
