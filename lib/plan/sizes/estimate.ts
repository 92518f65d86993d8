/** What a slice's function is given: memory, `/tmp`, timeout and threads. */
import {
  MAX_LAMBDA_MEMORY_MB,
  MAX_LAMBDA_TIMEOUT_SECONDS,
  MEMORY_MB_PER_VCPU,
  MIN_EPHEMERAL_STORAGE_MB,
} from './lambda-quotas';

const MIB = 1024 * 1024;

/** Node.js with ONNX Runtime and the S3 client loaded, after a one-operator session: 95 MB measured on Node.js 20. */
const BARE_RUNTIME_BYTES = 100 * MIB;

/** Resident memory came to 1.05 to 1.12 times the sum of its parts on a 1.3 GB transformer in 8 slices. */
const MEMORY_MARGIN = 1.15;

/** Functions get memory in steps of this many MB. */
const MEMORY_STEP_MB = 64;

/** Below this a function's share of a vCPU is so small that starting Node.js takes seconds. */
const FLOOR_MEMORY_MB = 512;

/** Bytes per second from S3 that a load is planned with; public measurements of one function start at 55 MB/s. */
export const LOAD_BYTES_PER_SECOND = 40e6;

/** Times of load and run are planned with this much to spare, since a timeout that is too short fails runs. */
const TIMEOUT_MARGIN = 3;
const FLOOR_TIMEOUT_SECONDS = 60;

/** Sizes of a slice in bytes, for the planned dimensions. */
export interface SliceSize {
  /** Weights and constants. */
  readonly weightBytes: number;
  /** The part of `weightBytes` in body graphs and functions, which ONNX Runtime reads into memory instead of mapping it. */
  readonly bodyBytes: number;
  /** The most that intermediate tensors take at one time. */
  readonly activationBytes: number;
  /** Tensors read from the request and from earlier slices. */
  readonly readBytes: number;
  /** Tensors written. */
  readonly writeBytes: number;
  /** All tensors that it makes, which grows with the time that it takes. */
  readonly computedBytes: number;
}

/** Memory in MB for a function that runs the slice; above Lambda's limit when the slice is too large for it. */
export function memoryMb(size: Omit<SliceSize, 'computedBytes'>): number {
  const { weightBytes, bodyBytes, activationBytes, readBytes, writeBytes } = size;
  // What is written may exist twice: as ONNX Runtime's tensors, and as float16 or JSON on its way. So do weights of bodies
  // while the graph is read: in its file and as tensors.
  const bytes = BARE_RUNTIME_BYTES + weightBytes + bodyBytes + activationBytes + readBytes + 2 * writeBytes;
  const steps = Math.ceil((bytes * MEMORY_MARGIN) / MIB / MEMORY_STEP_MB);
  return Math.max(FLOOR_MEMORY_MB, steps * MEMORY_STEP_MB);
}

/** `/tmp` in MB that holds the slice's files, with a tenth to spare. */
export function ephemeralStorageMb(fileBytes: number): number {
  return Math.max(MIN_EPHEMERAL_STORAGE_MB, Math.ceil((fileBytes * 1.1) / MIB));
}

/** Timeout in seconds of a function that loads the slice's files from S3. */
export function timeoutSeconds(fileBytes: number): number {
  const seconds = FLOOR_TIMEOUT_SECONDS + TIMEOUT_MARGIN * (fileBytes / LOAD_BYTES_PER_SECOND);
  return Math.min(MAX_LAMBDA_TIMEOUT_SECONDS, Math.ceil(seconds));
}

/**
 * Threads of ONNX Runtime for all slices of a plan, by the vCPUs of the largest. One number for all, because the
 * order of additions, and so the last bits of a result, may depend on it.
 */
export function threadCount(largestMemoryMb: number): number {
  return Math.ceil(Math.min(largestMemoryMb, MAX_LAMBDA_MEMORY_MB) / MEMORY_MB_PER_VCPU);
}
