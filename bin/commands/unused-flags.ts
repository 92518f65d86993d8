/** Refuses flags that would have no effect beside others, because the user expects one. */
import { SlicedInferenceError } from '../../lib/errors';
import type { EstimateOptions, SearchOptions } from './search-options';

interface ComparingOptions extends SearchOptions, EstimateOptions {
  readonly atTensors?: readonly string[];
  readonly slicingPlan?: string;
}

/** By option: its flag. Plans are compared by them, and nothing else that `slice` and `verify` do depends on them. */
const COMPARING = {
  requestsPerHour: '--requests-per-hour',
  prices: '--prices',
  environment: '--environment',
  stateMachine: '--state-machine',
  architecture: '--architecture',
  tensorStore: '--tensor-store',
} as const satisfies Partial<Record<keyof EstimateOptions, string>>;

/**
 * For the commands that print no prices. `plan` prints prices, which depend on all of these flags.
 *
 * @throws SlicedInferenceError for flags by which plans are compared if no plans are
 */
export function checkComparingFlags(options: ComparingOptions): void {
  const { atTensors, slicingPlan, temperature, requestsPerHour, warmUp } = options;
  const naming =
    atTensors === undefined ? (slicingPlan === undefined ? undefined : '--slicing-plan') : '--at-tensors';
  if (naming !== undefined) {
    const given = Object.entries(COMPARING).filter(
      ([name]) => options[name as keyof typeof COMPARING] !== undefined,
    );
    const flags = [...given.map(([, flag]) => flag), ...(warmUp === false ? ['--no-warm-up'] : [])];
    refuse(`${naming} names the cuts, so no plans are compared`, flags, naming);
  }
  const isOneKind = temperature === 'warm' || temperature === 'cold';
  if (isOneKind && requestsPerHour !== undefined)
    refuse(
      `--temperature ${temperature} makes all runs ${temperature}, so their rate does not matter`,
      ['--requests-per-hour'],
      '--temperature',
    );
}

/** @throws SlicedInferenceError for a percentile of a latency that the search ignores */
export function checkPercentileFlag({ latencyPercentile, maxLatency, minimize }: SearchOptions): void {
  if (latencyPercentile === undefined || maxLatency !== undefined || minimize === 'latency') return;
  throw new SlicedInferenceError(
    '--latency-percentile must be combined with --max-latency or --minimize latency',
    'neither',
    'add one of them, or leave the percentile out',
  );
}

function refuse(reason: string, flags: readonly string[], other: string): void {
  if (flags.length === 0) return;
  throw new SlicedInferenceError(
    `flags must have an effect, and ${reason}`,
    flags.join(' and '),
    `leave ${flags.length === 1 ? 'it' : 'them'} or ${other} out`,
  );
}
