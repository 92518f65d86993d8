/** The delays that the local cloud adds, so that a run takes about as long as on AWS. */
import type { Pairs } from '../../lib/cost/constants/constant';
import type { BucketShape } from '../../lib/cost/formulas/slice-timing';
import type { PayloadDelay } from '../../lib/cost/formulas/step-functions';

/** How fast bytes pass between functions and S3. Each direction has a bandwidth of its own. */
export interface NetworkShape {
  /** Bytes per second of one connection. */
  readonly connectionBytesPerSecond: number;
  /** Of all connections of one function's sandbox. */
  readonly sandbox: BucketShape;
}

/**
 * How long S3 waits before it answers a request. A delay varies: its pairs are a percentage and milliseconds. It is linear between the
 * pairs, and never below the first one or above the last. A single pair makes a constant.
 */
export interface StoreDelays {
  /** Until the first byte of the response to a GET, a HEAD or a DELETE. */
  readonly get: Pairs;
  /** Of a PUT or a POST, besides the time that its bytes take. */
  readonly put: Pairs;
  /**
   * Milliseconds from opening a connection until it can carry a GET. A connection that was open before its sandbox stood still
   * counts as closed.
   * @default 0
   */
  readonly openForGetMs?: number;
  /** @default 0 */
  readonly openForPutMs?: number;
}

/** Without a part, the local cloud adds no such delay. */
export interface Simulation {
  readonly network?: NetworkShape;
  /** By the kind of bucket: general purpose buckets, and directory buckets. */
  readonly storage?: { readonly standard?: StoreDelays; readonly express?: StoreDelays };
  /** Milliseconds from a call that finds no idle sandbox until Node.js starts in a new one. */
  readonly coldStartMs?: number;
  /**
   * Delays before a state is entered, by the type of the state machine and the bytes of the state's input: one or more entries
   * with ascending bytes. Linear between them.
   */
  readonly transitions?: {
    readonly standard?: readonly PayloadDelay[];
    readonly express?: readonly PayloadDelay[];
  };
}
