/** Describes a simulation on this machine with the constants of the model of cost. */
import type { Environment } from '../../lib/cost/constants/environment';
import { DEFAULT_ENVIRONMENT } from '../../lib/cost/constants/environment';
import type { NetworkShape, Simulation } from '../../local';

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
 * slower than the simulated network.
 *
 * @param together number of functions that start and load at the same time
 */
export function simulatedEnvironment(
  { network, coldStartMs, transitionMs }: FullSimulation,
  { processors, initMs, loadMsPerMb, slowdown }: Machine,
  together: number,
): Environment {
  const { lambda, network: wire, s3, stepFunctions, processor } = DEFAULT_ENVIRONMENT;
  const sharing = Math.max(1, together / processors);
  const perProcessor = slowdown * sharing;
  // A process that mostly waits for the network is served when it wakes, so other programs do not slow it down.
  const rate = Math.min(network.functionBytesPerSecond, 1e9 / (loadMsPerMb * sharing)) / MIB;
  const constant = (ms: number): readonly [readonly [number, number]] => [[50, ms]];
  const standard = constant(transitionMs);
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
    // The simulated network has no burst.
    network: { ...wire, burstRate: rate, sustainedRate: rate, vpcRate: rate },
    s3: { ...s3, ...delaysOf(network), connectionRate: network.connectionBytesPerSecond / 1e6 },
    stepFunctions: {
      ...stepFunctions,
      express: constant(transitionMs),
      ...{ standard32B: standard, standard1KiB: standard, standard16KiB: standard },
      ...{ standard64KiB: standard, standard256KiB: standard },
    },
    // Of all processor times, also those of downloads and of the handler.
    processor: { ...processor, lambdaSpeed: 1 / slowdown },
  };
}

/** The first request of a call waits as long as any other: a connection within this machine opens at once. */
function delaysOf({ firstByteMs }: NetworkShape): Partial<Environment['s3']> {
  const wait = [[50, firstByteMs]] as const;
  return {
    ...{ standardGet: wait, standardPut: wait, expressGet: wait, expressPut: wait },
    ...{ standardFirstGetMs: firstByteMs, standardFirstPutMs: firstByteMs },
    ...{ expressFirstGetMs: firstByteMs, expressFirstPutMs: firstByteMs },
  };
}
