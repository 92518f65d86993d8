/** The flags of the search for the best plan, and of the model of cost by which it compares plans. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { readEnvironment, readPrices } from '../../lib/compile/files/read-constants';
import { FLOOR_MEMORY_MB } from '../../lib/plan/sizes/estimate';
import { MAX_LAMBDA_MEMORY_MB, MOST_SLICES } from '../../lib/plan/sizes/lambda-quotas';
import type { AnalyzeOptions } from '../../lib/compile/analyze';
import { GREATEST_RATE } from '../../lib/cost/alternatives/alternative';
import { grouped } from '../../lib/cost/alternatives/wording';
import type { Latency, Temperature, Transport } from '../../lib/cost/chain';
import type { CostOptions } from '../../lib/cost/options';
import { type AutomaticOptions, type Slicer, automatic } from '../../lib/plan/slicers';
import type { Minimize } from '../../lib/plan/goal';
import { bytesIn, milliseconds } from './quantities';

/** What the search minimizes and its limits. */
export interface SearchOptions {
  readonly minimize?: Minimize;
  /** In milliseconds. */
  readonly maxLatency?: number;
  readonly latencyPercentile?: keyof Latency;
  readonly maxCostPerMillion?: number;
  readonly maxMemory?: number;
  readonly temperature?: Temperature;
}

/** Flags that only the search takes. */
export const SEARCH_FLAGS = [
  'minimize',
  'maxLatency',
  'latencyPercentile',
  'maxCostPerMillion',
  'maxMemory',
  'temperature',
] as const satisfies readonly (keyof SearchOptions)[];

/** The pipeline for which a plan is made, and by what its cost and latency are estimated. */
export interface EstimateOptions {
  readonly requestsPerHour?: number;
  /** Of `plan` and `slice`: a file. */
  readonly inputs?: string;
  readonly prices?: string;
  readonly environment?: string;
  readonly stateMachine?: CostOptions['stateMachineType'];
  readonly architecture?: CostOptions['architecture'];
  readonly tensorStore?: Transport;
  readonly warmUp?: boolean;
  readonly prepacking?: Prepacking;
}

export const ARCHITECTURES = ['x86_64', 'arm64'] as const satisfies CostOptions['architecture'][];
export const STATE_MACHINES = ['express', 'standard'] as const satisfies CostOptions['stateMachineType'][];
export const PREPACKING = ['automatic', 'always', 'never'] as const;
type Prepacking = (typeof PREPACKING)[number];
export const TENSOR_STORES = ['s3-standard', 's3-express'] as const satisfies Transport[];

export function inputsOption(): Option {
  const description =
    'inputs for sizes that depend on data; they also set all dimensions (default: generated inputs)';
  return new Option('--inputs <file>', description);
}

const MAX_MEMORY = '--max-memory';

/** A flag with one of these values. */
export function choice(flags: string, description: string, values: readonly string[]): Option {
  return new Option(flags, description).choices(values);
}

export function addSearchOptions(command: Command): Command {
  return command
    .optionsGroup('Search, without a flag that says where to cut:')
    .addOption(
      choice('--minimize <goal>', 'search for the fewest slices, the least cost or the least latency', [
        'slices',
        'cost',
        'latency',
      ] satisfies Minimize[]),
    )
    .option('--max-latency <time>', 'longest time of a run, such as 2s or 500ms', milliseconds)
    .addOption(
      choice('--latency-percentile <p>', 'percentile that is minimized or limited, by default p95', [
        'p50',
        'p95',
      ] satisfies (keyof Latency)[]),
    )
    .option('--max-cost-per-million <usd>', 'highest price of a million runs, in US dollars', positive)
    .addOption(
      choice('--temperature <runs>', 'runs for which plans are compared, by default mixed', [
        'warm',
        'cold',
        'mixed',
      ] satisfies Temperature[]),
    );
}

export function requestsPerHourOption(): Option {
  const description = `runs per hour, which decide how often functions are cold, at most ${grouped(GREATEST_RATE)} (default: 10)`;
  return new Option('--requests-per-hour <n>', description).argParser(requestRate);
}

/** The limit that also decides about the cuts without any other flag. */
export function memoryOption(): Option {
  const description =
    'most memory of a function, in MB or with a unit, such as 2GB (default without a slicing flag: 3008)';
  return new Option(`${MAX_MEMORY} <size>`, description).argParser(functionMemory);
}

/** What decides about the bits of the slices. */
export function addFunctionOptions(command: Command): Command {
  return command
    .addOption(
      choice('--architecture <name>', 'processors of the functions, by default x86_64', ARCHITECTURES),
    )
    .addOption(
      choice(
        '--prepacking <when>',
        'whether functions rewrite weights for the kernels when they load, by default automatic',
        PREPACKING,
      ),
    );
}

export function addEstimateOptions(command: Command): Command {
  return addFunctionOptions(command.optionsGroup('Pipeline and its price:'))
    .addOption(requestsPerHourOption())
    .option('--prices <file>', 'JSON file of prices that replace list prices; see `constants prices`')
    .option('--environment <file>', 'JSON file that describes how fast AWS is; see `constants environment`')
    .addOption(
      choice('--state-machine <type>', 'type of the state machine, by default express', STATE_MACHINES),
    )
    .addOption(
      choice(
        '--tensor-store <store>',
        'where slices store their tensors, by default s3-standard',
        TENSOR_STORES,
      ),
    )
    .option('--no-warm-up', 'plan for a pipeline whose functions are not warmed up when a run starts');
}

/** The choices of the pipeline, and the files of constants and of inputs. */
export function estimateOptions(
  options: EstimateOptions,
): Pick<AnalyzeOptions, 'costs' | 'inputs' | 'transport'> {
  const { inputs, prices, environment, requestsPerHour, tensorStore } = options;
  const { stateMachine, architecture, warmUp, prepacking } = options;
  return {
    costs: {
      ...{ stateMachineType: stateMachine, architecture, requestsPerHour },
      ...(warmUp === false && { warmUp }),
      ...(prepacking !== undefined && prepacking !== 'automatic' && { prepacking: prepacking === 'always' }),
      ...(prices !== undefined && { prices: readPrices(prices) }),
      ...(environment !== undefined && { environment: readEnvironment(environment) }),
    },
    ...(inputs !== undefined && { inputs }),
    ...(tensorStore !== undefined && { transport: tensorStore }),
  };
}

export function searchFor(options: SearchOptions & EstimateOptions): Slicer {
  const { maxLatency: maxLatencyMs, latencyPercentile: quantile, maxMemory: maxMemorySize } = options;
  const { minimize, maxCostPerMillion, temperature, requestsPerHour, tensorStore = 's3-standard' } = options;
  const search: AutomaticOptions = {
    ...{ minimize, maxLatencyMs, quantile, maxCostPerMillion, maxMemorySize, temperature, requestsPerHour },
    transport: tensorStore,
    maxSlices: MOST_SLICES,
  };
  return automatic(search, MAX_MEMORY);
}

/** The parser of a whole number in this range. */
export function wholeNumber(least = 0, most = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const number = /^\d+$/.test(text) ? Number(text) : NaN;
    if (number >= least && number <= most) return number;
    const to = most === Number.MAX_SAFE_INTEGER ? '' : ` to ${most}`;
    throw new InvalidArgumentError(`It must be a whole number from ${least}${to}.`);
  };
}

/** In MB. */
function functionMemory(text: string): number {
  const megabytes = /^\d+$/.test(text) ? Number(text) : bytesIn(text) / 2 ** 20;
  const [least, most] = [FLOOR_MEMORY_MB, MAX_LAMBDA_MEMORY_MB];
  if (Number.isInteger(megabytes) && megabytes >= least && megabytes <= most) return megabytes;
  throw new InvalidArgumentError(
    `It must be a whole number of MB from ${least} to ${most}, such as 1024 or 2GB.`,
  );
}

/** Plain digits or a power of ten, as in 1e6. */
function positive(text: string): number {
  const number = /^\d+(?:\.\d+)?(?:e\+?\d+)?$/i.test(text) ? Number(text) : 0;
  if (number > 0 && Number.isFinite(number)) return number;
  throw new InvalidArgumentError('It must be a number above 0, such as 100 or 0.5.');
}

function requestRate(text: string): number {
  const rate = positive(text);
  if (rate <= GREATEST_RATE) return rate;
  const most = `at most ${grouped(GREATEST_RATE)}, about ${grouped(GREATEST_RATE / 3600)} requests a second`;
  throw new InvalidArgumentError(`It must be ${most}: services are compared up to this rate.`);
}
