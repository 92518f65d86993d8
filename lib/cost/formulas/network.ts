/** The network of a sandbox: a token bucket, connections to S3, and the processor time of what passes. */
import type { Environment } from '../constants/environment';
import { MIB, singleThreadMs } from './lambda';
import { passed } from './token-bucket';

/** Which way a function's traffic takes. */
export interface NetworkPath {
  readonly inVpc: boolean;
  readonly tls: boolean;
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
  const rate = fastestRate(bytes, vcpus, path, environment);
  if (path.inVpc) return 1000 * (bytes / Math.min(rate, network.vpcRate * MIB));
  const bucket = {
    capacity: network.burst * MIB,
    burstRate: rate,
    refillRate: Math.min(rate, network.sustainedRate * MIB),
    refillShare: network.refill,
  };
  return 1000 * passed(bucket.capacity, bytes, bucket).seconds;
}

/** The part of `transferMs` for which the function waits because its burst is used up. In a VPC there is no burst. */
export function beyondBurstMs(
  bytes: number,
  vcpus: number,
  path: NetworkPath,
  environment: Environment,
): number {
  if (bytes === 0 || path.inVpc) return 0;
  const withinBurst = 1000 * (bytes / fastestRate(bytes, vcpus, path, environment));
  return Math.max(0, transferMs(bytes, vcpus, path, environment) - withinBurst);
}

/** Bytes per second within the burst: of the network, of the connections to S3, or of the processor. */
function fastestRate(bytes: number, vcpus: number, { tls }: NetworkPath, environment: Environment): number {
  const { network, s3, handler } = environment;
  const connections = Math.max(1, Math.min(handler.connections, Math.ceil(bytes / (handler.partMb * MIB))));
  const cpuMsPerMb = singleThreadMs(
    network.cpu * (tls ? network.tls : 1) + handler.checksum,
    vcpus,
    environment,
  );
  return Math.min(network.burstRate * MIB, connections * s3.connectionRate * 1e6, 1e9 / cpuMsPerMb);
}
