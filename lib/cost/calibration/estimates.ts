/** One estimate for each constant that telemetry tells something about, in the order in which they need each other. */
import type { Pairs } from '../constants/constant';
import type { Environment } from '../constants/environment';
import { computeMs, MIB, vcpuShare, visibleVcpus } from '../formulas/lambda';
import { transferMs } from '../formulas/network';

import { gapsOf } from './chains';
import type { CalibrationOptions, Estimate } from './estimate';
import type { CallSample, ReportSample, Samples } from './samples';
import { distributionOf, median, robustLine } from './statistics';

/** Fewer samples keep the default. */
export const MIN_SAMPLES = 5;

/** Loads of less say more about waits than about bandwidth. */
const MIN_LOAD_MB = 4;

/** A line through loads needs sizes that differ by this factor. */
const MIN_SIZE_RATIO = 1.5;

/** Functions within a VPC and without TLS are rare, and the telemetry does not tell. */
const NETWORK_PATH = { inVpc: false, tls: true };

export function estimatesOf(
  samples: Samples,
  options: CalibrationOptions,
  defaults: Environment,
): Estimate[] {
  return new Estimator(samples, options, defaults).all();
}

/** Tells the memory of a call's function. */
interface Memory {
  readonly slice: number;
  readonly report?: ReportSample;
}

class Estimator {
  private environment: Environment;
  private readonly found: Estimate[] = [];
  private readonly lastSlice: number;

  constructor(
    private readonly samples: Samples,
    private readonly options: CalibrationOptions,
    defaults: Environment,
  ) {
    this.environment = defaults;
    this.lastSlice = samples.calls.reduce((last, { slice }) => Math.max(last, slice), 0);
  }

  all(): Estimate[] {
    this.init();
    this.speed();
    this.runtimeClient();
    this.bandwidth();
    this.reads();
    this.writes();
    this.session();
    this.transitions();
    this.placement();
    return this.found;
  }

  /** The init phase: Node.js, the handler, ONNX Runtime's library. */
  private init(): void {
    const { lambda } = this.environment;
    const name = this.options.architecture === 'arm64' ? 'armInitMs' : 'x86InitMs';
    const inits = this.samples.reports.flatMap(({ initMs }) => (initMs === undefined ? [] : [initMs]));
    this.estimate('lambda', name, inits, 'cold starts', (all) =>
      Math.max(0, median(all) - lambda.runtimeLoadMs),
    );
    // What the library takes is part of the init phase, and cannot take longer than the whole.
    if (inits.length >= MIN_SAMPLES && median(inits) < lambda.runtimeLoadMs) {
      this.estimate('lambda', 'runtimeLoadMs', inits, 'cold starts', median);
    }
  }

  /** Compares warm runs with the work that a profile has for the same slices. */
  private speed(): void {
    const { slices = [] } = this.options;
    const speeds = this.samples.calls.flatMap(({ cold, slice, runMs }) => {
      const facts = slices.at(slice);
      if (cold || facts?.coreMs === undefined || runMs === 0) return [];
      const { coreMs, memoryMb, threads } = facts;
      const usable = Math.min(threads, visibleVcpus(memoryMb, this.environment));
      const share = vcpuShare(memoryMb, this.environment);
      return [computeMs(coreMs / 1000, usable, share, this.environment) / runMs];
    });
    if (slices.some(({ coreMs }) => coreMs !== undefined)) {
      this.estimate('processor', 'lambdaSpeed', speeds, 'warm calls', median);
    } else {
      const missing = 'needs --plan and --profile';
      this.found.push({ group: 'processor', constant: 'lambdaSpeed', samples: 0, missing });
    }
    const warmRuns = mediansBySlice(this.samples.calls.filter(({ cold }) => !cold));
    const firstRuns = this.samples.calls.flatMap((call) => {
      const usual = warmRuns.get(call.slice);
      if (!call.cold || call.weightBytes < MIN_LOAD_MB * 1e6 || usual === undefined) return [];
      return [(Math.max(0, call.runMs - usual) * this.shareOf(call)) / (call.weightBytes / 1e6)];
    });
    this.estimate('handler', 'firstRun', firstRuns, 'cold calls of slices of 4 MB and more', median);
  }

  /** What a call takes beyond what the handler measures. */
  private runtimeClient(): void {
    const overheads = this.samples.calls.flatMap((call) => {
      const { report, cold, readMs, runMs, writeMs } = call;
      if (report === undefined || cold) return [];
      return [Math.max(0, report.durationMs - readMs - runMs - writeMs) * this.shareOf(call)];
    });
    this.estimate('handler', 'callCpuMs', overheads, 'warm calls with a REPORT line', median);
    const warmUps = this.samples.warmUps.flatMap(({ cold, report, slice }) =>
      cold || report === undefined ? [] : [report.durationMs * this.shareOf({ slice, report })],
    );
    this.estimate('handler', 'warmUpCpuMs', warmUps, 'warm-ups of warm functions with a REPORT line', median);
  }

  /** MB/s of downloads: of the network, or of the processor if it is slower. */
  private bandwidth(): void {
    const { network, handler, s3 } = this.environment;
    const loads = this.loads().filter(({ weightBytes }) => weightBytes <= network.burst * MIB);
    const large = loads.filter(({ weightBytes }) => weightBytes >= MIN_LOAD_MB * 1e6);
    const perMb = this.loadMsPerMb(loads, large).filter((ms) => ms > 0);
    const missing = 'cold calls of slices of 4 MB and more';
    const rates = perMb.map((ms) => 1000 / ms);
    const share =
      large.length === 0
        ? this.environment.processor.lambdaSpeed
        : median(large.map((call) => this.shareOf(call)));
    const rate = rates.length === 0 ? 0 : median(rates);
    const cpuMs = (network.cpu * network.tls + handler.checksum) / share;
    if (rates.length >= MIN_SAMPLES && 1000 / rate < cpuMs) {
      this.estimate('network', 'cpu', rates, missing, () =>
        Math.max(0, ((1000 / rate) * share - handler.checksum) / network.tls),
      );
    }
    const mibs = rate * (1e6 / MIB);
    const isWireSlower = 1000 / rate > cpuMs;
    const burstRate = isWireSlower ? mibs : Math.max(network.burstRate, mibs);
    this.estimate('network', 'burstRate', rates, missing, () => burstRate);
    if (rates.length < MIN_SAMPLES) return;
    // Beyond the burst it cannot be faster than within.
    if (burstRate < network.sustainedRate) {
      this.estimate('network', 'sustainedRate', rates, missing, () => burstRate);
    }
    if (handler.connections * s3.connectionRate < rate) {
      this.estimate('s3', 'connectionRate', rates, missing, () => rate / handler.connections);
    }
  }

  /** One slope for all if the sizes differ; otherwise what each load takes beyond the known waits, for each MB. */
  private loadMsPerMb(loads: readonly CallSample[], large: readonly CallSample[]): number[] {
    const { handler } = this.environment;
    const sizes = loads.map(({ weightBytes }) => weightBytes / 1e6);
    const largest = sizes.reduce((most, size) => Math.max(most, size), 0);
    const smallest = sizes.reduce((least, size) => Math.min(least, size), Infinity);
    const isSpread = largest >= MIN_SIZE_RATIO * Math.max(MIN_LOAD_MB, smallest);
    const line = isSpread
      ? robustLine(loads.map(({ weightBytes, loadMs }) => [weightBytes / 1e6, loadMs] as const))
      : undefined;
    return large.map((call) => {
      const sessionMs = handler.sessionCpu / this.shareOf(call);
      if (line !== undefined) return line.slope - sessionMs;
      const waits = this.firstGetMs() + handler.sessionCpuMs / this.shareOf(call);
      return (call.loadMs - waits) / (call.weightBytes / 1e6) - sessionMs;
    });
  }

  private reads(): void {
    const { s3, handler } = this.environment;
    const { tensorStore, slices = [] } = this.options;
    const delays = this.samples.calls.flatMap((call) => {
      // The request of the first slice may be in the event.
      if ((call.cold && !call.warmedUp) || call.bytesRead === 0 || (call.slice === 0 && this.lastSlice > 0))
        return [];
      const requestsMs = ((slices[call.slice]?.reads ?? 1) * handler.requestCpuMs) / this.shareOf(call);
      return [Math.max(0, call.readMs - requestsMs - this.transferMs(call.bytesRead, call))];
    });
    const [get, first, shape] =
      tensorStore === 's3-express'
        ? (['expressGet', 'expressFirstGetMs', s3.expressGet] as const)
        : (['standardGet', 'standardFirstGetMs', s3.standardGet] as const);
    this.estimate('s3', get, delays, 'calls that read tensors of other slices', (all) =>
      distributionOf(all, shape),
    );
    // Each measured read is the first one of its call.
    this.estimate('s3', first, delays, 'calls that read tensors of other slices', median);
  }

  private writes(): void {
    const { s3, handler } = this.environment;
    const delayOf = (call: CallSample): number =>
      Math.max(
        0,
        call.writeMs - handler.requestCpuMs / this.shareOf(call) - this.transferMs(call.bytesWritten, call),
      );
    const written = this.samples.calls.filter(({ bytesWritten }) => bytesWritten > 0);
    const isExpress = ({ slice }: CallSample): boolean =>
      this.options.tensorStore === 's3-express' && slice < this.lastSlice;
    const standard = written.filter((call) => !isExpress(call)).map(delayOf);
    this.estimate('s3', 'standardPut', standard, 'calls that write', (all) =>
      distributionOf(all, s3.standardPut),
    );
    this.estimate('s3', 'standardFirstPutMs', standard, 'calls that write', median);
    if (this.options.tensorStore === 's3-standard') return;
    const express = written.filter(isExpress).map(delayOf);
    this.estimate('s3', 'expressPut', express, 'calls that write', (all) =>
      distributionOf(all, s3.expressPut),
    );
    this.estimate('s3', 'expressFirstPutMs', express, 'calls that write', median);
  }

  /** What a load takes besides the first request and its bytes. */
  private session(): void {
    const { handler } = this.environment;
    const rest = this.loads().map((call) => {
      const perMb = (handler.sessionCpu * call.weightBytes) / 1e6 / this.shareOf(call);
      const ms = call.loadMs - this.firstGetMs() - this.transferMs(call.weightBytes, call) - perMb;
      return Math.max(0, ms) * this.shareOf(call);
    });
    this.estimate('handler', 'sessionCpuMs', rest, 'cold calls', median);
  }

  private transitions(): void {
    const { stepFunctions } = this.environment;
    const isStandard = this.options.stateMachineType === 'standard';
    const name = isStandard ? 'standard1KiB' : 'express';
    const gaps = gapsOf(this.samples.calls)
      .filter(({ next }) => !next.cold)
      .map(({ ms, next }) => Math.max(0, ms - this.clientMs(next)));
    const seen = gaps.length >= MIN_SAMPLES ? gaps : this.samples.transitions;
    const shape = stepFunctions[name];
    this.estimate('stepFunctions', name, seen, 'calls of warm runs of two slices and more', (all) =>
      distributionOf(all, shape),
    );
  }

  /** The calls that start a sandbox wait for a transition, the placement and the init phase. */
  private placement(): void {
    const { lambda, stepFunctions } = this.environment;
    const transition =
      this.options.stateMachineType === 'standard' ? stepFunctions.standard1KiB : stepFunctions.express;
    const init = this.options.architecture === 'arm64' ? lambda.armInitMs : lambda.x86InitMs;
    const usual = transition.find(([percent]) => percent === 50)?.[1] ?? 0;
    const placements = gapsOf(this.samples.calls).flatMap(({ ms, next }) =>
      next.cold && !next.warmedUp && next.report?.initMs !== undefined
        ? [Math.max(0, ms - usual - (next.report.initMs || init) - this.clientMs(next))]
        : [],
    );
    this.estimate('lambda', 'placementMs', placements, 'cold calls without a warm-up', median);
  }

  private loads(): CallSample[] {
    return this.samples.calls.filter(
      ({ cold, loadMs, weightBytes }) => cold && loadMs > 0 && weightBytes > 0,
    );
  }

  private firstGetMs(): number {
    return this.environment.s3.standardFirstGetMs;
  }

  private clientMs(call: CallSample): number {
    return this.environment.handler.callCpuMs / this.shareOf(call);
  }

  private transferMs(bytes: number, call: CallSample): number {
    return transferMs(bytes, this.vcpusOf(call), NETWORK_PATH, this.environment);
  }

  /** Processor time of Node.js on the machine to which the constants refer, for each elapsed unit of time. */
  private shareOf(call: Memory): number {
    return this.environment.processor.lambdaSpeed * this.vcpusOf(call);
  }

  /** The share of a vCPU that Node.js gets, at most 1. A whole one if the memory is unknown. */
  private vcpusOf({ slice, report }: Memory): number {
    const memoryMb = report?.memoryMb ?? this.options.slices?.[slice]?.memoryMb;
    return memoryMb === undefined ? 1 : Math.min(1, vcpuShare(memoryMb, this.environment));
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

/** By slice: the median of its runs, in milliseconds. */
function mediansBySlice(calls: readonly CallSample[]): ReadonlyMap<number, number> {
  const runs = new Map<number, number[]>();
  for (const { slice, runMs } of calls) {
    const own = runs.get(slice);
    if (own === undefined) runs.set(slice, [runMs]);
    else own.push(runMs);
  }
  return new Map([...runs].map(([slice, own]) => [slice, median(own)]));
}
