/** The parts of the time that one slice takes, in milliseconds, without random delays. */
import type { SliceDemand } from '../chain';
import type { Environment } from '../constants/environment';
import type { CostOptions } from '../options';
import { type Architecture, computeMs, initMs, singleThreadMs, vcpuShare, visibleVcpus } from './lambda';
import { type NetworkPath, transferMs } from './network';

/** Where a function runs and how it reaches S3. */
export interface Host extends NetworkPath {
  readonly architecture: Architecture;
  readonly environment: Environment;
}

export function hostOf({ architecture, environment, networkInVpc, tls }: Required<CostOptions>): Host {
  return { architecture, environment, inVpc: networkInVpc, tls };
}

/** Times of a call that finds the slice loaded. */
export interface CallTiming {
  /** The runtime client, and the processor time of requests to S3. */
  readonly overheadMs: number;
  readonly readMs: number;
  readonly computeMs: number;
  readonly writeMs: number;
}

/** Times that a new sandbox adds. */
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
): CallTiming {
  const { environment } = host;
  const { handler, processor } = environment;
  const share = vcpuShare(memoryMb, environment);
  const usable = Math.min(threads, visibleVcpus(memoryMb, environment));
  const speed = host.architecture === 'arm64' ? processor.armSpeed : 1;
  return {
    overheadMs: singleThreadMs(handler.callCpuMs + s3Requests * handler.requestCpuMs, share, environment),
    readMs: transferMs(readBytes, share, host, environment),
    computeMs: computeMs(demand.coreSeconds / speed, usable, share, environment),
    writeMs: transferMs(demand.writeBytes, share, host, environment),
  };
}

export function loadTiming(fileBytes: number, memoryMb: number, host: Host): LoadTiming {
  const { environment } = host;
  const { handler, lambda } = environment;
  const share = vcpuShare(memoryMb, environment);
  const megabytes = fileBytes / 1e6;
  return {
    placementMs: lambda.placementMs,
    initMs: initMs(host.architecture, 'zip', environment),
    downloadMs: transferMs(fileBytes, share, host, environment),
    sessionMs: singleThreadMs(handler.sessionCpuMs + handler.sessionCpu * megabytes, share, environment),
    firstRunMs: singleThreadMs(handler.firstRun * megabytes, share, environment),
  };
}
