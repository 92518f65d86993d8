/** The parts of the time that one slice takes, in milliseconds, without random delays, and the network of its sandbox. */
import type { SliceDemand } from '../chain';
import type { Environment } from '../constants/defaults';
import type { CostOptions } from '../options';
import { type Architecture, computeMs, initMs, singleThreadMs, vcpuShare, visibleVcpus, MIB } from './lambda';

export interface Host extends NetworkPath {
  readonly architecture: Architecture;
  readonly environment: Environment;
  readonly prepacking: boolean;
}

export function hostOf({ networkInVpc: inVpc, ...options }: Required<CostOptions>): Host {
  const { architecture, environment, prepacking } = options;
  return { architecture, environment, prepacking, inVpc };
}

export interface LoadTiming {
  /** Until the runtime starts; not billed. */
  readonly placementMs: number;
  readonly initMs: number;
  /** The wait for the first byte is not included. */
  readonly downloadMs: number;
  readonly sessionMs: number;
  /** What the first run takes longer. */
  readonly firstRunMs: number;
}

/**
 * @param s3Requests number of requests to S3 in a call
 * @param readBytes bytes that come from S3; 0 if they come with the request
 */
export function callTiming(
  demand: SliceDemand,
  memoryMb: number,
  threads: number,
  s3Requests: number,
  readBytes: number,
  host: Host,
) {
  const { environment } = host;
  const { handler } = environment;
  const share = vcpuShare(memoryMb, environment);
  const usable = Math.min(threads, visibleVcpus(memoryMb, environment));
  return {
    // The runtime client, and the processor time of requests to S3.
    overheadMs: singleThreadMs(handler.callCpuMs + s3Requests * handler.requestCpuMs, share),
    readMs: transferMs(readBytes, share, host, environment),
    computeMs: computeMs(demand.coreSeconds, usable, share, environment),
    writeMs: transferMs(demand.writeBytes, share, host, environment),
  };
}

export function loadTiming(
  demand: Pick<SliceDemand, 'fileBytes' | 'packedBytes' | 'activationBytes'>,
  memoryMb: number,
  host: Host,
): LoadTiming {
  const { fileBytes, packedBytes, activationBytes } = demand;
  const { environment, prepacking } = host;
  const { handler, lambda } = environment;
  const share = vcpuShare(memoryMb, environment);
  const [megabytes, packed] = [fileBytes / 1e6, prepacking ? packedBytes / 1e6 : 0];
  const sessionCpuMs = handler.sessionCpuMs + handler.sessionCpu * megabytes + handler.prepackCpu * packed;
  // Prepacking reads the weights, so the first run finds their pages.
  const firstRunCpuMs =
    handler.firstRun * (megabytes - packed) + (handler.firstTouch * activationBytes) / 1e6;
  return {
    placementMs: lambda.placementMs,
    initMs: initMs(host.architecture, environment),
    downloadMs: transferMs(fileBytes, share, host, environment),
    sessionMs: singleThreadMs(sessionCpuMs, share),
    firstRunMs: singleThreadMs(firstRunCpuMs, share),
  };
}

export interface NetworkPath {
  readonly inVpc: boolean;
}

/**
 * Milliseconds until bytes have passed between a function and S3, without the wait for the first byte. The network and the
 * processor work at the same time, so the slower one decides. The bucket is full: a sandbox is new, or moved less than half of
 * the burst since its last call.
 *
 * @param vcpus processors of the function, which may be a fraction
 */
export function transferMs(
  bytes: number,
  vcpus: number,
  path: NetworkPath,
  environment: Environment,
): number {
  if (bytes === 0) return 0;
  const { network } = environment;
  const rate = fastestRate(bytes, vcpus, environment);
  if (path.inVpc) return 1000 * (bytes / Math.min(rate, network.vpcRate * MIB));
  const bucket = {
    capacity: network.burst * MIB,
    burstRate: rate,
    refillRate: Math.min(rate, network.sustainedRate * MIB),
    refillShare: network.refill,
  };
  return 1000 * passed(bucket.capacity, bytes, bucket).seconds;
}

/** Bytes per second within the burst: of the network, of the connections to S3, or of the processor. */
function fastestRate(bytes: number, vcpus: number, environment: Environment): number {
  const { network, s3, handler } = environment;
  const connections = Math.max(1, Math.min(handler.connections, Math.ceil(bytes / (handler.partMb * MIB))));
  const cpuMsPerMb = singleThreadMs(network.cpu, vcpus);
  return Math.min(network.burstRate * MIB, connections * s3.connectionRate * 1e6, 1e9 / cpuMsPerMb);
}

/** Bytes and bytes per second. */
export interface BucketShape {
  /** Tokens of a new sandbox: bytes that it may pass at `burstRate`. */
  readonly capacity: number;
  readonly burstRate: number;
  /** How fast the bucket refills, which is also the rate of an empty one. */
  readonly refillRate: number;
  /** The share of the capacity up to which it refills. */
  readonly refillShare: number;
}

/** A bucket without a burst. */
export function steady(rate: number): BucketShape {
  return { capacity: 0, burstRate: rate, refillRate: rate, refillShare: 0 };
}

/** Tokens after a time in which nothing passed. */
export function refilled(tokens: number, seconds: number, shape: BucketShape): number {
  return Math.max(tokens, Math.min(shape.capacity * shape.refillShare, tokens + shape.refillRate * seconds));
}

export function passed(tokens: number, bytes: number, shape: BucketShape) {
  const { capacity, burstRate, refillRate, refillShare } = shape;
  const loss = burstRate - refillRate;
  if (loss <= 0) {
    const seconds = bytes / burstRate;
    return { seconds, tokens: refilled(tokens, seconds, { ...shape, refillRate: -loss }) };
  }
  // The part above the refilled one does not refill.
  const upper = Math.min(bytes, Math.max(0, tokens - capacity * refillShare));
  const lasting = ((tokens - upper) * burstRate) / loss;
  const lower = Math.min(bytes - upper, lasting);
  const rest = bytes - upper - lower;
  return {
    seconds: (upper + lower) / burstRate + rest / refillRate,
    tokens: rest > 0 ? 0 : Math.max(0, tokens - upper - (lower * loss) / burstRate),
  };
}
