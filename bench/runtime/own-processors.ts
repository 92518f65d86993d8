/**
 * What a cold run of slices would take with a processor for each function, from parts that were measured on this machine, where all
 * functions share its processors:
 *
 *     cold run  = warm run + what first runs take longer + slowest load
 *     load      = placement + start + first byte + the longer of processor time and time in the bucket
 *
 * The first slice runs while the others load, so their loads count without the time of its call.
 */
import { DEFAULT_ENVIRONMENT } from '../../lib/cost/constants/environment';
import { passed } from '../../lib/cost/formulas/token-bucket';
import type { NetworkShape } from '../../local';
import { bucketOf } from '../../local/simulation/traffic';

/** Times in milliseconds, lists by slice. */
export interface MeasuredParts {
  /** A warm run of the same pipeline, with its transitions, its waits for S3 and its warm-ups. */
  readonly warmRunMs: number;
  /** Reading, computing and writing of first calls, when one slice starts after the other. */
  readonly firstCallMs: readonly number[];
  /** The same in the warm run. */
  readonly laterCallMs: readonly number[];
  /** Processor time of the function's start and load: that of a cold run less that of a warm one. */
  readonly loadCpuMs: readonly number[];
  /** Start of Node.js and the handler, when one slice starts after the other. */
  readonly startMs: number;
  readonly sliceBytes: readonly number[];
}

export interface OwnProcessors {
  readonly ms: number;
  readonly firstRunsMs: number;
  readonly slowest: {
    readonly slice: number;
    readonly ms: number;
    /** Without the start. */
    readonly cpuMs: number;
    readonly bucketMs: number;
  };
}

/** @param placementMs from a call until a new sandbox starts */
export function withOwnProcessors(
  parts: MeasuredParts,
  network: NetworkShape,
  placementMs: number,
): OwnProcessors {
  const { warmRunMs, firstCallMs, laterCallMs, loadCpuMs, startMs, sliceBytes } = parts;
  const loads = sliceBytes.map((bytes, slice) => {
    const cpuMs = Math.max(0, loadCpuMs[slice] - startMs);
    const bucketMs = bucketMsOf(bytes, network);
    const ms = placementMs + startMs + FIRST_BYTE_MS + Math.max(cpuMs, bucketMs);
    return { slice, cpuMs, bucketMs, ms: slice === 0 ? ms : ms - firstCallMs[0] };
  });
  const slowest = loads.reduce((most, load) => (load.ms > most.ms ? load : most));
  const firstRunsMs = firstCallMs.reduce((sum, ms, slice) => sum + Math.max(0, ms - laterCallMs[slice]), 0);
  return { ms: warmRunMs + firstRunsMs + slowest.ms, firstRunsMs, slowest };
}

/** The median of the first request of an invocation. */
export const FIRST_BYTE_MS = DEFAULT_ENVIRONMENT.s3.standardFirstGetMs;

/** Milliseconds for which a new sandbox receives so many bytes, if nothing but the network limits it. */
export function bucketMsOf(bytes: number, network: NetworkShape): number {
  const shape = bucketOf(network);
  const connections = DEFAULT_ENVIRONMENT.handler.connections * network.connectionBytesPerSecond;
  const burstRate = Math.min(shape.burstRate, connections);
  return 1000 * passed(shape.capacity, bytes, { ...shape, burstRate }).seconds;
}
