/** Estimates the memory, `/tmp`, timeout and threads that a slice's function needs, how even slices are, and how large tensors are in the state. */
import {
  MAX_LAMBDA_MEMORY_MB,
  MAX_LAMBDA_TIMEOUT_SECONDS,
  MEMORY_MB_PER_VCPU,
  MIN_EPHEMERAL_STORAGE_MB,
} from './lambda-quotas';
import { computeMs, vcpuShare } from '../../cost/formulas/lambda';
import { transferMs } from '../../cost/formulas/slice-timing';
import type { DetailedCostModel } from '../../cost/model';

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

const MEMORY_STEP_MB = 64;

/** With less memory, a function's share of a vCPU is so small that starting Node.js takes seconds. */
export const FLOOR_MEMORY_MB = 512;

/** Bandwidth from S3, in bytes per second, that estimates assume. Public measurements of one function start at 55 MB/s. */
export const LOAD_BYTES_PER_SECOND = 40e6;

/** Factor on the time of a cold call: a timeout that is too short makes runs fail, and requests may be larger than planned. */
const TIMEOUT_MARGIN = 3;
const FLOOR_TIMEOUT_SECONDS = 60;

/** Sizes of a slice, in bytes, for the planned dimensions. */
export interface SliceSize {
  /** Weights: initializers, tensors of `Constant` nodes, and tensors in body graphs and functions. */
  readonly weightBytes: number;
  /** The part of `weightBytes` that a run touches. */
  readonly mappedBytes: number;
  /** The part of `mappedBytes` that sessions with prepacking copy for the kernels of products. Then they need no mapped ones. */
  readonly packedBytes: number;
  /** The part of `weightBytes` in body graphs and functions: ONNX Runtime copies it into memory instead of mapping it. */
  readonly bodyBytes: number;
  /** Memory of ONNX Runtime for the tensors that nodes compute, and for the buffers of its kernels. */
  readonly activationBytes: number;
  readonly largestBytes: number;
  /** Tensors read from the request and from earlier slices. */
  readonly readBytes: number;
  /** Of the last slice: all results, also those that it reads from the request and from earlier slices. */
  readonly writeBytes: number;
  /** The part of `writeBytes` that its session computes. */
  readonly outputBytes: number;
  /** Tensors of the request that no earlier slice reads. */
  readonly requestBytes: number;
  /**
   * Tensors that ONNX Runtime copies because the slice ends: they would be views or in place, which outputs cannot be. A longer
   * slice may copy less.
   */
  readonly copiedBytes: number;
  /** All tensors that its nodes compute; a measure of its run time. */
  readonly computedBytes: number;
  /** GETs of the objects of earlier slices. */
  readonly gets: number;
  /** GETs of the request's object, if it is in S3. */
  readonly requestGets: number;
  /** Seconds of computing on one vCPU. */
  readonly coreSeconds: number;
  readonly nodes: number;
}

export type MemorySize = Omit<
  SliceSize,
  'writeBytes' | 'requestBytes' | 'computedBytes' | 'gets' | 'requestGets' | 'coreSeconds'
>;

/** The expected peak of the resident memory of the slice's function in its first call, in bytes. */
export function peakBytes(size: MemorySize): number {
  const { weightBytes, mappedBytes, bodyBytes, activationBytes, readBytes, outputBytes, copiedBytes, nodes } =
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
      outputBytes,
  );
}

/**
 * Memory, in MB, of a function that runs the slice. It exceeds Lambda's limit if the slice is too large for Lambda.
 *
 * A later call may find the tensors of the call before it, which V8 has not collected yet. They also occupy gaps in ONNX
 * Runtime's arena, so that the largest tensor may need a place of its own. Measured: up to 0.9 times these sizes.
 */
export function memoryMb(size: MemorySize): number {
  const ofLaterCalls = size.readBytes + size.outputBytes + size.largestBytes;
  const steps = Math.ceil(
    Math.max(MEMORY_MARGIN * peakBytes(size), peakBytes(size) + ofLaterCalls) / MIB / MEMORY_STEP_MB,
  );
  return Math.max(FLOOR_MEMORY_MB, steps * MEMORY_STEP_MB);
}

export function fileBytes({ weightBytes, nodes }: Pick<SliceSize, 'weightBytes' | 'nodes'>): number {
  return weightBytes + nodes * GRAPH_BYTES_PER_NODE;
}

/** Size of `/tmp`, in MB, for the slice's files, with a tenth to spare. */
export function ephemeralStorageMb(fileBytes: number): number {
  return Math.max(MIN_EPHEMERAL_STORAGE_MB, Math.ceil((fileBytes * 1.1) / MIB));
}

/**
 * Timeout, in seconds, of a function that loads the slice's files from S3.
 *
 * @param coldSeconds of a call that finds no sandbox, where runs are slowest
 */
export function timeoutSeconds(fileBytes: number, coldSeconds: number): number {
  const longest = Math.max(fileBytes / LOAD_BYTES_PER_SECOND, coldSeconds);
  return Math.min(MAX_LAMBDA_TIMEOUT_SECONDS, Math.ceil(FLOOR_TIMEOUT_SECONDS + TIMEOUT_MARGIN * longest));
}

/**
 * Threads of ONNX Runtime in every slice of a plan: the vCPUs of the largest function. All slices use the same number,
 * because the order of additions, and so the last bits of a result, may depend on it.
 */
export function threadCount(largestMemoryMb: number): number {
  return Math.ceil(Math.min(largestMemoryMb, MAX_LAMBDA_MEMORY_MB) / MEMORY_MB_PER_VCPU);
}

/** What one slice has of the nodes and of the weights, which do not depend on the planned sizes. */
export interface SliceShare {
  readonly nodes: number;
  readonly weightBytes: number;
}

/**
 * The part of a slice in the unevenness of a cut. The parts add up to 1 for equal slices, and to the number of slices if one slice
 * has nearly all nodes and weights.
 */
export function unevenness(slice: SliceShare, whole: SliceShare, slices: number): number {
  const ofNodes = slice.nodes / whole.nodes;
  const ofWeights = whole.weightBytes > 0 ? slice.weightBytes / whole.weightBytes : 0;
  return slices * ((ofNodes + ofWeights) / 2) ** 2;
}

/** Milliseconds that the slice's function computes in an average run and, as far as it is cold then, loads its files. */
export function busyMs(size: SliceSize, { options, coldShare }: DetailedCostModel): number {
  const { environment, networkInVpc: inVpc } = options;
  const vcpus = vcpuShare(memoryMb(size), environment);
  const loadMs = transferMs(fileBytes(size), vcpus, { inVpc }, environment);
  return computeMs(size.coreSeconds, vcpus, vcpus, environment) + coldShare * loadMs;
}

/** A slice that does less than this share of the work adds a call and transfers, and hardly takes work from the others... */
const NEAR_EMPTY = 0.01;
/** ...and of more than ten slices, one that does less than this part of an equal share. */
const NEAR_EMPTY_OF_EQUAL = 0.1;

export function isNearEmpty(own: number, ofAll: number, slices: number): boolean {
  return own < nearEmptySeconds(ofAll, slices);
}

export function nearEmptySeconds(ofAll: number, slices: number): number {
  return Math.min(NEAR_EMPTY, NEAR_EMPTY_OF_EQUAL / slices) * ofAll;
}

/**
 * Most characters of base64 that a slice hands on in the state. By the figures of `lib/cost/constants/environment.json`, a state
 * that carries as much takes 63 ms longer than one that carries 1 KiB (medians: 160 ms with 1 KiB, 194 with 16 KiB, 238 with 64 KiB),
 * and a PUT and a GET of S3 take 67 ms. So up to here the state is not slower than S3, and it saves $5.40 for a million writes and reads.
 */
export const MAX_STATE_TENSORS = 48 * 1024;

/** What a safetensors file has besides elements: names twice, types, shapes, offsets and checksums, the ETag of a request. */
export const FILE_HEADER_BYTES = 200;
const TENSOR_HEADER_BYTES = 160;

export function headerBytes(name: string): number {
  return TENSOR_HEADER_BYTES + 2 * Buffer.byteLength(JSON.stringify(name));
}

/** Characters of base64 of a file. @param bytes of its tensors and of their headers */
export function stateCharacters(bytes: number): number {
  return Math.ceil((FILE_HEADER_BYTES + bytes) / 3) * 4;
}
