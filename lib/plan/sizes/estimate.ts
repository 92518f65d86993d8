/** Estimates the memory, `/tmp`, timeout and threads that a slice's function needs. */
import {
  MAX_LAMBDA_MEMORY_MB,
  MAX_LAMBDA_TIMEOUT_SECONDS,
  MEMORY_MB_PER_VCPU,
  MIN_EPHEMERAL_STORAGE_MB,
} from './lambda-quotas';

const MIB = 1024 * 1024;

/** Node.js 20 with ONNX Runtime, TLS and the S3 client loaded, after a call of a slice with two small nodes: 108 MB measured. */
const BARE_RUNTIME_BYTES = 108e6;

/** ONNX Runtime's structures for one node: 5 to 8 KB measured on slices of 350 to 1,500 nodes. */
const NODE_BYTES = 6e3;

/** A node in a graph file: 46 to 423 bytes measured in 14 models of 44 to 1,601 nodes, with a median of about 100. */
const GRAPH_BYTES_PER_NODE = 100;

/**
 * What a download leaves behind, as a share of the files' size, at least and at most. The parts arrive in buffers outside of V8's
 * heap, and V8 collects them late. Measured over TLS: 4 MB for small files, 15 to 19 MB for 110 to 340 MB.
 */
const DOWNLOAD_SHARE = 0.15;
const LEAST_DOWNLOAD_BYTES = 4e6;
const MOST_DOWNLOAD_BYTES = 18e6;

/**
 * Lambda kills a function at its limit, so the memory of a function exceeds the expected peak by this factor, and by what
 * later calls add to the first one, see `memoryMb`. The benchmark `npm run bench:memory` prints measured and expected peaks.
 */
const MEMORY_MARGIN = 1.15;

/** Memory sizes are multiples of this many MB. */
const MEMORY_STEP_MB = 64;

/** With less memory, a function's share of a vCPU is so small that starting Node.js takes seconds. */
export const FLOOR_MEMORY_MB = 512;

/** Bandwidth from S3, in bytes per second, that estimates assume. Public measurements of one function start at 55 MB/s. */
export const LOAD_BYTES_PER_SECOND = 40e6;

/** Factor on the estimated load time, because a timeout that is too short makes runs fail. */
const TIMEOUT_MARGIN = 3;
const FLOOR_TIMEOUT_SECONDS = 60;

/** Sizes of a slice, in bytes, for the planned dimensions. */
export interface SliceSize {
  /** Weights: initializers, tensors of `Constant` nodes, and tensors in body graphs and functions. */
  readonly weightBytes: number;
  /** The part of `weightBytes` that a run touches. */
  readonly mappedBytes: number;
  /** The part of `weightBytes` in body graphs and functions: ONNX Runtime copies it into memory instead of mapping it. */
  readonly bodyBytes: number;
  /** Memory of ONNX Runtime for the tensors that nodes compute, and for the buffers of its kernels. */
  readonly activationBytes: number;
  /** The largest tensor that a node computes. */
  readonly largestBytes: number;
  /** Tensors read from the request and from earlier slices. */
  readonly readBytes: number;
  /** Tensors written. */
  readonly writeBytes: number;
  /**
   * Tensors that ONNX Runtime copies because the slice ends: they would be views or in place, which outputs cannot be. A longer
   * slice may copy less.
   */
  readonly copiedBytes: number;
  /** All tensors that its nodes compute; a measure of its run time. */
  readonly computedBytes: number;
  /** Number of tensors read; those of the request count as one, because they are in one object. */
  readonly readTensors: number;
  /** Seconds of computing on one vCPU. */
  readonly coreSeconds: number;
  /** Number of nodes. */
  readonly nodes: number;
}

/** The sizes that decide about memory. */
export type MemorySize = Omit<SliceSize, 'computedBytes' | 'readTensors' | 'coreSeconds'>;

/** The expected peak of the resident memory of the slice's function in its first call, in bytes. */
export function peakBytes(size: MemorySize): number {
  const { weightBytes, mappedBytes, bodyBytes, activationBytes, readBytes, writeBytes, copiedBytes, nodes } =
    size;
  const download = Math.min(LEAST_DOWNLOAD_BYTES + DOWNLOAD_SHARE * weightBytes, MOST_DOWNLOAD_BYTES);
  return Math.ceil(
    BARE_RUNTIME_BYTES +
      nodes * NODE_BYTES +
      download +
      mappedBytes +
      // While the graph is read, weights of bodies are in memory twice: in the file's bytes and as tensors.
      2 * bodyBytes +
      activationBytes +
      copiedBytes +
      readBytes +
      // The binding for JavaScript copies the outputs of ONNX Runtime, which count as activations.
      writeBytes,
  );
}

/**
 * Memory, in MB, of a function that runs the slice. It exceeds Lambda's limit if the slice is too large for Lambda.
 *
 * A later call may find the tensors of the call before it, which V8 has not collected yet. They also occupy gaps in ONNX
 * Runtime's arena, so that the largest tensor may need a place of its own. Measured: up to 0.9 times these sizes.
 */
export function memoryMb(size: MemorySize): number {
  const ofLaterCalls = size.readBytes + size.writeBytes + size.largestBytes;
  const steps = Math.ceil(
    Math.max(MEMORY_MARGIN * peakBytes(size), peakBytes(size) + ofLaterCalls) / MIB / MEMORY_STEP_MB,
  );
  return Math.max(FLOOR_MEMORY_MB, steps * MEMORY_STEP_MB);
}

/** The bytes of a slice's files: its weights, and the graph. */
export function fileBytes({ weightBytes, nodes }: Pick<SliceSize, 'weightBytes' | 'nodes'>): number {
  return weightBytes + nodes * GRAPH_BYTES_PER_NODE;
}

/** Size of `/tmp`, in MB, for the slice's files, with a tenth to spare. */
export function ephemeralStorageMb(fileBytes: number): number {
  return Math.max(MIN_EPHEMERAL_STORAGE_MB, Math.ceil((fileBytes * 1.1) / MIB));
}

/** Timeout, in seconds, of a function that loads the slice's files from S3. */
export function timeoutSeconds(fileBytes: number): number {
  const seconds = FLOOR_TIMEOUT_SECONDS + TIMEOUT_MARGIN * (fileBytes / LOAD_BYTES_PER_SECOND);
  return Math.min(MAX_LAMBDA_TIMEOUT_SECONDS, Math.ceil(seconds));
}

/**
 * Threads of ONNX Runtime in every slice of a plan: the vCPUs of the largest function. All slices use the same number,
 * because the order of additions, and so the last bits of a result, may depend on it.
 */
export function threadCount(largestMemoryMb: number): number {
  return Math.ceil(Math.min(largestMemoryMb, MAX_LAMBDA_MEMORY_MB) / MEMORY_MB_PER_VCPU);
}
