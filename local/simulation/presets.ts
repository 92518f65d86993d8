/** Simulations by name. Their figures are the constants of the model of cost, which have sources and dates. */
import { DEFAULT_ENVIRONMENT } from '../../lib/cost/constants/environment';
import { standardDelays } from '../../lib/cost/formulas/step-functions';
import { MIB } from '../../lib/cost/formulas/lambda';
import { atPercent } from '../../lib/cost/latency/percentiles';
import { LocalCloudError } from '../basics/errors';
import { checkSimulation } from './check-simulation';
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

/** A name of `--simulate`, with the constants of docs/costs.md that it uses. */
interface Preset {
  readonly simulation: Simulation;
  /** Of the table of constants: `group.name`. */
  readonly constants: readonly string[];
}

const BUCKET = ['network.burst', 'network.burstRate', 'network.sustainedRate', 'network.refill'];

const PARTS: Readonly<Record<(typeof PART_NAMES)[number], Preset>> = {
  lambda: { simulation: { network: OUTSIDE_VPC }, constants: [...BUCKET, 's3.connectionRate'] },
  'lambda-vpc': { simulation: { network: IN_VPC }, constants: ['network.vpcRate', 's3.connectionRate'] },
  'cold-starts': {
    simulation: { coldStartMs: lambda.placementMs },
    constants: ['lambda.placementMs'],
  },
  's3-standard': {
    simulation: { storage: { standard: S3_STANDARD } },
    constants: ['s3.standardGet', 's3.standardPut', 's3.standardFirstGetMs', 's3.standardFirstPutMs'],
  },
  's3-express': {
    simulation: { storage: { express: S3_EXPRESS } },
    constants: ['s3.expressGet', 's3.expressPut', 's3.expressFirstGetMs', 's3.expressFirstPutMs'],
  },
  'standard-transitions': {
    simulation: { transitions: { standard: standardDelays(DEFAULT_ENVIRONMENT) } },
    constants: ['32B', '1KiB', '16KiB', '64KiB', '256KiB'].map((size) => `stepFunctions.standard${size}`),
  },
  'express-transitions': {
    simulation: { transitions: { express: [{ bytes: 0, percentiles: stepFunctions.express }] } },
    constants: ['stepFunctions.express'],
  },
};

const BESIDES_NETWORK = [
  PARTS['cold-starts'],
  PARTS['s3-standard'],
  PARTS['s3-express'],
  PARTS['standard-transitions'],
  PARTS['express-transitions'],
];

/** `aws` and `aws-vpc` have all parts: each delays only the buckets and the state machines of its kind. */
export const PRESETS: Readonly<Record<SimulationName, Preset>> = {
  none: { simulation: {}, constants: [] },
  aws: together([PARTS.lambda, ...BESIDES_NETWORK]),
  'aws-vpc': together([PARTS['lambda-vpc'], ...BESIDES_NETWORK]),
  ...PARTS,
};

/** Simulations by their names in `--simulate`. */
export const SIMULATIONS: Readonly<Record<SimulationName, Simulation>> = Object.fromEntries(
  Object.entries(PRESETS).map(([name, { simulation }]) => [name, simulation]),
) as Record<SimulationName, Simulation>;

/**
 * The parts that the names stand for, or a simulation itself. Of two parts of the same kind, such as `lambda` and `lambda-vpc`,
 * the later one counts.
 *
 * @throws LocalCloudError for an unknown name or an impossible delay
 */
export function simulationOf(given: Simulation | string | readonly string[] = {}): Simulation {
  if (typeof given === 'string') return simulationOf([given]);
  return isNames(given) ? combined(given) : checkSimulation(given);
}

function combined(names: readonly string[]): Simulation {
  return together([PRESETS.none, ...names.map(presetNamed)]).simulation;
}

function isNames(given: Simulation | readonly string[]): given is readonly string[] {
  return Array.isArray(given);
}

function presetNamed(name: string): Preset {
  const known = SIMULATION_NAMES.find((own) => own === name);
  if (known !== undefined) return PRESETS[known];
  throw new LocalCloudError(
    `a simulation must have one of these names: ${SIMULATION_NAMES.join(', ')}; got '${name}': choose one or more of them`,
  );
}

function together(presets: readonly Preset[]): Preset {
  return presets.reduce((all, { simulation, constants }) => ({
    simulation: {
      ...all.simulation,
      ...simulation,
      ...joined('storage', all.simulation, simulation),
      ...joined('transitions', all.simulation, simulation),
    },
    constants: [...all.constants, ...constants],
  }));
}

function joined<K extends 'storage' | 'transitions'>(part: K, first: Simulation, second: Simulation) {
  if (first[part] === undefined && second[part] === undefined) return {};
  return { [part]: { ...first[part], ...second[part] } };
}

/** A connection is open when the first request over it can start: published are the medians of first and of later requests. */
function storeOf(get: Percentiles, put: Percentiles, firstGetMs: number, firstPutMs: number): StoreDelays {
  const longer = (first: number, later: Percentiles) => Math.max(0, first - atPercent(later, 50));
  return { get, put, openForGetMs: longer(firstGetMs, get), openForPutMs: longer(firstPutMs, put) };
}
