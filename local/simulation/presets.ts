/** Simulations by name. Their figures are the constants of the model of cost, which have sources and dates. */
import { type Environment, DEFAULT_ENVIRONMENT } from '../../lib/cost/constants/defaults';
import { standardDelays } from '../../lib/cost/formulas/step-functions';
import { MIB } from '../../lib/cost/formulas/lambda';
import { steady } from '../../lib/cost/formulas/slice-timing';
import { atPercent } from '../../lib/cost/latency/latency-distribution';
import { LocalCloudError } from '../local-cloud-error';
import type { Percentiles, Simulation, StoreDelays } from './simulation';

const PART_NAMES = [
  'lambda',
  'lambda-vpc',
  'cold-starts',
  's3-standard',
  's3-express',
  'standard-transitions',
  'express-transitions',
] as const;

/** Names of simulations, of which several can be combined, such as `lambda` and `s3-standard`. */
export const SIMULATION_NAMES = ['none', 'aws', 'aws-vpc', ...PART_NAMES] as const;

export type SimulationName = (typeof SIMULATION_NAMES)[number];

/** Simulations by their names in `--simulate`. `aws` and `aws-vpc` have all parts: each delays only buckets and machines of its kind. */
export type Simulations = Readonly<Record<SimulationName, Simulation>>;

function simulationsOf(environment: Environment): Simulations {
  const parts = partsOf(environment);
  const besidesNetwork = PART_NAMES.filter((name) => !name.startsWith('lambda')).map((name) => parts[name]);
  return {
    none: {},
    aws: together([parts.lambda, ...besidesNetwork]),
    'aws-vpc': together([parts['lambda-vpc'], ...besidesNetwork]),
    ...parts,
  };
}

function partsOf(environment: Environment): Readonly<Record<(typeof PART_NAMES)[number], Simulation>> {
  const { network, s3, stepFunctions, lambda } = environment;
  const connectionBytesPerSecond = s3.connectionRate * 1e6;
  const outsideVpc = {
    capacity: network.burst * MIB,
    burstRate: network.burstRate * MIB,
    refillRate: network.sustainedRate * MIB,
    refillShare: network.refill,
  };
  const standard = storeOf(s3.standardGet, s3.standardPut, s3.standardFirstGetMs, s3.standardFirstPutMs);
  const express = storeOf(s3.expressGet, s3.expressPut, s3.expressFirstGetMs, s3.expressFirstPutMs);
  return {
    lambda: { network: { connectionBytesPerSecond, sandbox: outsideVpc } },
    'lambda-vpc': { network: { connectionBytesPerSecond, sandbox: steady(network.vpcRate * MIB) } },
    'cold-starts': { coldStartMs: lambda.placementMs },
    's3-standard': { storage: { standard } },
    's3-express': { storage: { express } },
    'standard-transitions': { transitions: { standard: standardDelays(environment) } },
    'express-transitions': { transitions: { express: [{ bytes: 0, percentiles: stepFunctions.express }] } },
  };
}

export const SIMULATIONS = simulationsOf(DEFAULT_ENVIRONMENT);

/**
 * The parts that the names stand for. Of two parts of the same kind, such as `lambda` and `lambda-vpc`, the later one counts.
 *
 * @throws LocalCloudError for an unknown name
 */
export function simulationOf(names: string | readonly string[] = [], environment?: Environment): Simulation {
  const simulations = environment === undefined ? SIMULATIONS : simulationsOf(environment);
  return together([names].flat().map((name) => simulationNamed(name, simulations)));
}

function simulationNamed(name: string, simulations: Simulations): Simulation {
  const known = SIMULATION_NAMES.find((own) => own === name);
  if (known !== undefined) return simulations[known];
  throw new LocalCloudError(
    `a simulation must have one of these names: ${SIMULATION_NAMES.join(', ')}; got '${name}': choose one or more of them`,
  );
}

function together(parts: readonly Simulation[]): Simulation {
  return parts.reduce<Simulation>(
    (all, { storage, transitions, ...part }) => ({
      ...all,
      ...part,
      ...(storage && { storage: { ...all.storage, ...storage } }),
      ...(transitions && { transitions: { ...all.transitions, ...transitions } }),
    }),
    {},
  );
}

/** A connection is open when the first request over it can start: published are the medians of first and of later requests. */
function storeOf(get: Percentiles, put: Percentiles, firstGetMs: number, firstPutMs: number): StoreDelays {
  const longer = (first: number, later: Percentiles) => Math.max(0, first - atPercent(later, 50));
  return { get, put, openForGetMs: longer(firstGetMs, get), openForPutMs: longer(firstPutMs, put) };
}
