/** Services that are charged by the hour for what is always on: as many tasks or instances as the rate of requests needs. */
import { computeMs, singleThreadMs } from '../formulas/lambda';
import { LatencyDistribution } from '../latency/latency-distribution';
import {
  type AlternativeSetting,
  type AlternativeSize,
  type WholeModel,
  HOURS_PER_MONTH,
} from './alternative';
import { grouped, inMb, memoryBreaks } from './wording';

export interface Host {
  /** Such as `task`. */
  readonly noun: string;
  readonly vcpus: number;
  readonly memoryMb: number;
  /** Of one. */
  readonly dollarsPerHour: number;
  /** How many there are at least. @default 1 */
  readonly least?: number;
  /** Dollars an hour of what all share, such as a load balancer. @default 0 */
  readonly sharedDollarsPerHour?: number;
  /** Dollars. @default 0 */
  readonly perRequest?: number;
}

/** The hosts that hold the model, or the last one. Each serves one request at a time. */
export function alwaysOn(
  model: WholeModel,
  setting: AlternativeSetting,
  hosts: readonly Host[],
): AlternativeSize[] {
  const fitting = hosts.filter(({ memoryMb }) => memoryMb >= model.peakMemoryMb);
  return (fitting.length > 0 ? fitting : hosts.slice(-1)).map((host) => sizeOf(model, setting, host));
}

function sizeOf(
  model: WholeModel,
  { options: { environment } }: AlternativeSetting,
  host: Host,
): AlternativeSize {
  const { noun, vcpus, memoryMb, dollarsPerHour, least = 1, sharedDollarsPerHour = 0, perRequest = 0 } = host;
  const { balancerMs, utilization } = environment.alwaysOn;
  const busyMs =
    computeMs(model.coreSeconds, Math.max(1, Math.floor(vcpus)), vcpus, environment) +
    singleThreadMs(environment.handler.callCpuMs, vcpus);
  const countAt = (rate: number): number =>
    Math.max(least, Math.ceil(((rate / 3600) * (busyMs / 1000)) / utilization));
  // Charged by the hour, so a run has no price of its own.
  const run = { time: LatencyDistribution.fromPercentiles(balancerMs).shift(busyMs) };
  return {
    nameAt: (rate) =>
      `${grouped(countAt(rate))} ${noun}${countAt(rate) === 1 ? '' : 's'} of ${vcpus} vCPU and ${inMb(memoryMb)}`,
    breaks: memoryBreaks(model.peakMemoryMb, `${/^[aeiou]/.test(noun) ? 'an' : 'a'} ${noun}`, memoryMb),
    ...{ warm: run, cold: run },
    dollarsPerMonth: (rate) =>
      HOURS_PER_MONTH * (countAt(rate) * dollarsPerHour + sharedDollarsPerHour + rate * perRequest),
  };
}
