/** Chooses the best plan for an objective and limits. */
import { GREATEST_RATE } from '../../cost/alternatives/alternative';
import type { Latency, Temperature, Transport } from '../../cost/chain';
import { SlicedInferenceError } from '../../errors';
import type { CutSpace } from '../cuts/cuts';
import type { Goal, Minimize } from '../goal';
import type { SizeLimit } from '../search/cut-graph';
import { type SliceSize, FLOOR_MEMORY_MB, ephemeralStorageMb, memoryMb } from '../sizes/estimate';
import { DEFAULT_MAX_MEMORY_MB, MAX_LAMBDA_MEMORY_MB } from '../sizes/lambda-quotas';
import type { PlanSearch, SearchedSlicer } from './slicer';

export interface AutomaticOptions {
  /** @default 'slices' */
  readonly minimize?: Minimize;
  /** Most milliseconds from the start of a run to its result. */
  readonly maxLatencyMs?: number;
  /** The quantile of latency that is minimized or limited. @default 'p95' */
  readonly quantile?: keyof Latency;
  /** Most dollars of a million runs. */
  readonly maxCostPerMillion?: number;
  /**
   * Most memory of a function: a whole number of MB from 512 to 10,240. The environment of the model of cost may allow less.
   *
   * @default 3008
   */
  readonly maxMemorySize?: number;
  /** @default 'mixed' */
  readonly temperature?: Temperature;
  /** Requests per hour, from which the share of cold runs follows. @default - the default share of the model of cost */
  readonly requestsPerHour?: number;
  /** @default 's3-standard' */
  readonly transport?: Transport;
  /** @default - no limit */
  readonly maxSlices?: number;
  /** Exactly so many slices. @default - the number is chosen */
  readonly slices?: number;
}

/**
 * Memory sizes, in MB, that the search compares for every slice. A plan that it finds gets sizes between them, see `tuned`. They have
 * one vCPU, and the borders at which a function gets one more: https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html has
 * the first, the others were measured by users.
 */
const COMPARED_MEMORY_MB = [...[1024, 1769, 3008, 5307], MAX_LAMBDA_MEMORY_MB];

const MILLION = 1e6;

/**
 * Chooses the best plan: by default the fewest slices whose functions need at most 3,008 MB, and of these the cheapest.
 *
 * @param setting name of the limit on memory in errors
 */
export function automatic(options: AutomaticOptions = {}, setting = 'maxMemorySize'): SearchedSlicer {
  const {
    maxMemorySize: maxMemory = DEFAULT_MAX_MEMORY_MB,
    maxCostPerMillion,
    maxSlices = Infinity,
  } = options;
  checkMemoryLimit(maxMemory, setting);
  const { minimize = 'slices', temperature = 'mixed', quantile = 'p95' } = options;
  const { maxLatencyMs, requestsPerHour, transport = 's3-standard', slices } = options;
  checkPositive('the latency in ms', maxLatencyMs);
  checkPositive('the cost of a million runs', maxCostPerMillion);
  checkPositive('the number of requests per hour', requestsPerHour, GREATEST_RATE);
  const maxDollars = maxCostPerMillion === undefined ? undefined : maxCostPerMillion / MILLION;
  const goal: Goal = {
    ...{ minimize, temperature, quantile, maxLatencyMs, maxDollars, requestsPerHour },
    maxMemoryMb: maxMemory,
  };
  const search = (space: CutSpace, margin?: number): PlanSearch => {
    const limit = functionLimit(space, maxMemory, setting, margin);
    const { maxMemoryMb } = limit;
    const model = space.costs.model(requestsPerHour);
    return {
      limit,
      request: {
        ...{ ...goal, transport, maxSlices, maxMemoryMb, slices, model },
        memorySizes: [
          ...new Set([...COMPARED_MEMORY_MB.filter((memory) => memory < maxMemoryMb), maxMemoryMb]),
        ],
        // A slice with fewer vCPUs than that has no use for more threads.
        threads: space.costs.threads(maxMemoryMb),
      },
    };
  };
  return {
    key: `automatic ${JSON.stringify({ ...goal, transport, maxSlices: String(maxSlices), slices })}`,
    goal,
    search,
  };
}

function checkPositive(what: string, number: number | undefined, most = Number.MAX_VALUE): void {
  if (number === undefined || (number > 0 && number <= most)) return;
  const [limit, size] =
    number > most && number < Infinity
      ? [`at most ${most.toLocaleString('en-US')}`, 'smaller']
      : ['a number above 0', 'larger'];
  throw new SlicedInferenceError(`${what} must be ${limit}`, String(number), `pass a ${size} number`);
}

const FLOOR = `a function of a slice has ${FLOOR_MEMORY_MB} MB at least, because Node.js takes seconds to start with less`;

function checkMemoryLimit(maxMemory: number, setting: string): void {
  if (Number.isInteger(maxMemory) && maxMemory >= FLOOR_MEMORY_MB && maxMemory <= MAX_LAMBDA_MEMORY_MB)
    return;
  throw new SlicedInferenceError(
    `${setting} must be a whole number of MB from ${FLOOR_MEMORY_MB} to ${MAX_LAMBDA_MEMORY_MB}`,
    String(maxMemory),
    maxMemory < FLOOR_MEMORY_MB ? FLOOR : 'use at most the memory that your account allows for one function',
  );
}

function functionLimit(
  space: CutSpace,
  maxMemory: number,
  setting: string,
  margin = 1,
): SizeLimit & { readonly maxMemoryMb: number } {
  const { lambda } = space.costs.model().options.environment;
  if (lambda.maxMemoryMb < FLOOR_MEMORY_MB) {
    throw new SlicedInferenceError(
      `lambda.maxMemoryMb of the environment must be ${FLOOR_MEMORY_MB} MB or more`,
      `${lambda.maxMemoryMb} MB`,
      FLOOR,
    );
  }
  const maxMemoryMb = Math.min(maxMemory, lambda.maxMemoryMb);
  const fitsTmp = ({ weightBytes }: SliceSize): boolean => ephemeralStorageMb(weightBytes) <= lambda.maxTmpMb;
  const fitsMemory = (size: SliceSize): boolean =>
    memoryMb({ ...size, activationBytes: margin * size.activationBytes }) <= maxMemoryMb;
  return {
    maxMemoryMb,
    fits: (size) => fitsMemory(size) && fitsTmp(size),
    isHopeless: (size) => !fitsMemory({ ...size, outputBytes: 0, copiedBytes: 0 }) || !fitsTmp(size),
    describe: (size) =>
      memoryMb(size) <= maxMemoryMb
        ? {
            limit: `have at most ${lambda.maxTmpMb} MB of files`,
            got: `${ephemeralStorageMb(size.weightBytes)} MB`,
            advice: 'use a smaller model',
          }
        : {
            limit: `need at most ${maxMemoryMb} MB of memory`,
            got: `${memoryMb(size)} MB`,
            advice: `raise ${maxMemoryMb < maxMemory ? 'lambda.maxMemoryMb of the environment' : setting}`,
          },
  };
}
