/** Lambda: the processors that come with a function's memory, and what a call costs. */
import type { Environment, Prices } from '../constants/defaults';
import { GIB } from './s3';

export type Architecture = 'x86_64' | 'arm64';

/** Number of bytes of the MB of a function's memory and `/tmp`. */
export const MIB = 2 ** 20;

/** A tenth of `/tmp` to spare, as plans size it. */
const TMP_HEADROOM = 1.1;

/** vCPUs' worth of time that a function gets. https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html */
export function vcpuShare(memoryMb: number, { lambda }: Environment): number {
  return memoryMb / lambda.mbPerVcpu;
}

/** The vCPUs that a function sees. More threads than these take turns. */
export function visibleVcpus(memoryMb: number, { lambda }: Environment): number {
  const steps = lambda.visibleVcpus;
  const [, vcpus] = steps.find(([most]) => memoryMb <= most) ?? steps[steps.length - 1];
  return vcpus;
}

/** Elapsed milliseconds of work of one thread, such as that of Node.js. @param cpuMs processor time on one vCPU */
export function singleThreadMs(cpuMs: number, vcpus: number): number {
  return cpuMs / Math.min(1, vcpus);
}

/**
 * Elapsed milliseconds of ONNX Runtime's work, by Amdahl's law: `serialShare` of it runs on one thread.
 *
 * @param vcpus processors that the threads get, which may be a fraction
 */
export function computeMs(
  coreSeconds: number,
  threads: number,
  vcpus: number,
  { processor }: Environment,
): number {
  const parallel = Math.min(threads, vcpus);
  const speedup =
    parallel <= 1 ? parallel : 1 / (processor.serialShare + (1 - processor.serialShare) / parallel);
  return (processor.computing * coreSeconds * 1000) / speedup;
}

export function tmpMb(fileBytes: number, { lambda }: Environment): number {
  return Math.max(lambda.freeTmpMb, Math.ceil((fileBytes * TMP_HEADROOM) / MIB));
}

/** Dollars of a millisecond of a function of this memory. */
export function durationRate(memoryMb: number, architecture: Architecture, { lambda }: Prices): number {
  const gbSecond = architecture === 'arm64' ? lambda.armGbSecond : lambda.x86GbSecond;
  return ((memoryMb / 1024) * gbSecond) / 1000;
}

/** Dollars of a millisecond of the part of `/tmp` that is not free. */
export function tmpRate(fileBytes: number, prices: Prices, environment: Environment): number {
  const charged = tmpMb(fileBytes, environment) - environment.lambda.freeTmpMb;
  return ((charged / 1024) * prices.lambda.tmpGbSecond) / 1000;
}

/** @param bytes of log lines, with what CloudWatch adds to each */
export function logDollars(bytes: number, { cloudWatch }: Prices): number {
  return (bytes / GIB) * cloudWatch.logs;
}

/** Milliseconds of the init phase: Node.js, the handler and ONNX Runtime's library. Lambda bills them. */
export function initMs(architecture: Architecture, { lambda }: Environment): number {
  const start = architecture === 'arm64' ? lambda.armInitMs : lambda.x86InitMs;
  return start + lambda.runtimeLoadMs;
}

/**
 * Probability that a run finds no idle sandbox, if runs arrive at random (Poisson) and one run ended at most `keepAliveSeconds`
 * ago keeps the sandboxes. Runs that overlap need further sandboxes and are cold more often than this.
 */
export function coldShare(requestsPerHour: number, { lambda }: Environment): number {
  return Math.exp((-requestsPerHour * lambda.keepAliveSeconds) / 3600);
}
