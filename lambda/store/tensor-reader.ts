import { tensorNamed, type RawTensor, type TensorHead } from '../tensors/tensor';

/** Tensors whose names, types and shapes are known before their elements are read. Call `read` or `discard`, once. */
export interface TensorReader {
  readonly heads: ReadonlyMap<string, TensorHead>;
  /** ETag of the request's object: of this object, or of the one from which the tensors were computed. */
  readonly requestEtag?: string;
  /** Returns the named tensors; each name must be in `heads`. */
  read(names: readonly string[]): Promise<Map<string, RawTensor>>;
  /** Closes the open connection, if there is one. */
  discard(): Promise<void>;
}

export function inMemory(tensors: ReadonlyMap<string, RawTensor>): TensorReader {
  return {
    heads: tensors,
    read: (names) => Promise.resolve(new Map(names.map((name) => [name, tensorNamed(tensors, name)]))),
    discard: () => Promise.resolve(),
  };
}
