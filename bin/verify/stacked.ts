/** Stacks requests along their first axis, splits what the model returns, and counts the items whose bits differ from those of a run alone. */
import type { RawTensor } from '../../lambda/tensors/tensor';
import { compareTensor } from './difference';

type Tensors = ReadonlyMap<string, RawTensor>;

/** @param requests with the same names, dtypes and shapes; one or more */
export function stacked(requests: readonly Tensors[]): Tensors {
  const [first] = requests;
  return new Map(
    [...first.keys()].map((name) => [
      name,
      concatenated(requests.flatMap((request) => request.get(name) ?? [])),
    ]),
  );
}

function concatenated(tensors: readonly RawTensor[]): RawTensor {
  const [{ dtype, shape }] = tensors;
  const all = [tensors.reduce((sum, own) => sum + own.shape[0], 0), ...shape.slice(1)];
  if (dtype === 'string') {
    return { dtype, shape: all, strings: tensors.flatMap((own) => ('strings' in own ? own.strings : [])) };
  }
  const bytes = Buffer.concat(tensors.flatMap((own) => ('bytes' in own ? [own.bytes] : [])));
  return { dtype, shape: all, bytes: new Uint8Array(bytes) };
}

/** The part of a stacked tensor that belongs to an item; `undefined` if its first axis does not divide by the items. */
export function partOf(tensor: RawTensor, item: number, items: number): RawTensor | undefined {
  const [rows, ...rest] = tensor.shape;
  // A scalar has no first axis.
  if (tensor.shape.length === 0 || rows % items !== 0) return undefined;
  const shape = [rows / items, ...rest];
  const from = (length: number): number => (length / items) * item;
  if (tensor.dtype === 'string') {
    const { dtype, strings } = tensor;
    return {
      dtype,
      shape,
      strings: strings.slice(from(strings.length), from(strings.length) + strings.length / items),
    };
  }
  const { dtype, bytes } = tensor;
  return { dtype, shape, bytes: bytes.slice(from(bytes.length), from(bytes.length) + bytes.length / items) };
}

export interface StackedOutput {
  readonly name: string;
  readonly dtype: string;
  /** Of one item. */
  readonly shape: readonly number[];
  /** Items of which a bit of this output differs. */
  readonly different: number;
  /** The largest absolute difference; `null` if a dtype or a shape differs, or if it is not finite. */
  readonly maxAbsDiff: number | null;
}

export interface StackSize {
  /** Items of a stack. */
  readonly items: number;
  /** Items that were compared in stacks of this size, and those of which a bit of any output differs. */
  readonly compared: number;
  readonly different: number;
}

/** Adds up comparisons of stacks. */
export class StackedComparison {
  private readonly outputs = new Map<string, StackedOutput>();
  private readonly sizes = new Map<number, StackSize>();

  /** @param alone by item: what the model returns for it alone */
  add(alone: readonly Tensors[], together: Tensors): void {
    const items = alone.length;
    const different = alone.filter((expected, item) => {
      const differences = [...expected].map(([name, tensor]) => {
        const whole = together.get(name);
        return this.addOutput(name, tensor, whole && partOf(whole, item, items));
      });
      return differences.includes(true);
    });
    const before = this.sizes.get(items) ?? { compared: 0, different: 0 };
    this.sizes.set(items, {
      items,
      compared: before.compared + items,
      different: before.different + different.length,
    });
  }

  private addOutput(name: string, expected: RawTensor, got: RawTensor | undefined): boolean {
    const { identical, maxAbsDiff, dtype, shape } = compareTensor(name, expected, got);
    const before = this.outputs.get(name) ?? { name, dtype, shape, different: 0, maxAbsDiff: 0 };
    this.outputs.set(name, {
      ...before,
      different: before.different + (identical ? 0 : 1),
      maxAbsDiff:
        maxAbsDiff === null || before.maxAbsDiff === null ? null : Math.max(before.maxAbsDiff, maxAbsDiff),
    });
    return !identical;
  }

  result(): { readonly outputs: readonly StackedOutput[]; readonly sizes: readonly StackSize[] } {
    return {
      outputs: [...this.outputs.values()],
      sizes: [...this.sizes.values()].sort((a, b) => a.items - b.items),
    };
  }
}
