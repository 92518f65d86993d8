/** Simulations by name. Their figures are the constants of the model of cost, which have sources and dates. */
import { DEFAULT_ENVIRONMENT } from '../../lib/cost/constants/defaults';
import { standardDelays } from '../../lib/cost/formulas/step-functions';
import { MIB } from '../../lib/cost/formulas/lambda';
import { atPercent } from '../../lib/cost/latency/latency-distribution';
import { LocalCloudError } from '../local-cloud-error';
import type { NetworkShape, Percentiles, Simulation, StoreDelays } from './simulation';

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

const { network, s3, stepFunctions, lambda } = DEFAULT_ENVIRONMENT;
const CONNECTION_BYTES_PER_SECOND = s3.connectionRate * 1e6;

const OUTSIDE_VPC: NetworkShape = {
  connectionBytesPerSecond: CONNECTION_BYTES_PER_SECOND,
  functionBytesPerSecond: network.sustainedRate * MIB,
  burst: {
    bytes: network.burst * MIB,
    bytesPerSecond: network.burstRate * MIB,
    refillShare: network.refill,
  },
};

const IN_VPC: NetworkShape = {
  connectionBytesPerSecond: CONNECTION_BYTES_PER_SECOND,
  functionBytesPerSecond: network.vpcRate * MIB,
};

const S3_STANDARD = storeOf(s3.standardGet, s3.standardPut, s3.standardFirstGetMs, s3.standardFirstPutMs);
const S3_EXPRESS = storeOf(s3.expressGet, s3.expressPut, s3.expressFirstGetMs, s3.expressFirstPutMs);

const PARTS: Readonly<Record<(typeof PART_NAMES)[number], Simulation>> = {
  lambda: { network: OUTSIDE_VPC },
  'lambda-vpc': { network: IN_VPC },
  'cold-starts': { coldStartMs: lambda.placementMs },
  's3-standard': { storage: { standard: S3_STANDARD } },
  's3-express': { storage: { express: S3_EXPRESS } },
  'standard-transitions': { transitions: { standard: standardDelays(DEFAULT_ENVIRONMENT) } },
  'express-transitions': { transitions: { express: [{ bytes: 0, percentiles: stepFunctions.express }] } },
};

const BESIDES_NETWORK = PART_NAMES.filter((name) => !name.startsWith('lambda')).map((name) => PARTS[name]);

/** Simulations by their names in `--simulate`. `aws` and `aws-vpc` have all parts: each delays only buckets and machines of its kind. */
export const SIMULATIONS: Readonly<Record<SimulationName, Simulation>> = {
  none: {},
  aws: together([PARTS.lambda, ...BESIDES_NETWORK]),
  'aws-vpc': together([PARTS['lambda-vpc'], ...BESIDES_NETWORK]),
  ...PARTS,
};

/**
 * The parts that the names stand for. Of two parts of the same kind, such as `lambda` and `lambda-vpc`, the later one counts.
 *
 * @throws LocalCloudError for an unknown name
 */
export function simulationOf(names: string | readonly string[] = []): Simulation {
  return together([names].flat().map(simulationNamed));
}

function simulationNamed(name: string): Simulation {
  const known = SIMULATION_NAMES.find((own) => own === name);
  if (known !== undefined) return SIMULATIONS[known];
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
