/** The delays that the local cloud adds, so that a run takes about as long as on AWS. */

/** How fast functions reach S3. MB are 10^6 bytes. */
export interface NetworkShape {
  /** Milliseconds from a request until the first byte of its response. */
  readonly firstByteMs: number;
  /** Bytes per second of one connection, each way. */
  readonly connectionBytesPerSecond: number;
  /** Bytes per second of all connections of one function's sandbox, each way. */
  readonly functionBytesPerSecond: number;
}

/** Without a setting, the local cloud adds no delay. */
export interface Simulation {
  readonly network?: NetworkShape;
  /** Milliseconds from a call that finds no idle sandbox until Node.js starts in a new one. */
  readonly coldStartMs?: number;
  /** Milliseconds from one state of the state machine to the next. */
  readonly transitionMs?: number;
}

/**
 * In a public measurement, one connection reached 45 to 62 MB/s for downloads of 10 MB to 1 GB into a function:
 * https://medium.com/circuitpeople/serverless-large-file-downloads-to-s3-a11b4ef4788e. The bandwidth of all
 * connections of a function together is assumed, not measured, to be 75 to 90 MB/s.
 */
const CONNECTION_BYTES_PER_SECOND = 50e6;
const FUNCTION_BYTES_PER_SECOND = 80e6;

/** Assumed, not documented: the time of a new sandbox before its runtime starts, and of an Express transition. */
const COLD_START_MS = 200;
const TRANSITION_MS = 15;

function onAws(firstByteMs: number): Simulation {
  return {
    network: {
      firstByteMs,
      connectionBytesPerSecond: CONNECTION_BYTES_PER_SECOND,
      functionBytesPerSecond: FUNCTION_BYTES_PER_SECOND,
    },
    coldStartMs: COLD_START_MS,
    transitionMs: TRANSITION_MS,
  };
}

/** Simulations by their names in `--simulate`. */
export const SIMULATIONS: Readonly<Record<'none' | 's3-standard' | 's3-express', Simulation>> = {
  none: {},
  /** "Roughly 100-200 milliseconds": https://docs.aws.amazon.com/AmazonS3/latest/userguide/optimizing-performance.html */
  's3-standard': onAws(100),
  /** "Single-digit milliseconds": https://docs.aws.amazon.com/AmazonS3/latest/userguide/directory-bucket-high-performance.html */
  's3-express': onAws(5),
};

export type SimulationName = keyof typeof SIMULATIONS;
