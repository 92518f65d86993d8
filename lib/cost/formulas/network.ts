/** The network of a sandbox: a token bucket, connections to S3, and the processor time of what passes. */
import type { Environment } from '../constants/environment';
import { MIB, singleThreadMs } from './lambda';

/** Which way a function's traffic takes. */
export interface NetworkPath {
  readonly inVpc: boolean;
  readonly tls: boolean;
}

/**
 * Milliseconds until bytes have passed between a function and S3, without the wait for the first byte. The network and the
 * processor work at the same time, so the slower one decides.
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
  const { network, handler } = environment;
  const cpuMs = (bytes / 1e6) * (network.cpu * (path.tls ? network.tls : 1) + handler.checksum);
  return Math.max(wireMs(bytes, path.inVpc, environment), singleThreadMs(cpuMs, vcpus, environment));
}

/** The burst is full: a sandbox is new, or moved less than half of the burst since its last call. */
function wireMs(bytes: number, inVpc: boolean, { network, s3, handler }: Environment): number {
  const connections = Math.max(1, Math.min(handler.connections, Math.ceil(bytes / (handler.partMb * MIB))));
  const connectionsRate = connections * s3.connectionRate * 1e6;
  const seconds = (count: number, rate: number) => count / Math.min(rate * MIB, connectionsRate);
  if (inVpc) return 1000 * seconds(bytes, network.vpcRate);
  const burst = Math.min(bytes, network.burst * MIB);
  return 1000 * (seconds(burst, network.burstRate) + seconds(bytes - burst, network.sustainedRate));
}
