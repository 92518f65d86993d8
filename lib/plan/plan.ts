/** `plan.json`: what a model was cut into. A public, versioned file; field by field in `docs/plan.md`. */
import { createHash } from 'node:crypto';
import type { SourcedTensor } from '../../contract/slice-manifest';
import type { TensorSpec } from '../../contract/tensors';
import type { Graph } from '../onnx/model';
import type { OptimizationLevel } from '../optimize/level';

export const PLAN_VERSION = 1;

/** Sizes are in bytes unless the name says MB (2^20 bytes); digests are hexadecimal SHA-256. */
export interface SlicePlan {
  readonly version: typeof PLAN_VERSION;
  /** Version of the library that made the plan. */
  readonly library: string;
  /** Version of ONNX Runtime that the slices are meant to run on. */
  readonly onnxRuntime: string;
  /** How far ONNX Runtime had optimized the whole model before it was cut. */
  readonly graphOptimization: OptimizationLevel;
  /** Identifies the slices, weights included. Tasks carry it, so that a run never mixes two models. */
  readonly planDigest: string;
  readonly model: PlannedModel;
  /** Sizes of symbolic dimensions that the estimates assume. */
  readonly dimensions: Readonly<Record<string, number>>;
  /** Threads of ONNX Runtime in every slice. */
  readonly threads: number;
  /** Inputs that a request has to give. */
  readonly inputs: readonly TensorSpec[];
  /** Inputs with a default, which a request cannot override. */
  readonly fixedInputs: readonly string[];
  readonly outputs: readonly SourcedTensor[];
  readonly slices: readonly PlannedSlice[];
}

export interface PlannedModel {
  /** File name without folder. */
  readonly file: string;
  readonly nodes: number;
  /** Digest of the graph without its weights; a plan fits every model that has the same. */
  readonly graphDigest: string;
}

export interface PlannedSlice {
  /** Places in the model's file of the nodes that only this slice runs, as runs `[first, last]`. */
  readonly nodes: readonly (readonly [number, number])[];
  /** The graph: `slice-NN.onnx`. */
  readonly model: PlannedFile;
  /** The weights: `slice-NN.weights`; absent when all of them are small enough to lie in the graph. */
  readonly weights?: PlannedFile;
  readonly inputs: readonly SourcedTensor[];
  readonly outputs: readonly TensorSpec[];
  /** Estimates for `dimensions`. */
  readonly weightBytes: number;
  readonly activationBytes: number;
  readonly readBytes: number;
  readonly writeBytes: number;
  /** What the slice's function is given. */
  readonly memoryMb: number;
  readonly ephemeralStorageMb: number;
  readonly timeoutSeconds: number;
}

export interface PlannedFile {
  readonly file: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** A plan before its files are written: their digests are not known yet. */
export interface PlanDraft extends Omit<SlicePlan, 'planDigest' | 'slices'> {
  readonly slices: readonly SliceDraft[];
}
export interface SliceDraft extends Omit<PlannedSlice, 'model' | 'weights'> {
  readonly model: FileDraft;
  readonly weights?: FileDraft;
}
export type FileDraft = Omit<PlannedFile, 'sha256'>;

/** The digest of a graph without its weights: operators and names, in the file's order. */
export function graphDigest(graph: Graph): string {
  const hash = createHash('sha256');
  const names = (values: readonly number[]): string[] =>
    values.map((value) => graph.values.at(value)?.name ?? '');
  for (const node of graph.nodes) {
    const outputs = node.outputs.filter((output) => output >= 0);
    hash.update(
      JSON.stringify([node.domain, node.opType, names(node.inputs.filter((v) => v >= 0)), names(outputs)]),
    );
  }
  return hash.digest('hex');
}

/** The key of a slice's file in a bucket that it is uploaded to: what it holds is its name, whatever plan it is of. */
export function remoteKey(prefix: string, { file, sha256 }: PlannedFile): string {
  const name = `${sha256}${file.slice(file.lastIndexOf('.'))}`;
  return prefix === '' ? name : `${prefix}/${name}`;
}

/** Node indexes as runs of consecutive ones. */
export function toRuns(indexes: readonly number[]): [number, number][] {
  const runs: [number, number][] = [];
  for (const index of [...indexes].sort((a, b) => a - b)) {
    const last = runs.at(-1);
    if (last?.[1] === index - 1) last[1] = index;
    else runs.push([index, index]);
  }
  return runs;
}

/** The indexes of runs, in order. */
export function fromRuns(runs: PlannedSlice['nodes']): number[] {
  return runs.flatMap(([first, last]) =>
    Array.from({ length: last - first + 1 }, (_, index) => first + index),
  );
}
