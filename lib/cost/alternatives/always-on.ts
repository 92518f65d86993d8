/** Processors that are always on: as many as the rate of requests needs, and at least a number that never stops. */
import type { RunCost } from '../cost-model';
import { computeMs } from '../formulas/lambda';
import { callTiming } from '../formulas/slice-timing';
import { LatencyDistribution } from '../latency/latency-distribution';
import type { Alternative, AlternativeSetting, WholeModel } from './alternative';
import { HOURS_PER_MONTH, hostOf, missedTargets } from './alternative';
import type { Pairs } from '../constants/constant';

/** A size of instances or tasks that serve one request at a time. */
export interface AlwaysOnSize {
  readonly vcpus: number;
  /** How often the processors do the work of that many vCPUs in the same time, such as on a GPU. @default 1 */
  readonly speed?: number;
  readonly dollarsPerHour: number;
  readonly leastInstances: number;
  /** Dollars of each request besides. */
  readonly requestDollars: number;
  /** Dollars an hour of what is needed once. */
  readonly sharedDollarsPerHour: number;
  readonly wayMs: Pairs;
}

export type AlwaysOnName = Pick<Alternative, 'id' | 'name' | 'size' | 'breaks' | 'notes'>;

export function alwaysOn(
  model: WholeModel,
  setting: AlternativeSetting,
  { vcpus, speed = 1, ...size }: AlwaysOnSize,
  name: AlwaysOnName,
): Alternative {
  const { environment } = setting.options;
  const busyMs = serviceMs(model, setting, vcpus, speed);
  const way = LatencyDistribution.fromPercentiles(size.wayMs);
  const instancesAt = (rate: number): number =>
    Math.max(
      size.leastInstances,
      Math.ceil((rate / 3600) * (busyMs / 1000 / environment.alwaysOn.utilization)),
    );
  // What a run costs on instances that are as busy as they may be.
  const busyDollars = (busyMs / 3_600_000 / environment.alwaysOn.utilization) * size.dollarsPerHour;
  const run: RunCost = {
    dollars: busyDollars + size.requestDollars,
    latency: { p50: busyMs + way.quantile(0.5), p95: busyMs + way.quantile(0.95) },
  };
  return {
    ...name,
    breaks: [...name.breaks, ...missedTargets(run, run, setting.targets)],
    warm: run,
    cold: run,
    dollarsPerMonth: (rate) =>
      HOURS_PER_MONTH *
      (instancesAt(rate) * size.dollarsPerHour + size.sharedDollarsPerHour + rate * size.requestDollars),
  };
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
