/** The manifest that the compiler writes into a slice's model file for the slice function. */
import type { TensorSpec } from './tensors';
import type { CONTRACT_VERSION } from './version';

/** Where a slice reads a tensor: from the caller's request or from the object of an earlier slice. */
export type TensorSource = { readonly from: 'request' } | { readonly from: 'slice'; readonly slice: number };

export interface SourcedTensor extends TensorSpec {
  readonly source: TensorSource;
}

/**
 * Describes a slice to its function. The compiler stores it as JSON in the metadata property `MANIFEST_KEY` of
 * `slice-NN.onnx`, so the digest of that file covers it. It may exceed the 4 KB of environment variables and the 256 KiB of a state.
 */
export interface SliceManifest {
  readonly version: typeof CONTRACT_VERSION;
  /** This slice's index, from 0. */
  readonly slice: number;
  /** Number of slices in the plan. */
  readonly slices: number;
  /** The inputs that the whole model requires from a request. */
  readonly request: readonly TensorSpec[];
  /** Inputs of the whole model that have a default and that a request cannot override. */
  readonly fixed: readonly string[];
  /** The inputs of this slice's session. */
  readonly inputs: readonly SourcedTensor[];
  /** The outputs of this slice's session, which are also the tensors of its object. */
  readonly outputs: readonly TensorSpec[];
  /**
   * First slice only: bytes of the elements of all results, by the shapes that every run has. Absent if a size is not proven, or
   * if a result has strings.
   */
  readonly resultBytes?: number;
  /** Last slice only: the whole model's outputs in its order, and the slice that computes each of them. */
  readonly result?: readonly SourcedTensor[];
}

/** Key of the metadata property in `slice-NN.onnx` that holds the `SliceManifest`. */
export const MANIFEST_KEY = 'sliced_inference.slice';
