/**
 * One estimate for each constant that telemetry tells something about, in the order in which they need each other: each uses the
 * constants that were estimated before it.
 */
import { median } from '../../extremes';
import { OUTPUT_BANDWIDTH } from '../../compute-time/reference-processor';
import type { Pairs } from '../constants/constant';
import type { Environment } from '../constants/defaults';
import { type Architecture, MIB, computeMs, vcpuShare, visibleVcpus } from '../formulas/lambda';
import { transferMs } from '../formulas/slice-timing';
import type { StateMachineType } from '../formulas/step-functions';
import { type CallSample, type Samples, type SliceFacts, gapsOf, distributionOf } from './samples';

export interface CalibrationOptions {
  readonly architecture: Architecture;
  readonly stateMachineType: StateMachineType;
  readonly tensorStore: 's3-standard' | 's3-express';
  /** By slice, if a plan is known. */
  readonly slices?: readonly SliceFacts[];
  /** What the calls belong to, for the source of each constant. */
  readonly name: string;
}

export interface Estimate {
  readonly group: keyof Environment;
  readonly constant: string;
  /** Absent if the samples do not suffice: then the default stays. */
  readonly value?: number | Pairs;
  readonly samples: number;
  readonly missing?: string;
}

const MIN_SAMPLES = 5;

/** Loads of less say more about waits than about bandwidth, and tensors of more say more about bandwidth than about waits. */
const MIN_LOAD_BYTES = 4e6;

/** Functions within a VPC and without TLS are rare, and the telemetry does not tell. */
const NETWORK_PATH = { inVpc: false, tls: true };

export function estimatesOf(
  samples: Samples,
  options: CalibrationOptions,
  defaults: Environment,
): readonly Estimate[] {
  return new Estimator(samples, options, defaults).all();
}

class Estimator {
  private readonly found: Estimate[] = [];
  private readonly lastSlice: number;

  constructor(
    private readonly samples: Samples,
    private readonly options: CalibrationOptions,
    private environment: Environment,
  ) {
    this.lastSlice = samples.calls.reduce((last, { slice }) => Math.max(last, slice), 0);
  }

  all(): readonly Estimate[] {
    this.init();
    this.speed();
    this.client();
    this.reads();
    this.writes();
    this.bandwidth();
    this.transitions();
    this.placement();
    return this.found;
  }

  private init(): void {
    const { runtimeLoadMs } = this.environment.lambda;
    const inits = this.samples.reports.flatMap(({ initMs }) => initMs ?? []);
    const own = (all: readonly number[]): number => Math.max(0, median(all) - runtimeLoadMs);
    this.estimate('lambda', this.initName, inits, 'cold starts', own);
  }

  private get initName(): 'armInitMs' | 'x86InitMs' {
    return this.options.architecture === 'arm64' ? 'armInitMs' : 'x86InitMs';
  }

  /** Compares warm runs with the work that a profile has for the same slices, relative to the processor in whose time it counts. */
  private speed(): void {
    const { slices = [] } = this.options;
    if (slices.every(({ coreMs }) => coreMs === undefined)) {
      const missing = 'needs --plan and --profile';
      this.found.push({ group: 'processor', constant: 'lambdaSpeed', samples: 0, missing });
      return;
    }
    const { environment, lastSlice } = this;
    const speeds = this.samples.calls.flatMap(({ slice, cold, runMs, bytesWritten }) => {
      const facts = slices.at(slice);
      if (cold || facts?.coreMs === undefined || runMs === 0) return [];
      // The results of the model are in the times of nodes; what other slices write is not.
      const outputSeconds = slice === lastSlice ? 0 : bytesWritten / OUTPUT_BANDWIDTH;
      const usable = Math.min(facts.threads, visibleVcpus(facts.memoryMb, environment));
      const share = vcpuShare(facts.memoryMb, environment);
      return [computeMs(facts.coreMs / 1000 + outputSeconds, usable, share, environment) / runMs];
    });
    this.estimate('processor', 'lambdaSpeed', speeds, 'warm calls', median);
  }

  private client(): void {
    const overheads = this.samples.calls.flatMap((call) => {
      const { report, cold, readMs, runMs, writeMs } = call;
      if (report === undefined || cold) return [];
      return [Math.max(0, report.durationMs - readMs - runMs - writeMs) * this.shareOf(call)];
    });
    this.estimate('handler', 'callCpuMs', overheads, 'warm calls with a REPORT line', median);
  }

  private reads(): void {
    const { s3, handler } = this.environment;
    const { tensorStore, slices = [] } = this.options;
    const delays = this.samples.calls.flatMap((call) => {
      const { slice, cold, warmedUp, bytesRead, readMs, s3Gets, expressGets } = call;
      // The request of the first slice may be in the event, and so may the tensors of other slices.
      const isLocal = bytesRead === 0 || s3Gets + expressGets === 0 || (slice === 0 && this.lastSlice > 0);
      if ((cold && !warmedUp) || isLocal || bytesRead > MIN_LOAD_BYTES) return [];
      const requestsMs = ((slices[slice]?.reads ?? 1) * handler.requestCpuMs) / this.shareOf(call);
      return [Math.max(0, readMs - requestsMs - this.transferMs(bytesRead, call))];
    });
    const [get, first, shape] =
      tensorStore === 's3-express'
        ? (['expressGet', 'expressFirstGetMs', s3.expressGet] as const)
        : (['standardGet', 'standardFirstGetMs', s3.standardGet] as const);
    // Each measured read is the first one of its call.
    this.delay(get, first, delays, 'calls that read tensors of other slices', shape);
  }

  private writes(): void {
    const { s3, handler } = this.environment;
    const isExpress = this.options.tensorStore === 's3-express';
    const delaysOf = (isInExpress: boolean): number[] =>
      this.samples.calls.flatMap((call) => {
        const { slice, bytesWritten, writeMs } = call;
        if (bytesWritten === 0 || bytesWritten > MIN_LOAD_BYTES) return [];
        if ((isExpress && slice < this.lastSlice) !== isInExpress) return [];
        const requestMs = handler.requestCpuMs / this.shareOf(call);
        return [Math.max(0, writeMs - requestMs - this.transferMs(bytesWritten, call))];
      });
    const kind = 'calls that write';
    this.delay('standardPut', 'standardFirstPutMs', delaysOf(false), kind, s3.standardPut);
    if (isExpress) this.delay('expressPut', 'expressFirstPutMs', delaysOf(true), kind, s3.expressPut);
  }

  /** MiB/s of downloads, from each load less its waits: of the network, or of the processor if the network seems faster than that. */
  private bandwidth(): void {
    const { network, handler, s3 } = this.environment;
    const loads = this.samples.calls.filter(
      ({ cold, weightBytes }) => cold && weightBytes >= MIN_LOAD_BYTES && weightBytes <= network.burst * MIB,
    );
    const rates = loads.flatMap((call) => {
      const megabytes = call.weightBytes / 1e6;
      const sessionMs = (handler.sessionCpuMs + handler.sessionCpu * megabytes) / this.shareOf(call);
      const ms = call.loadMs - s3.standardFirstGetMs - sessionMs;
      return ms > 0 ? [(1000 * call.weightBytes) / ms / MIB] : [];
    });
    const kind = 'cold calls of slices of 4 MB and more';
    this.estimate('network', 'burstRate', rates, kind, median);
    if (rates.length < MIN_SAMPLES) return;
    const share = median(loads.map((call) => this.shareOf(call)));
    const measured = (1e9 / (median(rates) * MIB)) * share - handler.checksum;
    if (measured < network.cpu * network.tls)
      this.estimate('network', 'cpu', rates, kind, () => Math.max(0, measured / network.tls));
  }

  private transitions(): void {
    const gaps = gapsOf(this.samples.calls)
      .filter(({ next }) => !next.cold)
      .map(({ ms, next }) => Math.max(0, ms - this.clientMs(next)));
    const name = this.options.stateMachineType === 'standard' ? 'standard1KiB' : 'express';
    const shape = this.environment.stepFunctions[name];
    this.estimate('stepFunctions', name, gaps, 'calls of warm runs of two slices and more', (all) =>
      distributionOf(all, shape),
    );
  }

  private placement(): void {
    const { lambda, stepFunctions } = this.environment;
    const transition =
      stepFunctions[this.options.stateMachineType === 'standard' ? 'standard1KiB' : 'express'];
    const init = lambda[this.initName];
    const usual = transition.find(([percent]) => percent === 50)?.[1] ?? 0;
    const placements = gapsOf(this.samples.calls).flatMap(({ ms, next }) =>
      next.cold && !next.warmedUp && next.report?.initMs !== undefined
        ? [Math.max(0, ms - usual - (next.report.initMs || init) - this.clientMs(next))]
        : [],
    );
    this.estimate('lambda', 'placementMs', placements, 'cold calls without a warm-up', median);
  }

  private clientMs(call: CallSample): number {
    return this.environment.handler.callCpuMs / this.shareOf(call);
  }

  private transferMs(bytes: number, call: CallSample): number {
    return transferMs(bytes, this.vcpusOf(call), NETWORK_PATH, this.environment);
  }

  /** Processor time of Node.js on the machine to which the constants refer, for each elapsed unit of time. */
  private shareOf(call: CallSample): number {
    return this.environment.processor.lambdaSpeed * this.vcpusOf(call);
  }

  /** The share of a vCPU that Node.js gets, at most 1. A whole one if the memory is unknown. */
  private vcpusOf({ slice, report }: CallSample): number {
    const memoryMb = report?.memoryMb ?? this.options.slices?.[slice]?.memoryMb;
    return memoryMb === undefined ? 1 : Math.min(1, vcpuShare(memoryMb, this.environment));
  }

  private delay(name: string, first: string, delays: readonly number[], kind: string, shape: Pairs): void {
    this.estimate('s3', name, delays, kind, (all) => distributionOf(all, shape));
    this.estimate('s3', first, delays, kind, median);
  }

  /** Keeps the default if there are few samples. Later estimates use the new constant. */
  private estimate(
    group: keyof Environment,
    constant: string,
    values: readonly number[],
    kind: string,
    from: (values: readonly number[]) => number | Pairs,
  ): void {
    const samples = values.length;
    if (samples < MIN_SAMPLES) {
      const missing = `not enough runs: ${samples} ${kind}, at least ${MIN_SAMPLES} are needed`;
      this.found.push({ group, constant, samples, missing });
      return;
    }
    const value = from(values);
    this.found.push({ group, constant, samples, value });
    this.environment = {
      ...this.environment,
      [group]: { ...this.environment[group], [constant]: value },
    };
  }
}
