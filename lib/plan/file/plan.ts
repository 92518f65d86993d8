/** `plan.json`, a public, versioned file; `docs/plan.md` describes its fields. */
import { createHash } from 'node:crypto';
import type { SourcedTensor } from '../../../contract/slice-manifest';
import type { TensorSpec } from '../../../contract/tensors';
import type { OptimizationLevel } from '../../optimize/level';
import { type Graph, type ValueIndex, OMITTED } from '../../onnx/model';
import type { DataSource } from '../../shapes/data-source';
import type { PlannedSplit } from '../../split/split';
import type { PlannedInt8Weights } from '../int8-weights';

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
  readonly model: NamedModel;
  /** The size for which the estimates are made, of each symbolic dimension of the inputs. */
  readonly dimensions: Readonly<Record<string, number>>;
  /** The names of the dimensions whose sizes were assumed instead of given, sorted. */
  readonly assumedDimensions: readonly string[];
  /**
   * Values whose sizes depend on data and no run has told, so that they are estimated from those of the inputs of their nodes: the first ones in the graph. Values that are
   * computed from them may depend on data too.
   */
  readonly boundedTensors: readonly string[];
  /** The run that sizes and iterations come from; absent if none depends on data. */
  readonly dataSizes?: DataSource;
  /** Whether sessions rewrite weights for their kernels; absent if they do. */
  readonly prepacking?: boolean;
  /** Threads of ONNX Runtime in every slice. */
  readonly threads: number;
  /** Inputs that a request must provide. */
  readonly inputs: readonly TensorSpec[];
  /** Inputs with a default, which a request cannot override. */
  readonly fixedInputs: readonly string[];
  readonly outputs: readonly SourcedTensor[];
  /** The operators that run in parts; absent if there are none. Indexes of nodes in `slices` are those of the graph with parts. */
  readonly splits?: readonly PlannedSplit[];
  /** What x86 processors without VNNI would multiply wrongly; absent if there is nothing. */
  readonly int8Weights?: PlannedInt8Weights;
  readonly slices: readonly PlannedSlice[];
}

/** By which a plan is compared with a model. */
export interface NamedModel {
  /** File name without folder. */
  readonly file: string;
  /** Number of nodes of the graph that is cut. */
  readonly nodes: number;
  /** See `graphDigest`. A plan fits every model whose graph has this digest. */
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
  /** Memory of an `InferenceFunction`, if ONNX Runtime's optimizations of the only slice need more of it. */
  readonly optimizedMemoryMb?: number;
  readonly ephemeralStorageMb: number;
  readonly timeoutSeconds: number;
  /** A call that finds no sandbox. Absent in plans of earlier versions. */
  readonly coldSeconds?: CallSeconds;
}

export interface CallSeconds {
  readonly planned: number;
  /** Where functions are slowest. */
  readonly slowest: number;
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

/** First and last index of consecutive nodes. */
export type NodeRun = readonly [number, number];

export function toRuns(indexes: readonly number[]): NodeRun[] {
  const runs: [number, number][] = [];
  for (const index of [...indexes].sort((a, b) => a - b)) {
    const last = runs.at(-1);
    if (last?.[1] === index - 1) last[1] = index;
    else runs.push([index, index]);
  }
  return runs;
}

export function fromRuns(runs: readonly NodeRun[]): number[] {
  return runs.flatMap(([first, last]) =>
    Array.from({ length: last - first + 1 }, (_, index) => first + index),
  );
}

/** The hexadecimal SHA-256 of the graph's operators and names of values, without those of weights, in the file's order. */
export function graphDigest(graph: Graph): string {
  const hash = createHash('sha256');
  const names = (values: readonly ValueIndex[]): string[] => values.map((value) => graph.values[value].name);
  const isWeight = (value: ValueIndex): boolean => {
    const { initializer, producer } = graph.values[value];
    return (
      initializer !== undefined || (producer !== undefined && graph.nodes[producer].constant !== undefined)
    );
  };
  for (const { domain, opType, ...node } of graph.nodes) {
    const inputs = node.inputs.filter((input) => input !== OMITTED && !isWeight(input));
    const outputs = node.outputs.filter((output) => output !== OMITTED);
    hash.update(JSON.stringify([domain, opType, names(inputs), names(outputs)]));
  }
  return hash.digest('hex');
}

/** The S3 key of a slice file: its digest, so that plans with the same slice share one object. */
export function remoteKey(prefix: string, { file, sha256 }: PlannedFile): string {
  const name = `${sha256}${file.slice(file.lastIndexOf('.'))}`;
  return prefix === '' ? name : `${prefix}/${name}`;
}

/** Leaves the rest of a key's 1,024 bytes to the names below the prefix. */
const MAX_PREFIX_LENGTH = 512;

export function prefixFault(prefix: string): string | undefined {
  if (prefix === '') return undefined;
  if (prefix.length > MAX_PREFIX_LENGTH) return `a prefix has at most ${MAX_PREFIX_LENGTH} characters`;
  if (!/^[A-Za-z0-9!_.()=@+/-]+$/.test(prefix)) {
    return 'a prefix has letters, digits, slashes and !_.()=@+- only';
  }
  const isEmptyOrDots = (segment: string): boolean => /^\.{0,2}$/.test(segment);
  if (prefix.split('/').some(isEmptyOrDots)) return "a prefix cannot have an empty part, '.' or '..'";
  return undefined;
}
