/** Simulations by their names in `--simulate`. Their figures are the constants of the model of cost, which have sources and dates. */
import type { Pairs } from '../../lib/cost/constants/constant';
import { type Environment, DEFAULT_ENVIRONMENT } from '../../lib/cost/constants/defaults';
import { standardDelays } from '../../lib/cost/formulas/step-functions';
import { MIB } from '../../lib/cost/formulas/lambda';
import { steady } from '../../lib/cost/formulas/slice-timing';
import { atPercent } from '../../lib/cost/latency/latency-distribution';
import { LocalCloudError } from '../local-cloud-error';
import type { Simulation, StoreDelays } from './simulation';

/** Names of simulations. `aws-vpc` has the network of functions in a VPC. */
export const SIMULATION_NAMES = ['none', 'aws', 'aws-vpc'] as const;

export type SimulationName = (typeof SIMULATION_NAMES)[number];

/** @throws LocalCloudError for an unknown name */
export function simulationOf(name = 'none', environment = DEFAULT_ENVIRONMENT): Simulation {
  if (name === 'none') return {};
  if (name === 'aws' || name === 'aws-vpc') return ofAws(environment, name === 'aws-vpc');
  throw new LocalCloudError(
    `a simulation must have one of these names: ${SIMULATION_NAMES.join(', ')}; got '${name}': choose one of them`,
  );
}

/** Each part delays only buckets and machines of its kind. */
function ofAws(environment: Environment, isInVpc: boolean): Simulation {
  const { network, s3, stepFunctions, lambda } = environment;
  const outsideVpc = {
    capacity: network.burst * MIB,
    burstRate: network.burstRate * MIB,
    refillRate: network.sustainedRate * MIB,
    refillShare: network.refill,
  };
  return {
    network: {
      connectionBytesPerSecond: s3.connectionRate * 1e6,
      sandbox: isInVpc ? steady(network.vpcRate * MIB) : outsideVpc,
    },
    storage: {
      standard: storeOf(s3.standardGet, s3.standardPut, s3.standardFirstGetMs, s3.standardFirstPutMs),
      express: storeOf(s3.expressGet, s3.expressPut, s3.expressFirstGetMs, s3.expressFirstPutMs),
    },
    coldStartMs: lambda.placementMs,
    transitions: {
      standard: standardDelays(environment),
      express: [{ bytes: 0, percentiles: stepFunctions.express }],
    },
  };
}

/** A connection is open when the first request over it can start: published are the medians of first and of later requests. */
function storeOf(get: Pairs, put: Pairs, firstGetMs: number, firstPutMs: number): StoreDelays {
  const longer = (first: number, later: Pairs) => Math.max(0, first - atPercent(later, 50));
  return { get, put, openForGetMs: longer(firstGetMs, get), openForPutMs: longer(firstPutMs, put) };
}
