/** Every limit of time for requests to S3, so that no fault of the network lets a function wait until its own timeout. */
import { setTimeout } from 'node:timers/promises';

/** Opening a connection, without TLS. Within a region it takes about a millisecond; a lost packet costs 1 and then 2 s. */
export const CONNECT_MS = 5_000;

/**
 * A call waits this long for the connection that it will write to, before ONNX Runtime blocks the thread. No wait is lost:
 * after ONNX Runtime, the write would wait for as long. From Lambda, the first write of a call takes 45 ms longer than
 * others at the median (skyrise, `storage_latency/s3`).
 */
export const PREPARE_WAIT_MS = 100;

/**
 * Nothing arrives and nothing can be sent, until a response begins. From Lambda, 99.9 % of small reads end within 178 ms
 * and of small writes within 205 ms (skyrise, `storage_latency/s3`, a million requests of 2024).
 */
export const SILENCE_MS = 10_000;

/** A response's body brings no byte. Then only the missing bytes are requested again. */
export const STALL_MS = 10_000;

/**
 * A connection that was idle for longer is not used again. Lambda freezes the process between calls, and a peer that
 * has forgotten the connection does not answer. A call that follows closely saves the handshake of a few milliseconds;
 * a dead connection costs `SILENCE_MS`.
 */
export const MAX_IDLE_MS = 4_000;

/**
 * A request that S3 refuses temporarily is repeated for this long. Together with the two retries of the state machine, a
 * slice outlasts half a minute in which S3 refuses everything.
 */
export const RETRY_MS = 12_000;

export function wholeRequestMs(bytes: number): number {
  return ALLOWANCE_MS + bytes / MIN_BYTES_PER_MS;
}

const ALLOWANCE_MS = 30_000;

/**
 * 0.5 MB/s. The slowest functions that were measured share 22 MiB/s among their connections (skyrise,
 * `network_throughput/lambda`, 256 functions in one VPC), of which there are twelve if a slice loads and reads.
 */
const MIN_BYTES_PER_MS = 500;

export interface Clock {
  now(): number;
  pause(milliseconds: number): Promise<unknown>;
}

export const SYSTEM_CLOCK: Clock = { now: () => performance.now(), pause: setTimeout };

/** For another attempt, and for the response of the function. */
const REPORT_MS = 1_000;

/** When the function's timeout ends the call in progress, by the clock of the retries. */
export class CallDeadline {
  private at = Infinity;

  constructor(private readonly clock: Clock = SYSTEM_CLOCK) {}

  start(remainingMs: number): void {
    this.at = this.clock.now() + remainingMs;
  }

  /** Whether a pause and another attempt would leave no time to report the failure. */
  isNear(pauseMs: number): boolean {
    return this.clock.now() + pauseMs + REPORT_MS > this.at;
  }
}
