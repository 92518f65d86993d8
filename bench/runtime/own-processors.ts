/**
 * What a cold run of slices would take with a processor for each function, from parts that were measured on this machine, where all
 * functions share its processors:
 *
 *     cold run  = warm run + what first runs take longer + slowest load
 *     load      = placement + first byte + the longer of (processor time) and (start + time in the bucket)
 *
 * The first slice runs while the others load, so their loads count without the time of its call.
 */
import { DEFAULT_ENVIRONMENT } from '../../lib/cost/constants/defaults';
import { passed } from '../../lib/cost/formulas/slice-timing';
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
  /** The same of a function with hardly any bytes to load. */
  readonly startCpuMs: number;
  readonly sliceBytes: readonly number[];
}

export interface OwnProcessors {
  readonly ms: number;
  readonly warmRunMs: number;
  readonly firstRunsMs: number;
  readonly slowest: SlowestLoad;
}

interface SlowestLoad {
  readonly slice: number;
  /** Without the time for which the first slice runs. */
  readonly ms: number;
  readonly placementMs: number;
  readonly cpuMs: number;
  readonly startCpuMs: number;
  readonly bucketMs: number;
  /** How long the first slice runs meanwhile; 0 for the load of the first slice. */
  readonly meanwhileMs: number;
}

/** @param placementMs from a call until a new sandbox starts */
export function withOwnProcessors(
  parts: MeasuredParts,
  network: NetworkShape,
  placementMs: number,
): OwnProcessors {
  const { warmRunMs, firstCallMs, laterCallMs, loadCpuMs, startCpuMs, sliceBytes } = parts;
  const loads = sliceBytes.map((bytes, slice): SlowestLoad => {
    const cpuMs = loadCpuMs[slice];
    const bucketMs = bucketMsOf(bytes, network);
    const meanwhileMs = slice === 0 ? 0 : firstCallMs[0];
    const ms = placementMs + FIRST_BYTE_MS + Math.max(cpuMs, startCpuMs + bucketMs) - meanwhileMs;
    return { slice, ms, placementMs, cpuMs, startCpuMs, bucketMs, meanwhileMs };
  });
  const slowest = loads.reduce((most, load) => (load.ms > most.ms ? load : most));
  const firstRunsMs = firstCallMs.reduce((sum, ms, slice) => sum + Math.max(0, ms - laterCallMs[slice]), 0);
  return { ms: warmRunMs + firstRunsMs + slowest.ms, warmRunMs, firstRunsMs, slowest };
}

/** The formulas with their numbers. */
export function describeOwnProcessors({ ms, warmRunMs, firstRunsMs, slowest }: OwnProcessors): string {
  const s = (value: number): string => `${(value / 1000).toFixed(2)} s`;
  const { slice, placementMs, cpuMs, startCpuMs, bucketMs, meanwhileMs } = slowest;
  const meanwhile = meanwhileMs === 0 ? '' : ` - ${s(meanwhileMs)} while slice 0 runs`;
  return [
    `  cold run = warm run + first runs + slowest load = ${s(warmRunMs)} + ${s(firstRunsMs)} + ${s(slowest.ms)} = ${s(ms)}`,
    `  load of slice ${slice} = placement ${s(placementMs)} + first byte ${s(FIRST_BYTE_MS)} + the longer of processor ${s(cpuMs)} ` +
      `and start ${s(startCpuMs)} + bucket ${s(bucketMs)}${meanwhile} = ${s(slowest.ms)}`,
  ].join('\n');
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
