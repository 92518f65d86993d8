/** The settings of slice functions, for all of them and for individual slices. */
import { type Duration, type Size, Token } from 'aws-cdk-lib';
import { ENV } from '../../contract/environment';
import { sliceName, WHOLE } from '../../contract/keys';
import { SlicedInferenceError, quoted } from '../errors';
import {
  MAX_LAMBDA_MEMORY_MB,
  MAX_LAMBDA_TIMEOUT_SECONDS,
  MIN_LAMBDA_MEMORY_MB,
} from '../plan/sizes/lambda-quotas';

/**
 * Settings of slice functions, and of an `InferenceFunction`, which has no slices and no state machine.
 *
 * @example
 * new SlicedInferencePipeline(stack, 'Ocr', {
 *   modelPath: 'model.onnx',
 *   sliceFunctions: { memorySize: 2048, timeout: Duration.minutes(2) },
 * });
 */
export interface SliceFunctionOptions {
  /**
   * Memory of a function, in MB: a whole number from 128 to 10,240. Lambda provides one vCPU for each 1,769 MB. All
   * slices run with one thread count, which follows from the largest memory size.
   *
   * @default - the plan's estimate for each slice: its weights, activations and tensors, and the Lambda runtime itself
   */
  readonly memorySize?: number;

  /**
   * Timeout of one call, in whole seconds from 1 second to 15 minutes.
   *
   * @default - one minute plus three times the time of a cold call where functions are slowest, by the model of cost: it loads, reads,
   * computes and writes. At least one minute plus three times the time that loading takes at 40 MB/s.
   */
  readonly timeout?: Duration;

  /**
   * Size of `/tmp`, which holds the slice's files, in whole MiB from 512 to 10,240. It must be at least the size of the
   * files.
   *
   * @default - the size that the files need, at least 512 MiB
   */
  readonly ephemeralStorageSize?: Size;

  /**
   * Reserved concurrency of a function, 1 or more: the number of concurrent calls that it may have, reserved from the
   * account's concurrency. The state machine retries a call above the limit 13 times and waits 191 seconds at
   * most. Then the run fails. Clients of an `InferenceFunction` call it again until their wait is over.
   *
   * @default - the function shares the account's unreserved concurrency
   */
  readonly reservedConcurrentExecutions?: number;

  /**
   * Provisioned concurrency of a function, 1 or more and at most the reserved concurrency: the number of sandboxes that
   * Lambda keeps started, and charges for all the time. They load the slice before calls come. The state machine calls the
   * function by its alias `live`. Therefore a run that is in progress during a deployment fails with `PlanChanged`; without
   * provisioned concurrency it finishes on the model that it started with. A call of an `InferenceFunction` has one model in
   * either case.
   *
   * @default - no provisioned concurrency
   */
  readonly provisionedConcurrentExecutions?: number;

  /**
   * Additional environment variables. They must not set the variables that the library uses.
   *
   * @default - no additional variables
   */
  readonly environment?: { [key: string]: string };
}

type SliceFunctionOverrides = Readonly<Record<string, SliceFunctionOptions>>;

/**
 * Returns the options of each slice: the common options, overridden by the slice's own. Environment variables are
 * overridden one by one.
 *
 * @param slices number of slices
 * @param others names of functions that are no slices, whose overrides are not returned
 * @throws SlicedInferenceError for values that Lambda does not allow, and for slices that the plan does not have
 */
export function optionsOfSlices(
  slices: number,
  others: readonly string[],
  common: SliceFunctionOptions = {},
  overrides: SliceFunctionOverrides = {},
): SliceFunctionOptions[] {
  const names = Array.from({ length: slices }, (_, slice) => sliceName(slice));
  const unknown = Object.keys(overrides).find((name) => ![...names, ...others].includes(name));
  if (unknown !== undefined) {
    const known = [`${names[0]} to ${names[slices - 1]}`, ...others].join(', or ');
    throw new SlicedInferenceError(
      `sliceFunctionOverrides must name slices of the plan (${known})`,
      quoted(unknown),
      'use one of these names',
    );
  }
  checkOptions(common, 'sliceFunctions.');
  return names.map((name) => overridden(name, common, overrides));
}

/**
 * Returns the options of the function of the whole model: its own ones, with the common environment variables. The common sizes are
 * those of slices.
 *
 * @throws SlicedInferenceError for values that Lambda does not allow
 */
export function optionsOfWhole(
  { environment }: SliceFunctionOptions = {},
  overrides: SliceFunctionOverrides = {},
): SliceFunctionOptions {
  return overridden(WHOLE, environment ? { environment } : {}, overrides);
}

function overridden(
  name: string,
  common: SliceFunctionOptions,
  overrides: SliceFunctionOverrides,
): SliceFunctionOptions {
  const own = Object.hasOwn(overrides, name) ? overrides[name] : undefined;
  if (own === undefined) return common;
  const where = `sliceFunctionOverrides['${name}']`;
  checkOverride(own, where);
  const merged = { ...common, ...withoutUndefined(own) };
  checkConcurrency(merged, `${where}.`);
  const environment = { ...common.environment, ...own.environment };
  return { ...merged, ...(Object.keys(environment).length > 0 && { environment }) };
}

/**
 * jsii converts the options of a prop, but not those in a map: of `{"memory_size": 2048}` in Python nothing is left.
 */
function checkOverride(options: SliceFunctionOptions, where: string): void {
  if (Object.keys(options).length > 0) {
    checkOptions(options, `${where}.`);
    return;
  }
  throw new SlicedInferenceError(
    `${where} must set an option`,
    'none',
    'pass { memorySize: 2048 }, for example, or in Python SliceFunctionOptions(memory_size=2048)',
  );
}

function withoutUndefined(options: SliceFunctionOptions): SliceFunctionOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

/** @param where before the names of the options: the prop that they belong to, and a dot */
export function checkOptions(options: SliceFunctionOptions, where: string): void {
  const { memorySize, timeout } = options;
  checkRange(memorySize, `${where}memorySize`, 'MB', MIN_LAMBDA_MEMORY_MB, MAX_LAMBDA_MEMORY_MB);
  if (timeout && !timeout.isUnresolved()) {
    const seconds = timeout.toSeconds({ integral: false });
    checkRange(seconds, `${where}timeout`, 'seconds', 1, MAX_LAMBDA_TIMEOUT_SECONDS);
  }
  checkConcurrency(options, where);
  checkEnvironment(options, where);
}

function checkConcurrency(options: SliceFunctionOptions, where: string): void {
  const { reservedConcurrentExecutions: reserved, provisionedConcurrentExecutions: provisioned } = options;
  checkCount(reserved, `${where}reservedConcurrentExecutions`);
  checkCount(provisioned, `${where}provisionedConcurrentExecutions`);
  if (reserved === undefined || provisioned === undefined) return;
  if (Token.isUnresolved(reserved) || Token.isUnresolved(provisioned) || provisioned <= reserved) return;
  throw new SlicedInferenceError(
    `${where}provisionedConcurrentExecutions must be at most reservedConcurrentExecutions`,
    `${provisioned} provisioned and ${reserved} reserved`,
    'raise reservedConcurrentExecutions or lower provisionedConcurrentExecutions',
  );
}

function checkCount(value: number | undefined, what: string): void {
  if (value === undefined || Token.isUnresolved(value) || (Number.isInteger(value) && value >= 1)) return;
  throw new SlicedInferenceError(
    `${what} must be a whole number of 1 or more`,
    String(value),
    'use a whole number or leave it out',
  );
}

function checkRange(
  value: number | undefined,
  what: string,
  unit: string,
  least: number,
  most: number,
): void {
  if (value === undefined || Token.isUnresolved(value)) return;
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw new SlicedInferenceError(
    `${what} must be a whole number of ${unit} from ${least} to ${most}`,
    String(value),
    'use a value in this range',
  );
}

/** https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html */
const VARIABLE_NAME = /^[a-zA-Z][a-zA-Z0-9_]+$/;

function checkEnvironment({ environment = {} }: SliceFunctionOptions, where: string): void {
  const reserved = new Set<string>(Object.values(ENV));
  for (const name of Object.keys(environment)) {
    const isValid = Token.isUnresolved(name) || VARIABLE_NAME.test(name);
    if (isValid && !reserved.has(name)) continue;
    const must = reserved.has(name)
      ? 'must not set variables that the library uses'
      : 'must have names of two or more letters, digits and underscores that start with a letter';
    throw new SlicedInferenceError(`${where}environment ${must}`, quoted(name), 'choose another name');
  }
}
