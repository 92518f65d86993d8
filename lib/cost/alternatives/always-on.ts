/** Processors that are always on: as many as the rate of requests needs, and at least a number that never stops. */
import { computeMs } from '../formulas/lambda';
import { callTiming } from '../formulas/slice-timing';
import { LatencyDistribution } from '../latency/latency-distribution';
import type { Pairs } from '../constants/constant';
import {
  type AlternativeSetting,
  type AlternativeSize,
  type WholeModel,
  HOURS_PER_MONTH,
  hostOf,
} from './alternative';

/** A size of instances or tasks. */
export interface AlwaysOnSize {
  /** Such as `task`. */
  readonly unit: string;
  /** Such as `of 2 vCPUs`. */
  readonly each: string;
  readonly vcpus: number;
  /** Requests that one instance serves side by side, each with its share of the vCPUs. */
  readonly concurrency: number;
  /** How often the processors do the work of that many vCPUs in the same time, such as on a GPU. @default 1 */
  readonly speed?: number;
  /** Share of its time for which an instance may be busy. */
  readonly utilization: number;
  readonly dollarsPerHour: number;
  readonly leastInstances: number;
  /** Dollars of each request besides. */
  readonly requestDollars: number;
  /** Dollars an hour of what is needed once. */
  readonly sharedDollarsPerHour: number;
  readonly wayMs: Pairs;
  readonly breaks: readonly string[];
}

export function alwaysOn(
  model: WholeModel,
  setting: AlternativeSetting,
  { vcpus, concurrency, speed = 1, breaks, ...size }: AlwaysOnSize,
): AlternativeSize {
  const busyMs = serviceMs(model, setting, vcpus / concurrency, speed);
  const instancesAt = (rate: number): number =>
    Math.max(
      size.leastInstances,
      Math.ceil(((rate / 3600) * (busyMs / 1000)) / concurrency / size.utilization),
    );
  // Charged by the hour, so a run has no price of its own.
  const run = { time: LatencyDistribution.fromPercentiles(size.wayMs).shift(busyMs) };
  const each = concurrency === 1 ? size.each : `${size.each}, each with ${concurrency} requests at a time`;
  return {
    nameAt: (rate) => {
      const count = instancesAt(rate);
      return `${count.toLocaleString('en-US')} ${count === 1 ? size.unit : `${size.unit}s`} ${each}`;
    },
    breaks,
    warm: run,
    cold: run,
    dollarsPerMonth: (rate) =>
      HOURS_PER_MONTH *
      (instancesAt(rate) * size.dollarsPerHour + size.sharedDollarsPerHour + rate * size.requestDollars),
  };
}

/**
 * By how many requests an instance may serve side by side: one, and powers of two up to one for each vCPU, each in a process of
 * its own with the memory of the whole model.
 */
export function concurrencies(vcpus: number, memoryMb: number, { peakMemoryMb }: WholeModel): number[] {
  const found = [1];
  for (let count = 2; count <= vcpus && count * peakMemoryMb <= memoryMb; count *= 2) found.push(count);
  return found;
}

function serviceMs(model: WholeModel, setting: AlternativeSetting, vcpus: number, speed: number): number {
  const { environment, architecture } = setting.options;
  const armSpeed = architecture === 'arm64' ? environment.processor.armSpeed : 1;
  const threads = Math.max(1, Math.floor(vcpus));
  const compute = computeMs(model.coreSeconds / armSpeed / speed, threads, vcpus, environment);
  const idle = { fileBytes: 0, coreSeconds: 0, readTensors: 0, readBytes: 0, writeBytes: 0, memoryMb: 0 };
  const { overheadMs } = callTiming(idle, environment.lambda.mbPerVcpu * vcpus, 1, 0, 0, hostOf(setting));
  return compute + overheadMs;
}
