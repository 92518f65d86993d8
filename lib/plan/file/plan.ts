/** The types of `plan.json`, a public, versioned file; `docs/plan.md` describes its fields. */
import type { SourcedTensor } from '../../../contract/slice-manifest';
import type { TensorSpec } from '../../../contract/tensors';
import type { OptimizationLevel } from '../../optimize/level';
import type { NodeRun } from './node-runs';

export const PLAN_VERSION = 1;

/** Sizes are in bytes unless the name says MB (2^20 bytes); digests are hexadecimal SHA-256. */
export interface SlicePlan {
  readonly version: typeof PLAN_VERSION;
  /** Version of the library that made the plan. */
  readonly library: string;
  /** Version of ONNX Runtime for which the slices were made. */
  readonly onnxRuntime: string;
  /** How far ONNX Runtime had optimized the whole model before it was cut. */
  readonly graphOptimization: OptimizationLevel;
  /** Identifies the slices, weights included. The `deploymentDigest`, which tasks carry, covers it. */
  readonly planDigest: string;
  readonly model: PlannedModel;
  /** The size for which the estimates are made, of each symbolic dimension of the inputs. */
  readonly dimensions: Readonly<Record<string, number>>;
  /** The names of the dimensions whose sizes were assumed instead of given, sorted. */
  readonly assumedDimensions: readonly string[];
  /**
   * Values whose sizes depend on data, so that their sizes are estimated from those of the inputs of their nodes: the first ones in the graph. Values that are
   * computed from them may depend on data too.
   */
  readonly boundedTensors: readonly string[];
  /** Threads of ONNX Runtime in every slice. */
  readonly threads: number;
  /** Inputs that a request must provide. */
  readonly inputs: readonly TensorSpec[];
  /** Inputs with a default, which a request cannot override. */
  readonly fixedInputs: readonly string[];
  readonly outputs: readonly SourcedTensor[];
  readonly slices: readonly PlannedSlice[];
}

interface PlannedModel {
  /** File name without folder. */
  readonly file: string;
  /** Number of nodes of the graph that was cut. */
  readonly nodes: number;
  /** See `graphDigest`. The plan fits every model whose graph has this digest. */
  readonly graphDigest: string;
}

export interface PlannedSlice {
  /** Indexes of the nodes that only this slice runs. */
  readonly nodes: readonly NodeRun[];
  /** The graph: `slice-NN.onnx`. */
  readonly model: PlannedFile;
  /** The weights: `slice-NN.weights`; absent if all weights are small enough for the graph file. */
  readonly weights?: PlannedFile;
  readonly inputs: readonly SourcedTensor[];
  readonly outputs: readonly TensorSpec[];
  /** The bytes from here on are estimates for `dimensions`. */
  readonly weightBytes: number;
  readonly activationBytes: number;
  readonly readBytes: number;
  readonly writeBytes: number;
  /** The peak of the function's resident memory in its first call. Reports of calls have the measured one. */
  readonly peakMemoryBytes: number;
  /** Settings of the slice's function. */
  readonly memoryMb: number;
  readonly ephemeralStorageMb: number;
  readonly timeoutSeconds: number;
}

export interface PlannedFile {
  readonly file: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** A plan whose files are not written yet, so their digests are unknown. */
export interface PlanDraft extends Omit<SlicePlan, 'planDigest' | 'slices'> {
  readonly slices: readonly SliceDraft[];
}
export interface SliceDraft extends Omit<PlannedSlice, 'model' | 'weights'> {
  readonly model: FileDraft;
  readonly weights?: FileDraft;
}
export type FileDraft = Omit<PlannedFile, 'sha256'>;
