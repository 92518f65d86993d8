/** Describes a simulation on this machine with the constants of the model of cost. */
import { type Environment, DEFAULT_ENVIRONMENT } from '../../lib/cost/constants/defaults';
import type { Simulation } from '../../local';

const MIB = 2 ** 20;

/** A simulation that delays everything that the model of cost counts. */
export type FullSimulation = Required<Simulation>;

export interface Machine {
  readonly processors: number;
  /** Processor time of starting one function: Node.js, the handler, ONNX Runtime's library. */
  readonly initMs: number;
  /** Processor time of this machine's S3 and of the function for each MB that a function loads. */
  readonly loadMsPerMb: number;
  /** How much longer other programs on this machine let each computation take; at least 1. */
  readonly slowdown: number;
}

/**
 * On Lambda, each function has processors of its own, in proportion to its memory. Here, memory decides nothing: each function may
 * use all processors of this machine, and functions that start at the same time share them. So the start of `together`
 * functions takes that many times as long, divided by the number of processors, and so do their downloads if the processors are
 * slower than the simulated network. The delays of S3 and of transitions are those of the model, which the simulation draws from.
 *
 * @param together number of functions that start and load at the same time
 */
export function simulatedEnvironment(
  { network, coldStartMs }: FullSimulation,
  { processors, initMs, loadMsPerMb, slowdown }: Machine,
  together: number,
): Environment {
  const { lambda, network: wire, s3, processor } = DEFAULT_ENVIRONMENT;
  const sharing = Math.max(1, together / processors);
  const perProcessor = slowdown * sharing;
  // A process that mostly waits for the network is served when it wakes, so other programs do not slow it down.
  const processorRate = 1e9 / (loadMsPerMb * sharing);
  const rate = (bytesPerSecond: number): number => Math.min(bytesPerSecond, processorRate) / MIB;
  const { functionBytesPerSecond, burst } = network;
  const sustainedRate = rate(functionBytesPerSecond);
  return {
    ...DEFAULT_ENVIRONMENT,
    lambda: {
      ...lambda,
      // Every function has more than enough of the processors, as far as the model knows.
      mbPerVcpu: 1,
      visibleVcpus: [[lambda.maxMemoryMb, processors]],
      placementMs: coldStartMs,
      x86InitMs: initMs * perProcessor,
      armInitMs: initMs * perProcessor,
      runtimeLoadMs: 0,
    },
    network: {
      ...wire,
      ...{ burst: (burst?.bytes ?? 0) / MIB, refill: burst?.refillShare ?? 0 },
      ...{ burstRate: rate(burst?.bytesPerSecond ?? functionBytesPerSecond), sustainedRate },
      vpcRate: sustainedRate,
    },
    s3: { ...s3, connectionRate: network.connectionBytesPerSecond / 1e6 },
    // Of all processor times, also those of downloads and of the handler.
    processor: { ...processor, lambdaSpeed: 1 / slowdown },
  };
}
