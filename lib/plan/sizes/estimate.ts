/** Estimates the memory, `/tmp`, timeout and threads that a slice's function needs. */
import {
  MAX_LAMBDA_MEMORY_MB,
  MAX_LAMBDA_TIMEOUT_SECONDS,
  MEMORY_MB_PER_VCPU,
  MIN_EPHEMERAL_STORAGE_MB,
} from './lambda-quotas';

const MIB = 1024 * 1024;

/** Node.js with ONNX Runtime and the S3 client loaded, after a one-operator session: 95 MB measured on Node.js 20. */
const BARE_RUNTIME_BYTES = 100 * MIB;

/** On a 1.3 GB transformer in 8 slices, resident memory was 1.05 to 1.12 times runtime, weights and activations together. */
const MEMORY_MARGIN = 1.15;

/** Memory sizes are multiples of this many MB. */
const MEMORY_STEP_MB = 64;

/** With less memory, a function's share of a vCPU is so small that starting Node.js takes seconds. */
const FLOOR_MEMORY_MB = 512;

/** Bandwidth from S3, in bytes per second, that estimates assume. Public measurements of one function start at 55 MB/s. */
export const LOAD_BYTES_PER_SECOND = 40e6;

/** Factor on the estimated load time, because a timeout that is too short makes runs fail. */
const TIMEOUT_MARGIN = 3;
const FLOOR_TIMEOUT_SECONDS = 60;

/** Sizes of a slice, in bytes, for the planned dimensions. */
export interface SliceSize {
  /** Weights, and results of constant nodes. */
  readonly weightBytes: number;
  /** The part of `weightBytes` in body graphs and functions: ONNX Runtime copies it into memory instead of mapping it. */
  readonly bodyBytes: number;
  /** Peak size of the intermediate tensors. */
  readonly activationBytes: number;
  /** Tensors read from the request and from earlier slices. */
  readonly readBytes: number;
  /** Tensors written. */
  readonly writeBytes: number;
  /** All tensors that its nodes compute; a measure of its run time. */
  readonly computedBytes: number;
  /** Number of tensors read; those of the request count as one, because they are in one object. */
  readonly readTensors: number;
  /** Seconds of computing on one vCPU. */
  readonly coreSeconds: number;
}

/** Memory, in MB, of a function that runs the slice. It exceeds Lambda's limit if the slice is too large for Lambda. */
export function memoryMb(size: Omit<SliceSize, 'computedBytes' | 'readTensors' | 'coreSeconds'>): number {
  const { weightBytes, bodyBytes, activationBytes, readBytes, writeBytes } = size;
  // Written tensors may be in memory twice: as ONNX Runtime's tensors, and as float16 or JSON to be sent. While the graph is
  // read, weights of bodies are in memory twice too: in the file's bytes and as tensors.
  const bytes = BARE_RUNTIME_BYTES + weightBytes + bodyBytes + activationBytes + readBytes + 2 * writeBytes;
  const steps = Math.ceil((bytes * MEMORY_MARGIN) / MIB / MEMORY_STEP_MB);
  return Math.max(FLOOR_MEMORY_MB, steps * MEMORY_STEP_MB);
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
