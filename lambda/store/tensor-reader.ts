import type { RawTensor, TensorHead } from '../tensors/tensor';

/** Named tensors that are known before they are fetched. Either `read` or `discard` is called, once. */
export interface TensorReader {
  readonly heads: ReadonlyMap<string, TensorHead>;
  /** The named tensors; each name must be in `heads`. */
  read(names: readonly string[]): Promise<Map<string, RawTensor>>;
  /** Lets go of what was opened. */
  discard(): Promise<void>;
}

export function inMemory(tensors: ReadonlyMap<string, RawTensor>): TensorReader {
  return {
    heads: tensors,
    read: (names) => Promise.resolve(new Map(names.map((name) => [name, named(tensors, name)]))),
    discard: () => Promise.resolve(),
  };
}

function named(tensors: ReadonlyMap<string, RawTensor>, name: string): RawTensor {
  const tensor = tensors.get(name);
  if (tensor === undefined) throw new Error(`there is no tensor '${name}'`);
  return tensor;
}
