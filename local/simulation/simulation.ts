/** What the local cloud adds in time to what it does, so that a run takes about as long as it would elsewhere. */

/** How fast functions reach S3. MB are 10^6 bytes. */
export interface NetworkShape {
  /** From a request until the first byte of its answer, in milliseconds. */
  readonly firstByteMs: number;
  /** Bytes per second of one connection, each way. */
  readonly connectionBytesPerSecond: number;
  /** Bytes per second of all connections of one function's sandbox, each way. */
  readonly functionBytesPerSecond: number;
}

/** What is left out takes as long as this machine takes. */
export interface Simulation {
  readonly network?: NetworkShape;
  /** From a call that finds no sandbox until the start of a new one's Node.js, in milliseconds. */
  readonly coldStartMs?: number;
  /** From one state of the state machine to the next, in milliseconds. */
  readonly transitionMs?: number;
}

/**
 * One connection had 45 to 62 MB/s in a public measurement of downloads of 10 MB to 1 GB into a function:
 * https://medium.com/circuitpeople/serverless-large-file-downloads-to-s3-a11b4ef4788e. All connections of a function
 * together are believed to have 75 to 90 MB/s.
 */
const CONNECTION_BYTES_PER_SECOND = 50e6;
const FUNCTION_BYTES_PER_SECOND = 80e6;

/** Believed, not documented: what a new sandbox takes before its runtime starts, and an Express transition. */
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

/** By name, as the command line takes them. */
export const SIMULATIONS: Readonly<Record<'none' | 's3-standard' | 's3-express', Simulation>> = {
  none: {},
  /** "Roughly 100-200 milliseconds": https://docs.aws.amazon.com/AmazonS3/latest/userguide/optimizing-performance.html */
  's3-standard': onAws(100),
  /** "Single-digit milliseconds": https://docs.aws.amazon.com/AmazonS3/latest/userguide/directory-bucket-high-performance.html */
  's3-express': onAws(5),
};

export type SimulationName = keyof typeof SIMULATIONS;
