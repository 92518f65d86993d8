/** What can be set for the functions of the slices: for all of them, and for single ones. */
import type { Duration, Size } from 'aws-cdk-lib';
import { Token } from 'aws-cdk-lib';
import { ENV } from '../../contract/environment';
import { sliceName } from '../../contract/keys';
import { SlicedInferenceError, quoted } from '../errors';
import {
  MAX_EPHEMERAL_STORAGE_MB,
  MAX_LAMBDA_MEMORY_MB,
  MAX_LAMBDA_TIMEOUT_SECONDS,
  MIN_EPHEMERAL_STORAGE_MB,
  MIN_LAMBDA_MEMORY_MB,
} from '../plan/sizes/lambda-quotas';

/** What can be set for the functions of the slices; what is left out comes from the plan. */
export interface SliceFunctionOptions {
  /**
   * Memory of a function, in MB: 128 to 10,240. A vCPU comes with each 1,769 MB.
   *
   * @default - the plan's estimate for each slice: its weights, activations and tensors, and the bare runtime
   */
  readonly memorySize?: number;

  /**
   * Timeout of one call, at most 15 minutes.
   *
   * @default - a minute, and three times as long as loading the weights at 40 MB/s takes
   */
  readonly timeout?: Duration;

  /**
   * Size of `/tmp`, which holds the slice's files: 512 to 10,240 MB.
   *
   * @default - what the files need, at least 512 MiB
   */
  readonly ephemeralStorageSize?: Size;

  /**
   * The most calls of a function at a time, taken out of the account's concurrency for it alone. A call beyond it is
   * tried again for some 40 seconds before the run fails.
   *
   * @default - the account's unreserved concurrency
   */
  readonly reservedConcurrentExecutions?: number;

  /**
   * Copies of a function that are kept started, and paid for all the time. They have loaded the function's code, not
   * yet its weights. Such a function is called by the alias `live`: a run that a deployment overtakes fails with
   * `PlanChanged`, where others end on the model that they began with.
   *
   * @default - none
   */
  readonly provisionedConcurrentExecutions?: number;

  /**
   * Environment variables besides the library's own.
   *
   * @default - none
   */
  readonly environment?: { [key: string]: string };
}

/** Options of single slices, by name: `slice-00` is the first. */
export type SliceFunctionOverrides = Readonly<Record<string, SliceFunctionOptions>>;

/**
 * The options of each slice: those of all, with the slice's own in their place. Variables of the environment are
 * replaced one by one.
 *
 * @throws SlicedInferenceError for values that Lambda does not have, and for slices that the plan does not have
 */
export function optionsOfSlices(
  slices: number,
  common: SliceFunctionOptions = {},
  overrides: SliceFunctionOverrides = {},
): SliceFunctionOptions[] {
  const names = Array.from({ length: slices }, (_, slice) => sliceName(slice));
  const unknown = Object.keys(overrides).find((name) => !names.includes(name));
  if (unknown !== undefined) {
    throw new SlicedInferenceError(
      `sliceFunctionOverrides must name slices of the plan (${names[0]} to ${names[slices - 1]})`,
      quoted(unknown),
      'use one of these names',
    );
  }
  checkOptions(common, 'sliceFunctions');
  return names.map((name) => {
    const own = Object.hasOwn(overrides, name) ? overrides[name] : undefined;
    if (own === undefined) return common;
    checkOptions(own, `sliceFunctionOverrides['${name}']`);
    const merged = { ...common, ...withoutUndefined(own) };
    checkConcurrency(merged, `sliceFunctionOverrides['${name}']`);
    const environment = { ...common.environment, ...own.environment };
    return { ...merged, ...(Object.keys(environment).length > 0 && { environment }) };
  });
}

function withoutUndefined(options: SliceFunctionOptions): SliceFunctionOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

function checkOptions(options: SliceFunctionOptions, where: string): void {
  const { memorySize, timeout, ephemeralStorageSize } = options;
  checkRange(memorySize, `${where}.memorySize`, 'MB', MIN_LAMBDA_MEMORY_MB, MAX_LAMBDA_MEMORY_MB);
  if (timeout && !timeout.isUnresolved()) {
    const seconds = timeout.toSeconds({ integral: false });
    checkRange(seconds, `${where}.timeout`, 'seconds', 1, MAX_LAMBDA_TIMEOUT_SECONDS);
  }
  if (ephemeralStorageSize && !ephemeralStorageSize.isUnresolved()) {
    const megabytes = ephemeralStorageSize.toBytes() / 2 ** 20;
    const [least, most] = [MIN_EPHEMERAL_STORAGE_MB, MAX_EPHEMERAL_STORAGE_MB];
    checkRange(megabytes, `${where}.ephemeralStorageSize`, 'MB', least, most);
  }
  checkConcurrency(options, where);
  checkEnvironment(options, where);
}

function checkConcurrency(options: SliceFunctionOptions, where: string): void {
  const { reservedConcurrentExecutions: reserved, provisionedConcurrentExecutions: provisioned } = options;
  checkCount(reserved, `${where}.reservedConcurrentExecutions`);
  checkCount(provisioned, `${where}.provisionedConcurrentExecutions`);
  if (reserved === undefined || provisioned === undefined) return;
  if (Token.isUnresolved(reserved) || Token.isUnresolved(provisioned) || provisioned <= reserved) return;
  throw new SlicedInferenceError(
    `${where}.provisionedConcurrentExecutions must be at most reservedConcurrentExecutions`,
    `${provisioned} of ${reserved}`,
    'raise the one or lower the other',
  );
}

function checkCount(value: number | undefined, what: string): void {
  if (value === undefined || Token.isUnresolved(value)) return;
  if (Number.isInteger(value) && value >= 1) return;
  throw new SlicedInferenceError(
    `${what} must be a whole number of 1 or more`,
    String(value),
    'leave it out to have none',
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
    `give one that Lambda has`,
  );
}

/** https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html */
const VARIABLE_NAME = /^[a-zA-Z][a-zA-Z0-9_]+$/;

function checkEnvironment({ environment = {} }: SliceFunctionOptions, where: string): void {
  const own = new Set<string>(Object.values(ENV));
  for (const name of Object.keys(environment)) {
    if (own.has(name)) {
      throw new SlicedInferenceError(
        `${where}.environment must leave the library's own variables alone`,
        quoted(name),
        'choose another name',
      );
    }
    if (Token.isUnresolved(name) || VARIABLE_NAME.test(name)) continue;
    throw new SlicedInferenceError(
      `${where}.environment must have names of letters, digits and underscores that begin with a letter`,
      quoted(name),
      'choose another name',
    );
  }
}
