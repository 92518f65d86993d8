/** The samples, and the constants as far as they are known: each estimate uses those before it. */
import type { Pairs } from '../constants/constant';
import type { Environment } from '../constants/environment';
import { vcpuShare } from '../formulas/lambda';
import { transferMs } from '../formulas/network';
import type { LoggedReport } from '../logged-call';
import type { CalibrationOptions, Estimate } from './estimate';
import type { CallSample, Samples } from './samples';

/** Fewer samples keep the default. */
export const MIN_SAMPLES = 5;

/** Loads of less say more about waits than about bandwidth. */
export const MIN_LOAD_MB = 4;

/** Functions within a VPC and without TLS are rare, and the telemetry does not tell. */
const NETWORK_PATH = { inVpc: false, tls: true };

/** Tells the memory of a call's function. */
interface Memory {
  readonly slice: number;
  readonly report?: LoggedReport;
}

export class Estimator {
  readonly found: Estimate[] = [];
  /** The largest index of a slice. */
  readonly lastSlice: number;
  private current: Environment;

  constructor(
    readonly samples: Samples,
    readonly options: CalibrationOptions,
    defaults: Environment,
  ) {
    this.current = defaults;
    this.lastSlice = samples.calls.reduce((last, { slice }) => Math.max(last, slice), 0);
  }

  /** The defaults, and the estimates so far. */
  get environment(): Environment {
    return this.current;
  }

  /** The calls whose function loaded its files, in the call or in a warm-up. */
  loads(): CallSample[] {
    return this.samples.calls.filter(
      ({ cold, loadMs, weightBytes }) => cold && loadMs > 0 && weightBytes > 0,
    );
  }

  /** Milliseconds in Lambda's runtime client. */
  clientMs(call: CallSample): number {
    return this.current.handler.callCpuMs / this.shareOf(call);
  }

  transferMs(bytes: number, call: CallSample): number {
    return transferMs(bytes, this.vcpusOf(call), NETWORK_PATH, this.current);
  }

  /** Processor time of Node.js on the machine to which the constants refer, for each elapsed unit of time. */
  shareOf(call: Memory): number {
    return this.current.processor.lambdaSpeed * this.vcpusOf(call);
  }

  /** The share of a vCPU that Node.js gets, at most 1. A whole one if the memory is unknown. */
  private vcpusOf({ slice, report }: Memory): number {
    const memoryMb = report?.memoryMb ?? this.options.slices?.[slice]?.memoryMb;
    return memoryMb === undefined ? 1 : Math.min(1, vcpuShare(memoryMb, this.current));
  }

  /** Keeps the default if there are few samples. Later estimates use the new constant. */
  estimate(
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
    this.current = { ...this.current, [group]: { ...this.current[group], [constant]: value } };
  }

  /** A constant for which the options lack something. */
  cannotEstimate(group: keyof Environment, constant: string, missing: string): void {
    this.found.push({ group, constant, samples: 0, missing });
  }
}
